"""Bad input of every kind: the errors of contract 1 come out, and nothing else changes.

Each case also goes through plain CPython, where it has the same call, and on MicroPython through
the port's own packing, where a wrong pointer would end the process.

Where the layer decides otherwise than CPython, on purpose:
- a packed sockaddr is an address (to CPython only AF_UNIX has bytes, and they are a path);
- None is no option's value; one that needs more than 32 bits is an OverflowError;
- INADDR_ANY, INADDR_LOOPBACK and INADDR_BROADCAST are hosts of AF_INET, as they are in C;
- a port above 65535 is an OverflowError for getnameinfo and getaddrinfo too;
- inet_aton stops at a space, where glibc stops reading;
- a host in brackets, "[::1]", is numeric for getaddrinfo;
- the zone of a host, "::%1", is the address's scope, as for every C program; CPython drops it
  unless the tuple has it a second time;
- of several mistakes the one that is told may be another; where both refuse, that is enough.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

if not sys.platform.startswith("linux"):
    pytest.skip("the oracle is Linux's kernel", allow_module_level=True)

import fuzz_run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("USOCKET_ORACLE_EXAMPLES", 0)) * 10 or 2000
CASES = 3000  # that go through MicroPython
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="USOCKET_ORACLE_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
KINDS = {
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    "unixd": (socket.AF_UNIX, socket.SOCK_DGRAM),
}


def numeric(host: str) -> bool:
    """True when no name server would be asked."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
        return True
    except socket.gaierror:
        return any(not 0 < len(label) < 64 for label in host.split("."))
    except ValueError:
        return True


_NUMBERS = st.one_of(
    st.integers(-2, 300),
    st.sampled_from([65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32]),
    st.sampled_from([-(1 << 31), -(1 << 31) - 1, 1 << 63, 1 << 64, -(1 << 70)]),
)
_JUNK = st.one_of(
    st.none(), _NUMBERS, st.text(max_size=6), st.binary(max_size=20), st.just(1.5), st.just(())
)
_V4 = st.integers(0, (1 << 32) - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
_V6 = st.integers(0, (1 << 128) - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
_TEXT = st.one_of(
    _V4,
    _V6,
    st.text("0123456789.", max_size=16),
    st.text("0123456789abcdefx:.%", max_size=40),
    st.lists(st.sampled_from(["0", "1", "ffff", "10000", "", "1.2.3.4", "g"]), max_size=9).map(
        ":".join
    ),
    st.lists(st.sampled_from(["0", "1", "255", "256", "0x7f", "010", "", " 1"]), max_size=5).map(
        ".".join
    ),
    st.sampled_from(["", "<broadcast>", "::ffff:1.2.3.4", "::", "::1", "127.1", "x..y", "[::1]"]),
    st.sampled_from(["a" * 64, "1\0", "fe80::1%1", "1.2.3.4 ", "\ud800.", "é..", "::1%"]),
)
_HOSTS = _TEXT.filter(numeric)
_PORTS = st.one_of(st.integers(1024, 65535), st.sampled_from([0, -1, 65536, 1 << 40]), _JUNK)
_PATHS = st.one_of(
    st.text("abé\0", max_size=8),
    st.integers(100, 115).map(lambda n: "p" * n),
    st.binary(max_size=6),
    st.integers(100, 115).map(lambda n: b"\0" + b"q" * n),
)
_FAMILIES = st.sampled_from([0, 1, 2, 10, 17, 0xFFFF])
_PACKED = st.one_of(
    st.binary(max_size=130),
    st.builds(lambda f, rest: struct.pack("H", f) + rest, _FAMILIES, st.binary(max_size=120)),
    st.builds(
        lambda f, n, fill: (struct.pack("H", f) + bytes([fill]) * 130)[:n],
        _FAMILIES,
        st.sampled_from([1, 2, 3, 8, 15, 16, 17, 24, 27, 28, 29, 109, 110, 111, 128]),
        st.integers(0, 255),
    ),
)
_TUPLES = st.one_of(
    st.tuples(_HOSTS, _PORTS),
    st.tuples(_HOSTS, _PORTS, _NUMBERS),
    st.tuples(_HOSTS, _PORTS, _NUMBERS, _NUMBERS),
    st.tuples(_HOSTS, st.integers(1024, 65535), st.just(0), st.integers(0, 3)),
    st.tuples(_JUNK.filter(lambda x: not isinstance(x, (str, bytes))), _PORTS),
    st.lists(_JUNK, max_size=1).map(tuple),
    st.tuples(_HOSTS, _PORTS, _JUNK, _JUNK, _JUNK),
)
_ADDRESSES = st.one_of(_TUPLES, _TUPLES, _PATHS, _PACKED, _JUNK, st.just(["::1", 9]))
# Nothing leaves this machine: what is sent goes to these.
_NEAR = st.one_of(
    st.tuples(st.sampled_from(["127.0.0.1", "::1", "", "x..y", "127.1", b"::1", None]), _PORTS),
    _PATHS,
    st.lists(_JUNK, max_size=1).map(tuple),
)
_OPTION_VALUES = st.one_of(_JUNK, st.binary(max_size=40), st.binary(max_size=40).map(bytearray))
_LEVELS = st.one_of(st.sampled_from([0, 1, 6, 17, 41, 255]), _NUMBERS)
_OPTIONS = st.one_of(st.integers(0, 80), _NUMBERS)


def _case(name, *args):
    return st.tuples(st.just(name), *args)


def _on(call, *args, kinds=tuple(KINDS)):
    return st.tuples(st.just("on_socket"), st.sampled_from(kinds), st.just(call), *args)


_ADDRESS_CASES = st.one_of(
    _on("bind", _ADDRESSES),
    # Not TCP, which would knock at doors.
    _on("connect", _ADDRESSES, kinds=("udp4", "udp6", "unixd", "unix")),
    _on("sendto", st.just(b"x"), st.just(0), _NEAR, kinds=("udp4", "udp6", "unixd")),
    _case("getnameinfo", st.one_of(_TUPLES, _PACKED, _JUNK), st.just(1 | 2)),
)
_OPTION_CASES = st.one_of(
    _on("setsockopt", _LEVELS, _OPTIONS, _OPTION_VALUES),
    _on("setsockopt", st.just(1), st.sampled_from([13, 20, 21]), _OPTION_VALUES),
    _on("getsockopt", _LEVELS, _OPTIONS, st.one_of(st.integers(-1, 70), _NUMBERS)),
    _on("getsockopt", _LEVELS, _OPTIONS),
    _on("getsockopt", _JUNK, _JUNK, _JUNK),
)
_TEXT_CASES = st.one_of(
    _case("inet_pton", st.sampled_from([2, 10, 10, 0, 99]), st.one_of(_TEXT, _TEXT, _JUNK)),
    _case("inet_ntop", st.sampled_from([2, 10, 0, 99]), st.binary(max_size=20)),
    _case("inet_ntop", st.just(10), st.binary(min_size=16, max_size=16)),
    _case("inet_aton", st.one_of(_TEXT, _JUNK)),
    _case("inet_ntoa", st.binary(min_size=3, max_size=5)),
    st.tuples(st.sampled_from(["htons", "htonl", "ntohs", "ntohl"]), _NUMBERS),
)
_NAME_CASES = _case(
    "getaddrinfo",
    st.one_of(st.none(), _TEXT, _TEXT, st.binary(max_size=4), _JUNK),
    st.one_of(st.none(), st.integers(0, 65536), st.text("0123456789 -h", max_size=6), _JUNK),
    st.one_of(st.sampled_from([0, 2, 10, 1, 99]), _NUMBERS),
    st.one_of(st.sampled_from([0, 1, 2, 3]), _NUMBERS),
    st.one_of(st.sampled_from([0, 6, 17]), _NUMBERS),
    st.sampled_from([4, 5, 6, 4 | 8 | 16, 4 | 1024]),
)
_ITEMS = st.tuples(
    st.one_of(st.just(1), _NUMBERS),
    st.one_of(st.sampled_from([1, 2]), _NUMBERS),
    st.one_of(
        st.binary(max_size=20),
        # fds of the pair itself, and ones that are not open
        st.lists(st.sampled_from([0, 1, 0, 1, 2, -1, 9999]), max_size=3).map(
            lambda fds: struct.pack(f"{len(fds)}i", *fds)
        ),
    ),
)
_ANCILLARY_CASES = _case(
    "ancillary",
    st.one_of(st.lists(_ITEMS, max_size=2), st.lists(_JUNK, max_size=2)),
    st.one_of(st.integers(0, 64), _NUMBERS),
    st.sampled_from([0, 0, int(socket.MSG_PEEK), int(socket.MSG_TRUNC)]),
)
_SOCKET_CASES = _case("socket", _NUMBERS, _NUMBERS, _NUMBERS)


def stays_here(case) -> bool:
    """False for a path that leads out of the folder."""
    addr = case[-1]
    return not (isinstance(addr, str) and "/" in addr or isinstance(addr, bytes) and b"/" in addr)


CASE = st.one_of(
    _ADDRESS_CASES,
    _ADDRESS_CASES,
    _OPTION_CASES,
    _TEXT_CASES,
    _NAME_CASES,
    _ANCILLARY_CASES,
    _SOCKET_CASES,
).filter(stays_here)


# -- The same on plain CPython


def packed(case) -> bool:
    """True for an address that only the layer takes."""
    addr = case[-1] if case[0] == "on_socket" else case[1]
    if not isinstance(addr, (bytes, bytearray)):
        return False
    unix = case[0] == "on_socket" and KINDS[case[1]][0] == socket.AF_UNIX
    return not unix or bytes(addr[:2]) == struct.pack("H", socket.AF_UNIX)


def plain(case) -> str | None:
    """What plain CPython gives, or "refused"; None where it has no such call, or other rules."""
    name, *args = case
    if name != "getaddrinfo":
        args = [zoned(arg) for arg in args]
    if name in ("getaddrinfo", "getnameinfo") and far_port(args) or cut(args):
        return None
    if name == "on_socket":
        kind, call, *args = args
        if call in ("bind", "connect", "sendto") and (packed(case) or numbered(args)):
            return None
        if call == "setsockopt" and (not plain_option(*args[:2]) or not plain_value(args[2])):
            return None
        if call == "getsockopt" and (not plain_option(*args[:2]) or len(args) > 2):
            return None
        with socket.socket(*KINDS[kind]) as s:
            return tried(getattr(s, call), *args)
    if name == "getnameinfo" and not packed(case):
        return tried(socket.getnameinfo, *args)
    if name == "getaddrinfo" and args[0] != "[::1]":
        return tried(plain_getaddrinfo, *args)
    if name == "inet_aton" and isinstance(args[0], str) and " " in args[0]:
        return None
    if name.startswith(("inet_", "hto", "nto")):
        return tried(getattr(socket, name), *args)
    return None


def zoned(addr):
    """An address whose host has a zone, with that as its scope too."""
    if not isinstance(addr, tuple) or len(addr) not in (2, 3) and (len(addr) != 4 or addr[3]):
        return addr
    if not isinstance(addr[0], (str, bytes)) or "%" not in str(addr[0]):
        return addr
    try:
        found = socket.getaddrinfo(addr[0], None, socket.AF_INET6, 0, 0, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return addr
    return (*addr, 0)[:3] + found[0][4][3:]


def numbered(args) -> bool:
    hosts = [arg[0] for arg in args if isinstance(arg, tuple) and arg]
    return any(isinstance(host, int) and host in (0, 0x7F000001, 0xFFFFFFFF) for host in hosts)


def far_port(args) -> bool:
    port = args[0][1:2] if isinstance(args[0], tuple) else args[1:2]
    return any(isinstance(n, int) and not 0 <= n <= 65535 for n in port)


def cut(args) -> bool:
    """Whether CPython would cut the flowinfo or scope_id of an address to 32 bits."""
    parts = [part for arg in args if isinstance(arg, tuple) for part in arg[2:]]
    return any(isinstance(n, int) and not 0 <= n < 1 << 32 for n in parts)


def tried(call, *args) -> str:
    try:
        return f"gave {call(*args)!r}"
    except (OSError, TypeError, ValueError, OverflowError, DeprecationWarning):
        return "refused"  # Python 3.9 warns of a number that does not fit


def plain_getaddrinfo(*args):
    return [(int(family), int(type), *rest) for family, type, *rest in socket.getaddrinfo(*args)]


def plain_option(level, option) -> bool:
    if not isinstance(level, int) or not isinstance(option, int):
        return True
    # The layer's own, and numbers that CPython does not hand to the kernel.
    return (level, option) not in ((1, 20), (1, 21)) and all(
        -(1 << 31) <= n < 1 << 31 for n in (level, option)
    )


def plain_value(value) -> bool:
    # None has a third meaning in CPython: an option without a value, of a given length.
    return not isinstance(value, int) or -(1 << 31) <= value < 1 << 31


@contextlib.contextmanager
def folder(path):
    """A new one for AF_UNIX: all paths are relative."""
    before = os.getcwd()
    path.mkdir()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
        shutil.rmtree(path)


@SETTINGS
@example(case=("getnameinfo", ("::%1", 1024), 3))
@example(case=("getnameinfo", ("fe80::1%1", 1024, 0, 2), 3))
@given(case=CASE)
def test_on_cpython(case, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    with folder(base / "fuzz-layer"):
        mine = fuzz_run.run(case)
    with folder(base / "fuzz-plain"):
        theirs = plain(case)
    assert theirs is None or mine == theirs or refused(mine) and refused(theirs)


def cases():
    """The same cases each time."""
    found = []

    @settings(SETTINGS, max_examples=CASES, phases=[Phase.generate], derandomize=True)
    @given(case=CASE)
    def collect(case):
        found.append(case)

    collect()
    return found


@pytest.fixture(scope="module")
def interpreter():
    from usocket_tools.builds import interpreters

    return interpreters.find("newest").path


def test_on_micropython(interpreter, tmp_path):
    found = cases()
    (tmp_path / "cases").write_text("".join(f"{case!r}\n" for case in found))
    with folder(tmp_path / "cpython"):
        expected = [fuzz_run.run(case) for case in found]
    with folder(tmp_path / "micropython"):
        done = subprocess.run(
            [interpreter, fuzz_run.__file__, tmp_path / "cases"],
            env={**os.environ, "MICROPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=100,
        )
    lines = done.stdout.splitlines()
    at = found[len(lines)] if len(lines) < len(found) else ""
    assert (done.returncode, done.stderr) == (0, ""), f"{at}"
    differ = [
        (case, line, text)
        for case, line, text in zip(found, lines, expected)
        if not (line == text or refused(line) and refused(text) or varies(case))
    ]
    assert differ == []


def refused(text: str) -> bool:
    return not text.startswith("gave")


def varies(case) -> bool:
    """TCP's clock, and what the kernel leaves in a buffer."""
    return case[0] == "on_socket" and case[2] == "getsockopt"
