# SPDX-License-Identifier: MIT
"""The layer on the ESP32's socket module, over a network to real peers on this machine."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import http.client
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from targets import ROOT

from usocket_tools.boards import filesystem
from usocket_tools.boards.device import Device
from usocket_tools.programs import remote
from usocket_tools.suite.started import BoardProgram
from usocket_tools.vboard.board import Board

PROGRAMS = Path(__file__).parent / "esp32"
ECHO = PROGRAMS / "echo_limit.py"
SECONDS = 20
# lwIP's, as ESP-IDF sets it: CONFIG_LWIP_MAX_SOCKETS.
SOCKETS = 10
# MEMP_NUM_TCP_PCB: connections, those included that are waiting or over.
TCP_PCBS = 12


@contextlib.contextmanager
def started(board: Board, program: Path, *args: object) -> Iterator[Program]:
    """A program of the board; it ends with the block."""
    device = Device(board.device)
    device.fresh()
    execution = remote.start(device, program, remote.Options(program.name, [*map(str, args)]))
    running = Program(device, execution, lambda: board.control("reset"))
    try:
        yield running
    finally:
        running.stop()


class Program(BoardProgram):
    def expect(self, start: str, seconds: float = SECONDS) -> str:
        """The next line, which begins so; the rest of it."""
        line = self.line(seconds)
        assert line is not None, "it ended: " + "\n".join([*self.rest(1), self.end()])
        if not line.startswith(start):
            raise AssertionError("\n".join([line, *self.rest(1)]))
        return line[len(start) :].strip()

    def end_of_it(self) -> str:
        """Wait for the end; what was wrong with it, or ""."""
        return "\n".join([*self.rest(SECONDS), self.end()])

    def ctrl_c(self) -> tuple[float, str]:
        """Ctrl-C; how long it takes until the program has ended, and the error that ended it."""
        begin = time.monotonic()
        self._text += self._execution.interrupt(SECONDS)
        took = time.monotonic() - begin
        return took, remote.traceback(self._execution)

    def say(self, line: str) -> None:
        self._execution.write(line.encode() + b"\r")


def connected(port: int) -> socket.socket:
    s = socket.create_connection(("127.0.0.1", port), SECONDS)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def echoes(s: socket.socket, data: bytes) -> bool:
    s.sendall(data)
    got = b""
    while len(got) < len(data):
        piece = s.recv(len(data))
        if not piece:
            break
        got += piece
    return got == data


# -- as many clients as there are sockets -----------------------------------------------------

CONNECTIONS = 5000


def state(program: Program) -> tuple[int, int, int, int]:
    """How many were served, how many are there, lwIP's free sockets, the heap in use."""
    program.say("state")
    while True:
        line = program.line(SECONDS)
        assert line is not None, program.end()
        if line.startswith("state "):
            served, clients, free, alloc = map(int, line.split()[1:])
            return served, clients, free, alloc


def wait_until_alone(program: Program) -> tuple[int, int, int, int]:
    """The state when the last client has left."""
    deadline = time.monotonic() + SECONDS
    while (now := state(program))[1]:
        assert time.monotonic() < deadline, now
    return now


def test_as_many_clients_as_sockets(board: Board) -> None:
    port = board.forward("0:7")
    with started(board, ECHO, 7) as program:
        program.expect("serving")
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connected(port)) for _ in range(SOCKETS - 1)]
            for number, client in enumerate(clients):
                assert echoes(client, b"client %d" % number)
            # The layer's table has lwIP's size: it is full before lwIP would accept and then drop
            # the connection. So the next one waits in the backlog, with what it has sent.
            late = stack.enter_context(connected(port))
            late.sendall(b"late")
            program.expect("full")
            late.settimeout(0.5)
            with pytest.raises(socket.timeout):
                late.recv(4)
            for client in clients:
                assert echoes(client, b"still here")
            assert state(program)[1:3] == (SOCKETS - 1, 0)
            clients[3].close()
            late.settimeout(SECONDS)
            assert late.recv(4) == b"late"
            assert echoes(late, b"and on")
            assert state(program)[:3] == (SOCKETS, SOCKETS - 1, 0)
        wait_until_alone(program)
        program.say("end")
        assert program.expect("ended").split() == [str(SOCKETS), "10"]


def serve(port: int, count: int) -> None:
    for number in range(count):
        with connected(port) as client:
            assert echoes(client, b"%d" % number)


def at_rest(program: Program, port: int) -> tuple[int, int, int]:
    """The state without clients: how many were served, lwIP's free sockets, the heap in use."""
    heaps = []
    for _ in range(3):
        # After `state` itself the stack still holds what it used; a connection overwrites that.
        serve(port, 1)
        now = wait_until_alone(program)
        heaps.append(now[3])
    return now[0], now[2], min(heaps)


def test_thousands_of_connections() -> None:
    """Each gives back all that it took, of lwIP's sockets and of the heap."""
    # A board of its own: so many clients come to ports that lwIP still has in TIME_WAIT from
    # another test, and there it does not let them in again as Linux does.
    with Board(forward=["0:7"]) as board, started(board, ECHO, 7) as program:
        (port,) = board.host_ports()
        program.expect("serving")
        serve(port, 20)
        served, free, heap = at_rest(program, port)
        assert free == SOCKETS - 1
        begin = time.monotonic()
        serve(port, CONNECTIONS)
        print(f"{CONNECTIONS} connections in {time.monotonic() - begin:.1f} s")
        after = at_rest(program, port)
        assert after[:2] == (served + CONNECTIONS + 3, free)
        print(f"heap in use: {heap} bytes, then {after[2]}")
        # Less of it is what something had held by chance the first time.
        assert after[2] - heap <= 64


# -- peers over the network -------------------------------------------------------------------

FAR = PROGRAMS / "far.py"
NETWORKS: dict[str, dict[str, str]] = {
    "good": {},
    "bad": {"loss": "3%", "delay": "20ms", "seed": "1"},
}


class Network:
    """A board, the packets on its line, and peers for it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.bad = kind == "bad"
        self.trace = folder / "trace.pcap"
        self.faults = " ".join(f"{k}={v}" for k, v in NETWORKS[kind].items()) or "off"
        self.board = Board(trace=self.trace, **NETWORKS[kind])

    @contextlib.contextmanager
    def reliable(self) -> Iterator[None]:
        self.board.control("faults off")
        try:
            yield
        finally:
            self.board.control(f"faults {self.faults}")

    def far(self, *args: object) -> contextlib.AbstractContextManager[Program]:
        return started(self.board, FAR, *args)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, tmp_path_factory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("network"), request.param)
    with network.board:
        yield network


@pytest.fixture
def port(listener: socket.socket) -> int:
    return port_of(listener)


def port_of(s: socket.socket) -> int:
    return s.getsockname()[1]


def accepted(listener: socket.socket) -> socket.socket:
    peer = listener.accept()[0]
    peer.settimeout(SECONDS)
    return peer


def rest(peer: socket.socket) -> bytes:
    data = b""
    while more := peer.recv(65536):
        data += more
    return data


def abort(peer: socket.socket) -> None:
    """Close with a reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_many_clients_at_once(network: Network) -> None:
    """More than lwIP has room for in a listener's queue: none is reset, as on Linux."""
    own = 8126
    port = network.board.forward(f"0:{own}")
    count = SOCKETS - 1
    with network.far("accept_late", own, count) as far, contextlib.ExitStack() as stack:
        far.expect("listening")
        clients = [stack.enter_context(connected(port)) for _ in range(count)]
        for number, client in enumerate(clients):
            client.settimeout(60)
            client.sendall(b"%d" % number)
        time.sleep(0.5)  # for the handshakes; what comes later finds the queue as full
        far.say("")
        for number, client in enumerate(clients):
            assert client.recv(10) == b"%d" % number
        assert far.end_of_it().endswith("0 left\n")


def test_refused(network: Network, port: int) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with network.far("refused", port_of(closed), port) as far:
            assert far.rest(SECONDS) == [
                "ECONNREFUSED",
                "EPIPE",
                "None",
                "EINPROGRESS",
                "True",
                "['ECONNREFUSED'] 0",
            ]
            assert far.end() == ""


def test_reset_after_data(network: Network, listener: socket.socket, port: int) -> None:
    """Linux: the data, the error once, then the end of the stream; a send says EPIPE.

    Nothing repeats a reset that is lost, and libslirp makes a FIN of one that comes together with
    data: so each is sent on its own, over a good network.
    """
    with network.far("reset", port) as far:
        with accepted(listener) as peer:
            peer.sendall(b"last words")
            assert far.expect("there") == "['POLLIN']"
            with network.reliable():
                abort(peer)
                far.say("")
                far.expect("")  # its echo
                assert far.expect("") == "b'last' b' words'"
        assert far.expect("") == "['ECONNRESET', b'', b''] EPIPE"
        with accepted(listener) as peer:
            peer.sendall(b"and again")
            assert far.expect("") == "b'and again'"
            with network.reliable():
                abort(peer)
                assert far.expect("") == "['ECONNRESET', b'', b'']"
        assert far.end_of_it() == ""


def test_reset_before_it_looked(network: Network, listener: socket.socket, port: int) -> None:
    """Linux: not a failed connect; no byte is lost, and the reset is told."""
    with network.reliable(), network.far("reset_before_it_looked", port) as far:
        for expected in ("['ECONNRESET'] [b'hello', b'', b'']", "[b'hello', 'ECONNRESET', b'']"):
            assert far.expect("") == "EINPROGRESS"
            with accepted(listener) as peer:
                peer.sendall(b"hello")
                time.sleep(0.2)  # or libslirp makes a FIN of the reset
                abort(peer)
            time.sleep(0.2)
            far.say("")
            far.expect("")  # its echo
            assert far.expect("") == expected
        assert far.end_of_it() == ""


def test_connect_while_polled(network: Network, listener: socket.socket, port: int) -> None:
    """By another thread, from a server that speaks first."""
    with network.far("connect_while_polled", port) as far, contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(accepted(listener)).sendall(b"220 hello")
        assert far.expect("") == "[None, None, None, None, None]"
        assert far.end_of_it() == ""


def test_reset_in_the_queue(network: Network) -> None:
    """A client that was reset before accept does not end the accept loop."""
    own = 8127
    port = network.board.forward(f"0:{own}")
    with network.reliable(), network.far("reset_in_the_queue", own) as far:
        far.expect("listening")
        for _ in range(2):
            gone = connected(port)
            time.sleep(0.2)
            abort(gone)
        with connected(port) as client:
            client.sendall(b"served")
            time.sleep(0.2)
            far.say("")
            far.expect("")
            assert far.expect("") == "b'served' 0"
        assert far.end_of_it() == ""


def test_little_memory(network: Network, listener: socket.socket, port: int) -> None:
    """Without room for all that waits there is no MemoryError, and nothing is lost."""
    data = random.Random(2).randbytes(40000)
    with network.reliable(), network.far("little_memory", port, len(data)) as far:
        with accepted(listener) as peer:
            peer.sendall(data)
            time.sleep(0.2)
            far.say("")
            far.expect("")
            assert far.expect("") == "True"
            assert far.expect("") == hashlib.sha256(data).hexdigest()
        assert far.end_of_it() == ""


def test_half_close(network: Network, listener: socket.socket, port: int) -> None:
    count = 2000
    with network.far("half_close", port, count) as far:
        with accepted(listener) as peer:
            peer.sendall(b"question")
            peer.shutdown(socket.SHUT_WR)
            assert far.expect("") == "b'question' b'' 0"
            assert far.expect("") == "['POLLIN', 'POLLOUT']"
            assert rest(peer) == b"".join(b"%6d" % i for i in range(count))
        assert far.end_of_it() == ""


def in_time(line: str, *names: str) -> None:
    """One of these errors, when the time was over: 100 ms late at most on this busy machine."""
    name, late = line.split()[:2]
    assert name in names, line
    assert -2 <= int(late) <= 100, line


def test_black_hole(network: Network, listener: socket.socket, port: int) -> None:
    """Every packet is lost; connect says EINPROGRESS when SO_SNDTIMEO is over (socket(7))."""
    with network.far("black_hole", port) as far:
        with accepted(listener):
            far.expect("ready")
            network.board.control("faults loss=100%")
            try:
                far.say("")
                far.expect("")
                for _ in range(3):
                    in_time(far.expect(""), "EINPROGRESS")
                in_time(far.expect(""), "EAGAIN")
                line = far.expect("")
                in_time(line, "EAGAIN")
                assert line.endswith("True"), line
            finally:
                network.board.control(f"faults {network.faults}")
        assert far.end_of_it() == ""


def test_nobody_has_the_address(network: Network) -> None:
    with network.far("nobody") as far:
        in_time(far.expect(""), "EINPROGRESS")
        assert far.end_of_it() == ""


def test_link_down(network: Network, listener: socket.socket, port: int) -> None:
    with network.far("link_down", port) as far:
        far.expect("ready")
        network.board.control("link down")
        try:
            far.say("")
            far.expect("")
            name, late = far.expect("").split()
            assert name in ("EHOSTUNREACH", "ENETUNREACH", "EINPROGRESS")
            assert int(late) <= 100
            far.expect("ready")
        finally:
            network.board.control("link up")
        far.say("")
        with accepted(listener) as peer:
            assert rest(peer) == b"back"


def sources(trace: Path, proto: int, host: str, port: int) -> set[tuple[str, int]]:
    """From which addresses the board sent IPv4 packets there, as recorded."""
    found = set()
    data = trace.read_bytes()
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16 : at + 16 + size]
        at += 16 + size
        if frame[12:14] == b"\x08\x00" and frame[23] == proto:
            packet = frame[14:]
            ports = struct.unpack_from(">HH", packet, (packet[0] & 15) * 4)
            if (socket.inet_ntoa(packet[16:20]), ports[1]) == (host, port):
                found.add((socket.inet_ntoa(packet[12:16]), ports[0]))
    return found


def seen(trace: Path, proto: int, host: str, port: int) -> set[tuple[str, int]]:
    """The same, once there is one: what the program prints may overtake its packets."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not sources(trace, proto, host, port):
        time.sleep(0.02)
    return sources(trace, proto, host, port)


def test_names(network: Network, listener: socket.socket, port: int) -> None:
    """What getsockname says is what is on the line; the host sees it behind libslirp's NAT."""
    own = 8123
    forwarded = network.board.forward(f"0:{own}")
    there = (network.board.host, port)
    with network.far("names", port, own) as far:
        with accepted(listener):
            tcp = ast.literal_eval(far.expect(""))
            assert ast.literal_eval(far.expect("")) == there
        udp = ast.literal_eval(far.expect(""))
        assert ast.literal_eval(far.expect("")) == there
        far.expect("listening")
        assert seen(network.trace, socket.IPPROTO_TCP, *there) == {tcp}
        assert seen(network.trace, socket.IPPROTO_UDP, *there) == {udp}
        assert tcp[0] == udp[0] == network.board.address
        with connected(forwarded):
            assert ast.literal_eval(far.expect("")) == (network.board.address, own)
            client = ast.literal_eval(far.expect(""))
            assert client[0] == network.board.host
            assert ast.literal_eval(far.expect("")) == client
        assert far.end_of_it() == ""


def test_udp_echo(network: Network) -> None:
    """Empty ones among them; over a bad network again and again until one comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(0.1)
        there = (network.board.host, port_of(peer))
        over = threading.Event()

        def echo() -> None:
            while not over.is_set():
                with contextlib.suppress(socket.timeout):
                    data, address = peer.recvfrom(2000)
                    peer.sendto(data, address)

        thread = threading.Thread(target=echo)
        thread.start()
        try:
            with network.far("udp_echo", port_of(peer), 20 if network.bad else 1) as far:
                lines = far.rest(SECONDS)
                assert far.end() == ""
        finally:
            over.set()
            thread.join()
    assert [line.split(" ", 2)[:2] for line in lines[:-1]] == [
        [str(size), "True"] for size in (0, 1, 0, 0, 100, 1472)
    ]
    assert {ast.literal_eval(line.split(" ", 2)[2]) for line in lines[:-1]} == {there}
    assert lines[-1] == "EAGAIN"


def test_empty_datagrams(network: Network) -> None:
    own = 8124
    forwarded = network.board.forward(f"udp:0:{own}")
    with network.far("empty_datagrams", own) as far:
        far.expect("bound")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect(("127.0.0.1", forwarded))
            empty = 0
            for data in (b"", b"", b"", b"end"):
                peer.settimeout(1 if network.bad else SECONDS)
                while True:
                    peer.send(data)
                    with contextlib.suppress(socket.timeout):
                        assert peer.recv(10) == b"", "an answer to each, as empty"
                        break
            lines = [far.expect("") for _ in range(4)]
            while lines[-1] == "0":
                lines.append(far.expect(""))
            empty = lines.count("0")
            assert lines[-1] == "3" and (empty >= 3 if network.bad else empty == 3)
        if not network.bad:
            assert far.expect("") == "EAGAIN"
            assert far.end_of_it() == ""


def test_both_ways_at_once(network: Network, listener: socket.socket, port: int) -> None:
    size = 200_000 if network.bad else 1_000_000
    pattern = (bytes(range(251)) * (size // 251 + 1))[:size]
    mine = random.Random(1).randbytes(size)
    with network.far("both_ways", port, size) as far:
        with accepted(listener) as peer:
            peer.settimeout(90)
            thread = threading.Thread(target=peer.sendall, args=(mine,))
            thread.start()
            begin = time.monotonic()
            found = read(peer, size)
            thread.join()
            print(f"{size} bytes each way in {time.monotonic() - begin:.1f} s")
            assert hashlib.sha256(found).digest() == hashlib.sha256(pattern).digest()
            assert far.expect("", 60) == f"{size} {hashlib.sha256(mine).hexdigest()}"
            assert peer.recv(1) == b""
        assert far.end_of_it() == ""


def read(peer: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := peer.recv(65536)):
        data += more
    return bytes(data)


# -- names and programs -----------------------------------------------------------------------


@contextlib.contextmanager
def dnsmasq(folder: Path) -> Iterator[int]:
    """A name server on this machine's loopback; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = port_of(free)
    names = folder / "names"
    names.write_text("192.0.2.4 four.test\n10.0.2.2 host.test\n2001:db8::6 six.test\n")
    log = folder / "dnsmasq.log"
    argv = [
        *(program("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--pid-file="),
        *(f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv"),
        *("--no-hosts", f"--addn-hosts={names}", "--local=/test/", "--user=root"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + SECONDS
        while b"started" not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"{name} is not installed: run `make setup`"
    return found


@pytest.mark.parametrize("kind", NETWORKS)
def test_lookup(kind: str, tmp_path: Path, listener: socket.socket, port: int) -> None:
    with dnsmasq(tmp_path) as server:
        with Board(dns=f"127.0.0.1:{server}", **NETWORKS[kind]) as board:
            names = ["four.test", "host.test", "FOUR.test", "nowhere.test", "192.0.2.9"]
            with started(board, FAR, "look", *names) as far:
                assert far.rest(SECONDS) == [
                    "[('192.0.2.4', 80)]",
                    "[('10.0.2.2', 80)]",
                    "[('192.0.2.4', 80)]",
                    "EAI_NONAME",
                    "[('192.0.2.9', 80)]",
                ]
                assert far.end() == ""
            with started(board, FAR, "by_name", "host.test", port) as far:
                with accepted(listener) as peer:
                    assert rest(peer) == b"by name"
                assert far.end_of_it() == ""


def test_lookup_by_a_silent_server(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with Board(dns=f"127.0.0.1:{port_of(silent)}") as board:
            with started(board, FAR, "look", "four.test", "192.0.2.9") as far:
                assert far.rest(SECONDS) == ["EAI_AGAIN", "[('192.0.2.9', 80)]"]
                assert far.end() == ""


def test_lookup_without_a_server(board: Board) -> None:
    """Numbers need none; resolv.conf(5) without one that answers is EAI_AGAIN."""
    with started(board, FAR, "look", "four.test", "192.0.2.9", "localhost") as far:
        assert far.rest(SECONDS) == ["EAI_AGAIN", "[('192.0.2.9', 80)]", "[('127.0.0.1', 80)]"]
        assert far.end() == ""


def curl(*args: object) -> subprocess.CompletedProcess[bytes]:
    argv = [program("curl"), "--silent", "--show-error", "--noproxy", "*", *map(str, args)]
    return subprocess.run(argv, capture_output=True, timeout=90)


def test_curl_fetches_files(network: Network, tmp_path: Path) -> None:
    """From examples/http_files.py: more clients than sockets, large files, a missing one."""
    files = {"small.bin": bytes(range(256)), "large.bin": random.Random(2).randbytes(50_000)}
    with Device(network.board.device) as device:
        device.fresh()
        for name, content in files.items():
            filesystem.write(device, f"/www/{name}", content)
    url = f"http://127.0.0.1:{network.board.forward('0:8125')}"
    with started(
        network.board, ROOT / "examples/http_files.py", 8125, "/www", "0.0.0.0"
    ) as server:
        server.expect("serving")
        for name, content in files.items():
            done = curl("--fail", f"{url}/{name}")
            assert (done.returncode, done.stderr) == (0, b"")
            assert done.stdout == content
        assert curl("--fail", f"{url}/none").returncode == 22
        # Those that find no socket wait in the backlog, as many as lwIP has connections for.
        outputs: list[object] = []
        count = 6 if network.bad else TCP_PCBS
        for number in range(count):
            outputs += ["--output", tmp_path / str(number), f"{url}/large.bin"]
        done = curl("--fail", "--parallel", "--parallel-immediate", "--http1.0", *outputs)
        assert done.returncode == 0, done.stderr
        for number in range(count):
            assert (tmp_path / str(number)).read_bytes() == files["large.bin"]
        done = curl("--fail", f"{url}/small.bin")
        assert done.stdout == files["small.bin"]


def test_idle_clients_make_room(board: Board) -> None:
    """More browsers than sockets, each of which keeps its connection (RFC 9112, 9.3.1)."""
    with Device(board.device) as device:
        device.fresh()
        filesystem.write(device, "/www/page", b"a page")
    port = board.forward("0:8126")
    with started(board, ROOT / "examples/http_files.py", 8126, "/www", "0.0.0.0") as server:
        server.expect("serving")
        with contextlib.ExitStack() as stack:
            # Those that made room and do not close their side still take up one of lwIP's.
            for number in range(TCP_PCBS):
                browser = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
                stack.callback(browser.close)
                for _ in range(2):
                    browser.request("GET", "/page")
                    assert browser.getresponse().read() == b"a page", number


# -- Ctrl-C -----------------------------------------------------------------------------------

BLOCKING = """
recv recv_into recv_waitall recv_with_a_timeout recvfrom send accept connect poll
poll_with_a_timeout select sleep
""".split()
AT_ONCE = 0.3


@pytest.mark.parametrize("call", BLOCKING)
def test_ctrl_c(board: Board, listener: socket.socket, port: int, call: str) -> None:
    with started(board, FAR, "block", call, port) as far:
        far.expect("ready")
        # Nothing says that the call waits now; it has nothing else to do.
        assert far.rest(0.5) == []
        took, error = far.ctrl_c()
        assert "KeyboardInterrupt" in error
        assert took < AT_ONCE, f"{took:.3f} s"


# -- one program everywhere -------------------------------------------------------------------


def test_tour_is_the_same_everywhere() -> None:
    """examples/tour.py, unchanged; what CPython prints is right."""
    file = ROOT / "examples" / "tour.py"
    assert len(file.read_text().splitlines()) <= 40
    printed = {}
    for where in ("cpython", "unix", "vboard"):
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--target", where, file]
        done = subprocess.run(command, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        printed[where] = done.stdout
    assert printed["unix"] == printed["vboard"] == printed["cpython"]
    assert printed["cpython"].endswith(b"refused: True\n")
