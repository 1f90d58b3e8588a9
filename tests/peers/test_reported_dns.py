"""The name server that a board's firmware reports, with no list given: dnsmasq on port 53.

In a network of its own, where that port is free. The board gets the server from its network, or
its program sets it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import peers
import pytest
from test_dns import CONF, NAMES

PROGRAMS = Path(__file__).parent / "programs"
SETTINGS = "CONFIG_USOCKET_DNS=y\nCONFIG_USOCKET_DROPIN=y\n"
# What the virtual board reaches this machine's loopback by.
HOST = "10.0.2.2"
ALL = " ".join(NAMES["multi.test"][:3])
THREE = 3  # the layer's call, the drop-in's, and aio's


def run(folder: Path, variant: str, how: str) -> list[str]:
    names, conf = folder / "names", folder / "dns.conf"
    names.write_text("".join(f"{a} {name}\n" for name, found in NAMES.items() for a in found))
    conf.write_text(CONF["board"] + SETTINGS)
    server = [peers.program("dnsmasq"), "--no-daemon", "--conf-file=/dev/null"]
    server += ["--pid-file=", "--user=root", "--listen-address=127.0.0.1", "--bind-interfaces"]
    server += ["--no-resolv", "--no-hosts", f"--addn-hosts={names}", "--local=/test/"]
    server += ["--local-ttl=0", "--cname=alias.test,multi.test"]
    begin = f'ip link set lo up && {{ {" ".join(server)} >"$0" 2>&1 & server=$!; }}'
    script = begin + '; "$@"; kill $server'
    told = "127.0.0.1" if how == "told" else ""
    argv = [
        peers.program("unshare"),
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        script,
        str(folder / "log"),
    ]
    argv += [sys.executable, str(PROGRAMS / "on_board.py"), variant, told, str(conf)]
    done = subprocess.run(
        [*argv, str(PROGRAMS / "reported.py"), how], capture_output=True, text=True, timeout=90
    )
    assert done.stderr == "", done.stdout + done.stderr
    # dnsmasq gives them by turns.
    return [" ".join(sorted(x.split())) if x[0] == "1" else x for x in done.stdout.splitlines()]


@pytest.mark.parametrize("variant", ["standard", "32bit"])
@pytest.mark.parametrize("how", ["told", "set"])
def test_the_server_that_the_firmware_reports(tmp_path: Path, variant: str, how: str) -> None:
    lines = run(tmp_path, variant, how)
    if how == "set":
        assert lines[:THREE] == ["EAI_AGAIN"] * THREE
        assert lines[THREE : 2 * THREE] == [ALL] * THREE
        assert lines[2 * THREE] == "EAI_AGAIN"
        lines = lines[2 * THREE + 1 :]
    assert lines == [
        HOST,
        *[ALL] * THREE,
        *[ALL] * THREE,
        *["EAI_NONAME"] * THREE,
        *["2001:db8::6"] * 2,
        "open []",
    ]
