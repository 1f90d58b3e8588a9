# SPDX-License-Identifier: MIT
"""The board's network: with frames made by hand in a board's place, then with the firmware."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from usocket_tools.errors import UsocketError
from usocket_tools.vboard import network
from usocket_tools.vboard.board import Board
from usocket_tools.vboard.network import Forward, Network, parse_forward, stays_here
from usocket_tools.vboard.trace import Trace

MAC = bytes.fromhex("525400123456")
ANY = b"\xff" * 6


def ethernet(kind: int, payload: bytes, to: bytes = ANY) -> bytes:
    return to + MAC + struct.pack("!H", kind) + payload


def arp(operation: int, sender: str, target: str, mac: bytes = bytes(6)) -> bytes:
    start = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
    packed = MAC + socket.inet_aton(sender) + mac + socket.inet_aton(target)
    return ethernet(0x0806, start + packed)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(protocol: int, to: str, payload: bytes, mac: bytes = ANY) -> bytes:
    addresses = socket.inet_aton(network.BOARD) + socket.inet_aton(to)
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    total = checksum(start + addresses)
    return ethernet(0x0800, start[:10] + struct.pack("!H", total) + addresses + payload, mac)


def udp(to: str, from_port: int, to_port: int, data: bytes) -> bytes:
    return ip(17, to, struct.pack("!HHHH", from_port, to_port, 8 + len(data), 0) + data)


def ip6(header: int, to: str, payload: bytes) -> bytes:
    addresses = (socket.inet_pton(socket.AF_INET6, a) for a in (network.BOARD6, to))
    start = struct.pack("!IHBB", 6 << 28, len(payload), header, 64)
    return ethernet(0x86DD, start + b"".join(addresses) + payload)


class Peer:
    """In the board's place: sends frames, answers ARP, keeps what comes."""

    def __init__(self, **options) -> None:
        self.received: list[bytes] = []
        self.network = Network(self.receive, **options)
        self.answers: list[bytes] = []

    def receive(self, frame: bytes) -> None:
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1":
            self.answers.append(arp(2, network.BOARD, network.HOST, frame[6:12]))
        else:
            self.received.append(frame)

    def step(self, *frames: bytes) -> None:
        """One round, as in the board's process: frames come while it polls."""
        wanted, _ = self.network.wants(-1)
        poller = select.poll()
        for fd, events in wanted.items():
            poller.register(fd, events)
        ready = poller.poll(0 if frames or self.answers else 10)
        for frame in (*self.answers, *frames):
            self.network.input(frame)
        self.answers.clear()
        self.network.polled(dict(ready))

    def expect(self, kind: bytes, at: int) -> bytes:
        """Run until a frame comes with these bytes there."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for frame in self.received:
                if frame[at : at + len(kind)] == kind:
                    self.received.remove(frame)
                    return frame
            self.step()
        raise AssertionError(f"no {kind!r} at {at} in {self.received}")

    def arrives(self, service: socket.socket, rounds: int = 20) -> bytes | None:
        """What the host's UDP service gets within some rounds of the loop."""
        service.setblocking(False)
        for _ in range(rounds):
            self.step()
            try:
                return service.recv(2000)
            except BlockingIOError:
                pass
        return None


class Clock:
    """In the place of the module `time`: this machine's clock, and what else is to have passed."""

    passed = 0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self.passed * 1_000_000_000


@contextmanager
def peer(**options) -> Iterator[Peer]:
    made = Peer(**options)
    with closing(made.network):
        made.network.input(arp(1, network.BOARD, network.HOST))
        made.expect(b"\0\2" + made_mac(network.HOST), 20)
        yield made


def made_mac(address: str) -> bytes:
    """libslirp's hosts have their IPv4 address in their Ethernet address."""
    return b"\x52\x55" + socket.inet_aton(address)


@contextmanager
def service(address: str = "127.0.0.1", family: int = socket.AF_INET) -> Iterator[tuple]:
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind((address, 0))
        yield made, made.getsockname()[1]


def test_ping_the_gateway():
    echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"data"
    echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    with peer() as board:
        board.network.input(ip(1, network.HOST, echo))
        reply = board.expect(b"\0", 34)
        assert reply[:6] == MAC and reply[26:30] == socket.inet_aton(network.HOST)
        assert reply[38:] == echo[4:] and checksum(reply[34:]) == 0


def test_udp_to_the_host_and_back():
    with peer() as board, service() as (here, port):
        board.network.input(udp(network.HOST, 4000, port, b"question"))
        assert board.arrives(here) == b"question"
        board.network.input(udp(network.HOST, 4000, port, b"again"))
        board.step()
        here.setblocking(True)
        data, address = here.recvfrom(100)
        assert data == b"again" and address[0] == "127.0.0.1"
        here.sendto(b"answer", address)
        reply = board.expect(struct.pack("!HH", port, 4000), 34)
        assert reply[42:] == b"answer"


def test_udp_after_no_traffic(monkeypatch):
    """The answer comes, however long nothing came; libslirp keeps a socket for four minutes."""
    clock = Clock()
    monkeypatch.setattr(network, "time", clock)
    made = Peer()
    with closing(made.network), service() as (here, port):
        here.settimeout(10)
        # The first is the first of all that libslirp sees.
        for number, passed in enumerate((300, 300, 3, 100_000, 200)):
            clock.passed += passed
            question = udp(network.HOST, 4000 + number, port, b"question")
            made.step(arp(1, network.BOARD, network.HOST), question)
            _, address = here.recvfrom(100)
            # A busy machine: the loop goes on before the answer is there.
            made.step()
            here.sendto(b"answer", address)
            reply = made.expect(struct.pack("!HH", port, 4000 + number), 34)
            assert reply[42:] == b"answer"


def test_udp_through_a_forward():
    with peer() as board, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        made = board.network.forward(parse_forward("udp:0:5000"))
        assert made.host_port and made.address == "127.0.0.1" and made.board_port == 5000
        client.connect(("127.0.0.1", made.host_port))
        client.send(b"hello board")
        frame = board.expect(struct.pack("!H", 5000), 36)
        assert frame[30:34] == socket.inet_aton(network.BOARD) and frame[42:] == b"hello board"
        # The host is the gateway to the board.
        assert frame[26:30] == socket.inet_aton(network.HOST)
        from_port = struct.unpack("!H", frame[34:36])[0]
        board.network.input(udp(network.HOST, 5000, from_port, b"hello host"))
        # connect() makes the kernel drop what comes from another port.
        assert board.arrives(client) == b"hello host"


def test_tcp_through_a_forward_asks_the_board():
    with peer() as board, socket.socket() as client:
        made = board.network.forward(parse_forward("0:80"))
        client.setblocking(False)
        assert client.connect_ex(("127.0.0.1", made.host_port)) in (0, errno.EINPROGRESS)
        syn = board.expect(struct.pack("!H", 80), 36)
        assert syn[23] == 6 and syn[47] == 2


def test_nothing_leaves():
    """127.0.0.9 stands for the rest of the world: libslirp has no name for it but its own."""
    with service("127.0.0.9") as (world, world_port), service() as (here, port):
        with peer() as board:
            board.network.input(udp("127.0.0.9", 4000, world_port, b"out"))
            board.network.input(udp(network.HOST, 4001, port, b"to the host"))
            assert board.arrives(here) == b"to the host"
            assert board.arrives(world) is None
        with peer(internet=True) as board:
            board.network.input(udp("127.0.0.9", 4000, world_port, b"out"))
            assert board.arrives(world) == b"out"


PORTS = struct.pack("!HHHH", 4000, 53, 8, 0)


@pytest.mark.parametrize(
    ("frame", "stays"),
    [
        (arp(1, network.BOARD, network.HOST), True),
        (ip(17, network.HOST, PORTS), True),
        (ip(17, "255.255.255.255", PORTS), True),
        # libslirp has no hosts but its own two on the subnet; the rest goes to the host's routes.
        (ip(17, "10.0.2.4", PORTS), False),
        (ip(17, "10.0.2.255", PORTS), False),
        (ip(17, network.RESOLVER, PORTS), False),
        (ip(6, "192.0.2.1", PORTS), False),
        (ip(17, "224.0.0.251", PORTS), False),
        (ip6(17, network.HOST6, PORTS), True),
        (ip6(17, network.RESOLVER6, PORTS), False),
        (ip6(17, "2001:db8::1", PORTS), False),
        (ip6(58, "2001:db8::1", PORTS), False),
        (ip6(58, "ff02::2", PORTS), True),
        (ip6(0, "ff02::16", b":\0"), True),
        (ip6(0, "ff02::fb", b"\x11\0"), False),
        (ip6(17, "ff02::fb", PORTS), False),
        (ip6(17, "ff02::1:2", PORTS), True),
        (ip6(58, "fe80::2", PORTS), True),
        (ip6(17, "fe80::2", PORTS), False),
        (ethernet(0x8100, PORTS), False),
        (b"", False),
        (ANY + MAC + b"\x08\x00", False),
        (ANY + MAC + b"\x86\xdd", False),
    ],
)
def test_what_stays(frame, stays):
    assert stays_here(frame) is stays


def test_the_hosts_resolver_is_a_choice():
    for frame in (ip(17, network.RESOLVER, PORTS), ip6(17, network.RESOLVER6, PORTS)):
        assert stays_here(frame, resolver=True)


@pytest.mark.parametrize(
    ("text", "forward"),
    [
        ("8080:80", Forward("tcp", "127.0.0.1", 8080, 80)),
        ("udp:0:5353", Forward("udp", "127.0.0.1", 0, 5353)),
        ("tcp:127.0.0.2:8080:80", Forward("tcp", "127.0.0.2", 8080, 80)),
        ("localhost:1:2", Forward("tcp", "127.0.0.1", 1, 2)),
        ("[::1]:8080:80", Forward("tcp", "::1", 8080, 80)),
        ("udp:[::1]:0:80", Forward("udp", "::1", 0, 80)),
    ],
)
def test_parse_forward(text, forward):
    assert parse_forward(text) == forward


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80",
        "80:",
        "x:80",
        "sctp:1:2",
        "::1:8080:80",
        "1:2:3",
        "300.0.0.1:1:2",
        "1:0",
        "65536:80",
        "80:65536",
        "[::g]:1:2",
        "[127.0.0.1]:1:2:3",
    ],
)
def test_bad_forward(text):
    with pytest.raises(UsocketError) as caught:
        parse_forward(text)
    assert repr(text) in str(caught.value)


def test_forward_of_a_taken_port():
    with peer() as board:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(UsocketError) as caught:
                board.network.forward(Forward("tcp", "127.0.0.1", port, 80))
            assert str(caught.value).endswith("127.0.0.1: Address already in use")
        with service() as (taken, port):
            with pytest.raises(UsocketError, match="Address already in use"):
                board.network.forward(Forward("udp", "127.0.0.1", port, 80))
        # The failures did no harm.
        assert board.network.forward(Forward("tcp", "127.0.0.1", 0, 80)).host_port
        with pytest.raises(UsocketError, match="Cannot assign requested address"):
            board.network.forward(Forward("tcp", "192.0.2.1", 0, 80))


def test_forwards_end_with_the_network():
    with peer() as board:
        ports = [board.network.forward(parse_forward("0:80")).host_port for _ in range(3)]
        assert len(set(ports)) == 3
    for port in ports:
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_missing_library(monkeypatch):
    def missing(name, **options):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(network.ctypes, "CDLL", missing)
    with pytest.raises(UsocketError, match="is not installed") as caught:
        Network(print)
    assert "libslirp0" in caught.value.hint


def test_trace(tmp_path):
    file = tmp_path / "packets.pcap"
    trace = Trace(file)
    before = time.time()
    trace.frame(b"first frame")
    trace.frame(b"2")
    # Before it is closed: the process may end in any way.
    data = file.read_bytes()
    # The pcap file format: magic, version 2.4, zone, accuracy, longest packet, Ethernet.
    assert struct.unpack("=IHHiIII", data[:24]) == (0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    seconds, microseconds, kept, length = struct.unpack("=IIII", data[24:40])
    assert before - 0.001 <= seconds + microseconds / 1e6 <= time.time()
    assert (kept, length, data[40:51]) == (11, 11, b"first frame")
    assert data[51 + 8 :] == struct.pack("=II", 1, 1) + b"2"
    trace.close()
    with pytest.raises(UsocketError, match="cannot write"):
        Trace(tmp_path / "missing" / "file")


# The firmware on it: lwIP at one end, this machine's kernel at the other.

# lwIP's numbers.
AF_INET, AF_INET6 = 2, 10
MEGABYTE = bytes(range(256)) * 4096


class Running:
    """A board that runs, and its prompt."""

    def __init__(self, **options) -> None:
        self.board = Board(**options)
        self.prompt = SerialTransport(self.board.device)
        self.prompt.enter_raw_repl(soft_reset=False)

    def run(self, program: str, **names) -> str:
        """Run the lines on the board; what they print."""
        for name, value in names.items():
            self.prompt.exec(f"{name} = {value!r}")
        return self.prompt.exec(program).decode().strip()

    def stop(self) -> None:
        self.prompt.close()
        self.board.stop()


@contextmanager
def running(**options) -> Iterator[Running]:
    made = Running(**options)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def board() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def board6() -> Iterator[Running]:
    with running(ipv6=True) as made:
        yield made


# Listens before it returns to the prompt, and goes on behind it.
HTTP = """
import _thread, socket
def serve(listener, size):
    block = bytes(range(256)) * 16
    c, _ = listener.accept()
    while not c.recv(1000).endswith(b"\\r\\n\\r\\n"):
        pass
    c.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
    for _ in range(size // len(block)):
        c.sendall(block)
    c.close()
    listener.close()
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((address, port))
listener.listen(1)
_thread.start_new_thread(serve, (listener, size))
"""
TCP_ECHO = """
import _thread, socket
def echo(listener):
    c, _ = listener.accept()
    listener.close()
    # What it sends while there is no link would fail for good with EHOSTUNREACH.
    while data := c.recv(1000):
        c.sendall(data)
    c.close()
listener = socket.socket()
listener.bind(("0.0.0.0", port))
listener.listen(1)
_thread.start_new_thread(echo, (listener,))
"""
UDP_ECHO = """
import _thread, socket
def echo(s, count):
    for _ in range(count):
        s.sendto(*s.recvfrom(2000))
    s.close()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", port))
_thread.start_new_thread(echo, (s, count))
"""
UPLOAD = """
import socket
s = socket.socket(family)
s.connect((address, port))
block = bytes(range(256)) * 16
for _ in range(256):
    s.sendall(block)
s.close()
"""


def fetch(url: str, timeout: float = 100) -> bytes:
    command = ["curl", "-sS", "-g", "-m", str(timeout), url]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_server_on_the_board(board):
    url = f"http://127.0.0.1:{board.board.forward('0:80')}/"
    for _ in range(3):
        board.run(HTTP, family=AF_INET, address="0.0.0.0", port=80, size=len(MEGABYTE))
        assert fetch(url) == MEGABYTE


def test_server_on_the_board_by_ipv6(board6):
    url = f"http://[::1]:{board6.board.forward('[::1]:0:81')}/"
    board6.run(HTTP, family=AF_INET6, address="::", port=81, size=65536)
    assert fetch(url) == MEGABYTE[:65536]


@pytest.mark.parametrize(
    ("family", "host", "there"), [(AF_INET, "127.0.0.1", "10.0.2.2"), (AF_INET6, "::1", "fec0::2")]
)
def test_board_as_client_of_the_host(board, board6, family, host, there):
    board = board6 if ":" in host else board
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=kind) as server, ThreadPoolExecutor() as pool:
        server.settimeout(20)

        def receive() -> bytes:
            connection, address = server.accept()
            with connection, connection.makefile("rb") as stream:
                assert address[0] == host
                return stream.read()

        received = pool.submit(receive)
        board.run(UPLOAD, family=family, address=there, port=server.getsockname()[1])
        assert received.result(20) == MEGABYTE


def test_udp_of_the_board(board):
    port = board.board.forward("udp:0:5000")
    board.run(UDP_ECHO, port=5000, count=101)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        for number in range(100):
            client.send(b"%d" % number)
            assert client.recv(2000) == b"%d" % number
        # Longer than a frame's 1500 bytes less both headers would be two fragments.
        client.send(b"x" * 1472)
        assert client.recv(2000) == b"x" * 1472
    with service() as (here, port):
        here.settimeout(20)
        board.run("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
        board.run("_ = s.sendto(b'to the host', ('10.0.2.2', port))", port=port)
        data, address = here.recvfrom(100)
        assert data == b"to the host"
        here.sendto(b"and back", address)
        assert board.run("print(s.recv(100)); s.close()") == "b'and back'"


def test_udp_of_the_board_by_ipv6(board6):
    with service("::1", socket.AF_INET6) as (here, port):
        here.settimeout(20)
        # The firmware's sendto() knows no IPv6 address, but its connect() does.
        program = "import socket; s = socket.socket(10, socket.SOCK_DGRAM)"
        program += "; s.connect(('fec0::2', port)); _ = s.send(b'six')"
        board6.run(program, port=port)
        data, address = here.recvfrom(100)
        assert (data, address[0]) == (b"six", "::1")
        here.sendto(b"back", address)
        assert board6.run("print(s.recv(100)); s.close()") == "b'back'"


NO_IPV6 = """
import socket
for kind, call in (1, "connect"), (2, "connect"):
    s = socket.socket(10, kind)
    try:
        s.connect(("fec0::2", port))
        s.send(b"x")
        print("sent")
    except OSError as error:
        print(error.errno == 118)
    s.close()
"""


def test_no_ipv6_unless_it_is_asked_for(tmp_path):
    """Stock firmware makes no address of IPv6, not even a link-local one: no frame of IPv6."""
    trace = tmp_path / "trace"
    with service("::1", socket.AF_INET6) as (_here, port), running(trace=trace) as made:
        # newlib's EHOSTUNREACH
        assert made.run(NO_IPV6, port=port).split() == ["True", "True"]
        with pytest.raises(UsocketError, match="the board has no IPv6"):
            made.board.forward("[::1]:0:80")
        made.run("import time; time.sleep(1)")
    kinds = set()
    data = trace.read_bytes()[24:]
    while data:
        (length,) = struct.unpack_from("=I", data, 8)
        kinds.add(data[16 + 12 : 16 + 14])
        data = data[16 + length :]
    assert b"\x86\xdd" not in kinds


def test_refused_by_the_host(board):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program = """
import errno, socket
s = socket.socket()
try:
    s.connect(("10.0.2.2", port))
except OSError as error:
    print(errno.errorcode[error.errno])
s.close()
"""
    # lwIP's word for a refused connect.
    assert board.run(program, port=port) == "ECONNRESET"


def test_link_down_and_up_again(board):
    """A connection outlives a cable that was out for a moment."""
    port = board.board.forward("0:82")
    board.run(TCP_ECHO, port=82)
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"
        board.board.control("link down")
        client.sendall(b"after")
        client.settimeout(0.5)
        with pytest.raises(socket.timeout):
            client.recv(100)
        board.board.control("link up")
        # libslirp sends it again when it has waited long enough, and lwIP the answer.
        client.settimeout(60)
        assert client.recv(100) == b"after"


def test_faults_lose_no_byte():
    """TCP makes good what the line does. The full megabyte takes lwIP's timers half a minute."""
    size = len(MEGABYTE) // 8
    faults = {"loss": "5%", "duplicate": "2%", "reorder": "2%", "delay": "2ms+-1", "seed": 7}
    with running(forward=["0:80"], **faults) as made:
        (port,) = made.board.host_ports()
        made.run(HTTP, family=AF_INET, address="0.0.0.0", port=80, size=size)
        assert fetch(f"http://127.0.0.1:{port}/") == MEGABYTE[:size]


def test_dns_server_of_the_host():
    with service() as (here, port), running(dns=f"127.0.0.1:{port}") as made:
        here.settimeout(20)
        with ThreadPoolExecutor() as pool:
            lookup = "import socket; print(socket.getaddrinfo('board.test', 80)[0][-1])"
            printed = pool.submit(made.run, lookup)
            while not printed.done():
                try:
                    query, address = here.recvfrom(600)
                except socket.timeout:
                    break
                # The question again, and one A record that points at its name.
                answer = query[:2] + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0" + query[12:]
                answer += b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton("192.0.2.7")
                here.sendto(answer, address)
                here.settimeout(0.5)
            assert printed.result(20) == "('192.0.2.7', 80)"


def stop(pid: int) -> None:
    """SIGSTOP, until each thread has stopped: one on the other core goes on for a bit."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + 10
    while any(state(each) != "T" for each in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def test_memory_is_told_when_it_holds():
    """No program runs on before it, however late the firmware gets to it."""
    send = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    print(s.sendto(bytes(1000), (address, 9)))
except OSError as e:
    print(e.errno)
s.close()
"""
    with running() as made:
        pid = int(made.board.control("status").partition("firmware=")[2].split()[0])
        stop(pid)
        try:
            with pytest.raises(UsocketError, match="does not say what memory"):
                made.board.control("memory 1000")
        finally:
            os.kill(pid, signal.SIGCONT)
        # The answer to the first, which comes now, is not taken for the second's.
        for _ in range(20):
            assert made.board.control("memory 100") == "memory 100"
            assert made.run(send, address=network.HOST) == "12"  # ENOMEM, lwIP's ERR_MEM
            assert made.board.control("memory 0") == "memory 0"
            assert made.run(send, address=network.HOST) == "1000"


def test_reset_and_crash_of_the_firmware():
    cause = "import machine; print(machine.reset_cause() == machine.{})"
    with running() as made:
        made.run("f = open('kept', 'w'); f.write('text'); f.close()")
        assert made.run(cause.format("PWRON_RESET")) == "True"
        made.board.control("reset")
        made.prompt.enter_raw_repl(soft_reset=False)
        assert made.run(cause.format("PWRON_RESET")) == "True"
        pid = int(made.board.control("status").partition("firmware=")[2].split()[0])
        os.kill(pid, signal.SIGSEGV)
        # The next answer is of another process.
        deadline = time.monotonic() + 20
        while f"firmware={pid} " in made.board.control("status"):
            assert time.monotonic() < deadline
        made.prompt.enter_raw_repl(soft_reset=False)
        assert made.run(cause.format("HARD_RESET")) == "True"
        assert made.run("print(open('kept').read())") == "text"
        port = made.board.forward("0:80")
        made.run(HTTP, family=AF_INET, address="0.0.0.0", port=80, size=65536)
        assert fetch(f"http://127.0.0.1:{port}/") == MEGABYTE[:65536]


def test_the_firmware_ends_with_its_board():
    made = Running()
    pid = int(made.board.control("status").partition("firmware=")[2].split()[0])
    # Busy, and deaf to Ctrl-C.
    made.prompt.exec_raw_no_follow(
        "import micropython; micropython.kbd_intr(-1)\nwhile True: pass"
    )
    os.kill(made.board.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(OSError):
        # The line is dead, which closing it reports.
        made.prompt.close()
    made.prompt.serial.close()
    made.board.stop()
