# SPDX-License-Identifier: MIT
"""MicroPython's own socket tests, unchanged, on the virtual board and its plain socket module.

And on boards and unix with the drop-in modules in its place.

Right is the .exp file beside a test, or else what CPython prints for it, as in MicroPython's
run-tests.py. Its multi_net tests, which have two sides, are run in two_sided/.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable, NamedTuple

import placed
import pytest

for part in ("libs", "peers"):
    sys.path.append(str(placed.ROOT / "tests" / part))

import libraries  # noqa: E402
import peers as programs  # noqa: E402

from usocket_tools.boards import filesystem, identity  # noqa: E402
from usocket_tools.boards.device import Device, Execution  # noqa: E402
from usocket_tools.builds import building, interpreters  # noqa: E402
from usocket_tools.files import cache_dir  # noqa: E402
from usocket_tools.layer import compiling  # noqa: E402
from usocket_tools.vboard.board import Board  # noqa: E402

SECONDS = 20
PATTERNS = (
    *("extmod/socket_*.py", "extmod/select_*.py", "net_hosted/*.py"),
    *("extmod/ssl_*.py", "extmod/tls_*.py"),
)
# Of these, those that have to do with sockets.
ASYNCIO = "extmod/asyncio_*.py"
OF_SOCKETS = re.compile(r"\b(socket|start_server|open_connection)\(")
ALONE = """
extmod/select_ipoll extmod/select_poll_basic extmod/select_poll_custom extmod/select_poll_eintr
extmod/select_poll_udp extmod/socket_tcp_basic extmod/socket_udp_nonblock
net_hosted/accept_nonblock net_hosted/accept_timeout net_hosted/asyncio_loopback
net_hosted/asyncio_start_server
extmod/ssl_basic extmod/ssl_cadata extmod/ssl_keycert extmod/ssl_keycert_pkcs8
extmod/ssl_sslcontext extmod/ssl_sslcontext_verify_mode extmod/ssl_sslcontext_verify_mode2
extmod/tls_dtls extmod/tls_sslcontext_ciphers extmod/tls_sslcontext_micropython
""".split()
# They bring a verdict of their own. The first became the second.
UNITTESTS = {
    "oldest": {"extmod/ssl_noleak"},
    "newest": {"extmod/tls_noleak", "extmod/tls_threads"},
}
# Run as programs these go to the internet; imported they offer test(address, ...).
WITH_PEER = {
    "net_hosted/connect_nonblock": "test({answers})",
    "net_hosted/connect_poll": "test({answers})",
    "net_hosted/ssl_getpeercert": "test({tls})",
    "net_hosted/ssl_verify_callback": "test({tls})",
    # Its peers that answer have to be far away.
    "net_hosted/connect_nonblock_xfer": (
        "for tls in (False, True): do_test(Case(), {silent}, tls, False)"
    ),
    "net_hosted/connect_timeout": (
        "test({silent}, 0, (errno.EINPROGRESS,));"
        " test({silent}, 1, (errno.ETIMEDOUT, 'timed out'))"
    ),
}
# What it needs of unittest; the package index has an older one.
CASE = """
class Case:
    exception = None
    def fail(self):
        raise AssertionError
    def assertEqual(self, a, b):
        assert a == b, (a, b)
    def assertIsNone(self, a):
        assert a is None, a
    def assertRaises(self, kind):
        self.kind = kind
        return self
    def __enter__(self):
        return self
    def __exit__(self, kind, exception, traceback):
        self.exception = exception
        return issubclass(kind, self.kind)
"""
LEFT_OUT = {
    "extmod/select_poll_fd": "polls file descriptors by number, which only the unix port can;"
    " of the drop-in's poll a number is an fd of the layer",
    "extmod/ssl_ioctl": "calls a socket's ioctl, a method of the coverage build alone",
    "extmod/ssl_poll": "calls a socket's ioctl, a method of the coverage build alone",
}
# Where they run: the version of MicroPython, or the variant of the board, and the modules.
PLACES = (
    "vboard newest native",
    "vboard oldest native",
    "vboard newest dropin",
    "vboard oldest dropin",
    "vboard 32bit dropin",
    "unix newest dropin",
    "unix oldest dropin",
)


@pytest.fixture(scope="module", params=PLACES)
def place(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def version(place) -> str:
    version = place.split()[1]
    return "newest" if version == "32bit" else version


@pytest.fixture(scope="module")
def folder(version) -> Path:
    """tests/ of the source that the board is built from, unpacked once into the cache."""
    source = interpreters.source(version)
    if source.where is not None and source.where.is_dir():
        return source.where / "tests"
    identity = repr(building.identity(source, ("tests",)))
    name = f"{source.version}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    kept = cache_dir() / "micropython-tests" / name

    def unpack(work: Path, done: Path) -> None:
        tests = interpreters.tree(source, work / "src") / "tests"
        for part in ("extmod", "net_hosted"):
            shutil.copytree(tests / part, done / part)

    building.kept(kept, unpack)
    return kept


UP = 'ip link set lo up && exec "$0" "$@"'
OWN_NETWORK = ("unshare", "--map-root-user", "--net", "sh", "-c", UP)


class Place(NamedTuple):
    host: str  # this machine, as it is known there
    run: Callable[[str], str]  # what a program prints there
    alone: Callable[[str], str]  # the same, where all ports are free


@pytest.fixture(scope="module")
def there(place, version) -> Iterator[Place]:
    where, which, modules = place.split()
    if where == "unix":
        run = functools.partial(on_unix, version)
        yield Place("127.0.0.1", run, functools.partial(run, prefix=OWN_NETWORK))
        return
    options = {"variant": "32bit"} if which == "32bit" else {"micropython": version}
    with Board(**options) as board:
        if modules == "dropin":
            placed.on_board(board.device)
        with Device(board.device) as device:
            device.fresh()
            compiler = compiling.Compiler(identity.ask(device))
            content = compiler.compile(unittest_module(), "unittest.py")
            filesystem.write(device, f"/lib/unittest{compiler.suffix}", content)
        run = functools.partial(on_board, board)
        yield Place(Board.host, run, run)


def unittest_module() -> Path:
    return libraries.modules("micropython-unittest")["unittest"]


def on_unix(version: str, program: str, prefix: Sequence[str] = ()) -> str:
    environment = placed.unix_environment()
    environment["MICROPYPATH"] += f":{unittest_module().parent}"
    done = subprocess.run(
        [*prefix, placed.unix(version), "-c", program],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return done.stdout


def on_board(board: Board, program: str) -> str:
    with Device(board.device) as device:
        device.fresh()
        execution = Execution(device, program)
        output = b""
        while not execution.done:
            data = execution.read(SECONDS)
            output += data
            if not data and not execution.done:
                output += b"\nhung: " + execution.interrupt()
                break
    return output.decode().replace("\r\n", "\n") + execution.error


def on_host(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        timeout=SECONDS,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("name", ALONE)
def test_alone(there, folder, name):
    file = folder / f"{name}.py"
    program = file.read_text()
    written = Path(f"{file}.exp")
    expected = written.read_text() if written.exists() else on_host(program, file.parent)
    assert expected not in ("", "SKIP\n")
    assert there.alone(program) == expected


@pytest.mark.parametrize("name", sorted({name for names in UNITTESTS.values() for name in names}))
def test_with_its_own_verdict(there, folder, version, name):
    file = folder / f"{name}.py"
    if name not in UNITTESTS[version]:
        assert not file.exists()
        return
    *_, ran, empty, verdict = there.alone(file.read_text()).splitlines()
    assert re.fullmatch(r"Ran [1-9]\d* tests?", ran)
    assert (empty, verdict) == ("", "OK")


@contextlib.contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """One with a chain of two certificates, which nobody who asks for more than a chain trusts."""
    port = programs.free_port()
    for name, *issuer in (("ca",), ("server", "-CA", "ca.pem", "-CAkey", "ca.key")):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        names = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run([*command, *names, *issuer], cwd=folder, check=True, capture_output=True)
    argv = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-www"]
    files = ["-cert", "server.pem", "-key", "server.key", "-cert_chain", "ca.pem"]
    argv += [str(folder / word) if "." in word else word for word in files]
    with programs.running(argv, folder / "log") as process:
        programs.wait_for_port(port, process, folder / "log")
        yield port


@pytest.fixture(scope="module")
def peers(tmp_path_factory) -> Iterator[dict[str, int]]:
    """Ports of this machine: one that answers, one whose queue is full, one with TLS."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(2)]
        for listener, backlog in zip(listeners, (20, 0)):
            listener.bind(("127.0.0.1", 0))
            listener.listen(backlog)
        ports = [listener.getsockname()[1] for listener in listeners]
        # Linux drops every further SYN when the queue is full.
        with pytest.raises(socket.timeout):
            for _ in range(10):
                client = stack.enter_context(socket.socket())
                client.settimeout(0.5)
                client.connect(("127.0.0.1", ports[1]))
        ports.append(stack.enter_context(tls_server(tmp_path_factory.mktemp("tls"))))
        yield dict(zip(("answers", "silent", "tls"), ports))


@pytest.mark.parametrize("name", WITH_PEER)
def test_with_peer(there, place, folder, peers, name):
    file = folder / f"{name}.py"

    def imported(host: str) -> str:
        addresses = {peer: repr((host, port)) for peer, port in peers.items()}
        call = WITH_PEER[name].format(**addresses)
        return f"__name__ = {file.stem!r}\n{file.read_text()}\n{call}\n"

    written = Path(f"{file}.exp")
    if name == "net_hosted/ssl_getpeercert" and place.startswith("unix"):
        # The unix port's mbedTLS does not keep the certificate.
        expected = "SKIP\n"
        assert there.run(imported(there.host)).startswith(expected)
        return
    if written.exists():
        expected = written.read_text()
    elif name == "net_hosted/connect_nonblock_xfer":
        # It compares by itself, and prints what that was.
        said = there.run(CASE + imported(there.host) + "print('True')\n")
        assert said.endswith("\nTrue\n") and said.count("read: None") == 2, said
        return
    else:
        expected = on_host(imported("127.0.0.1"), file.parent)
    assert "True" in expected or "1 4" in expected
    assert there.run(imported(there.host)) == expected


def test_none_is_forgotten(folder, version):
    found = {
        file.relative_to(folder).with_suffix("").as_posix()
        for pattern in PATTERNS
        for file in folder.glob(pattern)
    }
    assert found == {*ALONE, *WITH_PEER, *LEFT_OUT, *UNITTESTS[version]}
    # net_hosted has all that asyncio does with sockets.
    asyncio = [file for file in folder.glob(ASYNCIO) if OF_SOCKETS.search(file.read_text())]
    assert asyncio == []


def test_left_out_for_a_reason(there, place, folder):
    """What a test needs and the board lacks; when it has it, the test is to be run."""
    for name, reason in LEFT_OUT.items():
        said = there.run((folder / f"{name}.py").read_text())
        if "coverage" in reason:
            assert said == "SKIP\n" or "no attribute 'ioctl'" in said
        elif place.endswith("dropin"):
            assert "[(1, 32)]" in said  # POLLNVAL: the layer has no such fd
        else:
            assert said == "SKIP\n"
