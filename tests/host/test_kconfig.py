"""Kconfig, the boards' files and the module that is generated from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usocket_tools.layer import kconfig


def load(tmp_path: Path, text: str) -> kconfig.Values:
    conf = tmp_path / "board.conf"
    conf.write_text(text)
    return kconfig.load(conf)


def test_defaults():
    assert kconfig.load() == {
        "NET_SOCKETS": True,
        "NET_SOCKETS_POSIX_NAMES": True,
        "ZVFS_OPEN_MAX": 16,
        "ZVFS_POLL_MAX": 16,
        "NET_SOCKETS_CONNECT_TIMEOUT": 0,
        "NET_SOCKETPAIR": True,
        "NET_SOCKETPAIR_BUFFER_SIZE": 256,
        "NET_SOCKETS_SERVICE": True,
        "NET_SOCKETS_SOCKOPT_TLS": True,
        "NET_SOCKETS_ENABLE_DTLS": True,
        "USOCKET_DROPIN": False,
        "USOCKET_DNS": False,
        "USOCKET_PORT": "",
        "USOCKET_THREADS": True,
        "USOCKET_LAZY": True,
        "USOCKET_LINE_NUMBERS": False,
    }


def test_boards():
    assert {"UNIX", "ESP32_GENERIC"} <= set(kconfig.boards())
    assert kconfig.load(kconfig.board_file("UNIX"))["ZVFS_OPEN_MAX"] == 256
    assert kconfig.load(kconfig.board_file("ESP32_GENERIC"))["ZVFS_OPEN_MAX"] == 10
    with pytest.raises(kconfig.ConfigError, match="no board 'TOASTER'"):
        kconfig.board_file("TOASTER")


def test_a_variant_has_the_file_of_its_board():
    assert kconfig.conf_of("ESP32_GENERIC-OTA") == kconfig.board_file("ESP32_GENERIC")
    assert kconfig.conf_of("ESP32_GENERIC-SPIRAM") == kconfig.board_file("ESP32_GENERIC-SPIRAM")
    assert kconfig.conf_of("TOASTER") is None


def test_every_kind_of_assignment(tmp_path):
    values = load(
        tmp_path,
        "# a comment\n\nCONFIG_ZVFS_OPEN_MAX=7\n# CONFIG_NET_SOCKETPAIR is not set\n"
        'CONFIG_USOCKET_PORT="unix"\nCONFIG_USOCKET_THREADS=n\nCONFIG_NET_SOCKETS_SERVICE=n\n',
    )
    assert values["ZVFS_OPEN_MAX"] == 7
    assert values["NET_SOCKETPAIR"] is False
    assert values["USOCKET_PORT"] == "unix"
    assert values["USOCKET_THREADS"] is False
    assert values["NET_SOCKETS_SERVICE"] is False


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("CONFIG_ZVFS_OPENMAX=3", r"unknown symbol .*did you mean CONFIG_ZVFS_OPEN_MAX\?"),
        ("CONFIG_FLUX=y", "unknown symbol CONFIG_FLUX"),
        ("# CONFIG_FLUX is not set", "unknown symbol CONFIG_FLUX"),
        ("CONFIG_ZVFS_OPEN_MAX=0", "bad value 0 .*range is 1 to 65536"),
        ("CONFIG_ZVFS_OPEN_MAX=65537", "bad value 65537"),
        ("CONFIG_ZVFS_OPEN_MAX=ten", "bad value ten .*decimal number"),
        ("CONFIG_ZVFS_OPEN_MAX=", "decimal number"),
        ("CONFIG_ZVFS_OPEN_MAX=0x10", "decimal number"),
        ("CONFIG_NET_SOCKETPAIR=m", "it is y or n"),
        ("CONFIG_NET_SOCKETPAIR=1", "it is y or n"),
        ("CONFIG_NET_SOCKETS=n", "always y"),
        ("CONFIG_USOCKET_DROPIN=1", "it is y or n"),
        ("CONFIG_USOCKET_PORT=unix", "double quotes"),
        ('CONFIG_USOCKET_PORT="toaster"', "the ports are .*unix"),
        ("ZVFS_OPEN_MAX=3", "not an assignment"),
        ("CONFIG_ZVFS_OPEN_MAX = 3", "not an assignment"),
        ("CONFIG_USOCKET_THREADS=n", "set already on line 2"),
    ],
)
def test_an_error_names_file_and_line(tmp_path, line, message):
    with pytest.raises(kconfig.ConfigError, match=message) as caught:
        load(tmp_path, f"# line 1\nCONFIG_USOCKET_THREADS=y\n{line}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'board.conf'}:3: ")


def test_a_dependency_may_follow(tmp_path):
    with pytest.raises(kconfig.ConfigError, match=":1: .*depends on NET_SOCKETPAIR"):
        load(tmp_path, "CONFIG_NET_SOCKETPAIR_BUFFER_SIZE=64\nCONFIG_NET_SOCKETPAIR=n\n")


def test_unreadable_files(tmp_path):
    binary = tmp_path / "binary.conf"
    binary.write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "missing.conf", tmp_path, binary):
        with pytest.raises(kconfig.ConfigError, match="cannot read the configuration") as caught:
            kconfig.load(file)
        assert str(file) in str(caught.value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            st.builds(
                "CONFIG_{}={}".format,
                st.sampled_from(list(kconfig.load())) | st.text(max_size=8),
                st.sampled_from(["y", "n", "1", "-1", "99999", '""', '"\\"', "'", '"unix"'])
                | st.text(max_size=8),
            ),
        ),
        max_size=4,
    )
)
def test_any_file_gives_values_or_a_config_error(tmp_path, lines):
    conf = tmp_path / "board.conf"
    conf.write_bytes("\n".join(lines).encode(errors="replace"))
    try:
        values = kconfig.load(conf)
    except kconfig.ConfigError:
        return
    module: dict = {}
    exec(kconfig.generate(values, "board.conf"), module)
    wanted = kconfig.generated(values)
    # What only the host asks, and what is told where it is n.
    assert len(wanted) == len(values) - 5 - bool(values["NET_SOCKETS_ENABLE_DTLS"])
    assert {name: module[name] for name in wanted} == wanted


def import_with(conf: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", "from usocket_compat import _config as c; print(c.ZVFS_OPEN_MAX)"],
        env={**os.environ, "USOCKET_COMPAT_CONF": str(conf)},
        capture_output=True,
        text=True,
    )


def test_cpython_reads_usocket_compat_conf(tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=5\n")
    assert import_with(conf).stdout == "5\n"
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=0\n")
    last = import_with(conf).stderr.splitlines()[-1]
    assert f"{conf}:1: bad value 0 for CONFIG_ZVFS_OPEN_MAX" in last
