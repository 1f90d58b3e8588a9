"""A Poller beside the kernel's own epoll and CPython's selectors: the same calls on both."""

from __future__ import annotations

import errno
import random
import select
import selectors
import socket

import pytest

import usocket_compat as net

SEEDS = range(8)
STEPS = 120
INTERESTS = (net.POLLIN, net.POLLOUT, net.POLLIN | net.POLLOUT, net.POLLPRI, net.POLLRDHUP)
# What the two are compared in: the end of the peer's data comes with POLLIN of a Poller.
SHOWN = net.POLLIN | net.POLLOUT | net.POLLPRI | net.POLLERR | net.POLLHUP
OPTS = {
    net.Poller.LEVEL: 0,
    net.Poller.EDGE: select.EPOLLET,
    net.Poller.ONESHOT: select.EPOLLONESHOT,
    net.Poller.EDGE | net.Poller.ONESHOT: select.EPOLLET | select.EPOLLONESHOT,
}


class Both:
    """Pairs of connected sockets, and the two that wait for them, on the same descriptors."""

    def __init__(self) -> None:
        self.poller, self.epoll = net.Poller(), select.epoll()
        self.pairs: dict[int, int] = {}

    def open(self) -> None:
        a, b = net.zsock_socketpair()
        self.pairs.update({a: b, b: a})

    def close(self, fd: int) -> None:
        # The kernel forgets it, and so must the Poller.
        net.zsock_close(fd)
        other = self.pairs.pop(fd)
        if other in self.pairs:
            self.pairs[other] = -1

    def outcome(self, call, *args) -> str:
        try:
            call(*args)
        except OSError as e:
            return errno.errorcode[e.errno]
        return "done"

    def change(self, name: str, fd: int, interests: int, opts: int) -> tuple[str, str]:
        number = net.zsock_fileno(fd)
        if name == "deregister":
            return (
                self.outcome(self.poller.deregister, fd),
                self.outcome(self.epoll.unregister, number),
            )
        asked = interests | (net.POLLRDHUP if interests & net.POLLIN else 0) | OPTS[opts]
        call = self.epoll.register if name == "register" else self.epoll.modify
        return (
            self.outcome(getattr(self.poller, name), fd, fd, interests, opts),
            self.outcome(call, number, asked),
        )

    def poll(self) -> tuple[list, list]:
        fds = {net.zsock_fileno(fd): fd for fd in self.pairs}
        mine = sorted((event.token, event.revents) for event in self.poller.poll(0))
        kernel = sorted((fds[number], revents) for number, revents in self.epoll.poll(0))
        return mine, kernel

    def end(self) -> None:
        self.poller.close()
        self.epoll.close()
        net.closeall()


@pytest.mark.parametrize("seed", SEEDS)
def test_as_the_kernels_epoll(seed: int) -> None:
    draw = random.Random(seed)
    both = Both()
    try:
        for step in range(STEPS):
            kind = draw.choice(
                "open send send recv shut close poll poll poll"
                " register register register reregister reregister deregister".split()
            )
            if kind == "open" or not both.pairs:
                if len(both.pairs) < 12:
                    both.open()
                continue
            fd = draw.choice(sorted(both.pairs))
            if kind == "poll":
                mine, kernel = both.poll()
                assert mine == kernel, (seed, step)
            elif kind == "close":
                both.close(fd)
            elif kind in ("send", "recv", "shut"):
                try:
                    if kind == "send":
                        net.zsock_send(fd, b"x", net.MSG_DONTWAIT)
                    elif kind == "recv":
                        net.zsock_recv(fd, 1, net.MSG_DONTWAIT)
                    else:
                        net.zsock_shutdown(fd, net.SHUT_WR)
                except OSError:
                    pass
            else:
                opts = draw.choice(list(OPTS))
                mine, kernel = both.change(kind, fd, draw.choice(INTERESTS), opts)
                assert mine == kernel, (seed, step, kind)
        mine, kernel = both.poll()
        assert mine == kernel
    finally:
        both.end()


def test_what_the_kernel_refuses() -> None:
    """An fd of a file: epoll has none, and says so."""
    with open(__file__) as file, net.Poller() as poller:
        a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
        rights = (net.SOL_SOCKET, net.SCM_RIGHTS, file.fileno().to_bytes(4, "little"))
        plain = socket.socket(fileno=socket.dup(net.zsock_fileno(a)))
        plain.sendmsg([b"x"], [rights])
        _, ancillary, _, _ = net.zsock_recvmsg(b, [bytearray(4)], 64)
        (fd,) = memoryview(ancillary[0][2]).cast("i")
        with pytest.raises(PermissionError):
            poller.register(fd, 1, net.POLLIN)
        with pytest.raises(FileNotFoundError):
            poller.deregister(fd)
        plain.close()
    net.closeall()


def scenario(waits) -> list:
    """What a server of a few clients sees, by which token and way, whoever waits for it."""
    seen: list = []
    listener = waits.socket()
    waits.register(listener, "listener", "r")
    clients = [waits.connect(listener) for _ in range(3)]
    servers = {}
    for n in range(3):
        seen.append(waits.poll())
        name = f"server {n}"
        servers[name] = waits.accept(listener)
        waits.register(servers[name], name, "r")
    seen.append(waits.poll(0))
    for n in (1, 0, 2):
        waits.send(clients[n], b"x" * (n + 1))
        seen.append(waits.poll())
        seen.append(waits.recv(servers[f"server {n}"]))
    waits.modify(servers["server 1"], "both", "rw")
    seen.append(waits.poll())
    waits.send(clients[1], b"more")
    while True:
        got = waits.poll()
        if got != [("both", "w")]:
            break
    seen.append(got)
    waits.unregister(servers["server 1"])
    waits.close(clients[0])
    seen.append(waits.poll())
    seen.append(waits.recv(servers["server 0"]))
    seen.append(waits.poll())
    waits.unregister(servers["server 0"])
    seen.append(waits.poll(0))
    return seen


class BySelectors:
    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[socket.socket] = []

    def events(self, how: str) -> int:
        return selectors.EVENT_READ * ("r" in how) | selectors.EVENT_WRITE * ("w" in how)

    def keep(self, sock: socket.socket) -> socket.socket:
        self.sockets.append(sock)
        return sock

    def socket(self):
        return self.keep(socket.create_server(("127.0.0.1", 0)))

    def connect(self, listener):
        return self.keep(socket.create_connection(listener.getsockname()))

    def accept(self, listener):
        return self.keep(listener.accept()[0])

    def register(self, sock, token, how):
        self.selector.register(sock, self.events(how), token)

    def modify(self, sock, token, how):
        self.selector.modify(sock, self.events(how), token)

    def unregister(self, sock):
        self.selector.unregister(sock)

    def send(self, sock, data):
        sock.sendall(data)

    def recv(self, sock):
        return sock.recv(100)

    def close(self, sock):
        sock.close()

    def poll(self, seconds=3):
        return sorted(
            (key.data, "r" * bool(mask & 1) + "w" * bool(mask & 2))
            for key, mask in self.selector.select(seconds)
        )

    def end(self):
        self.selector.close()
        for sock in self.sockets:
            sock.close()


class ByPoller:
    def __init__(self) -> None:
        self.poller = net.Poller()

    def events(self, how: str) -> int:
        return net.POLLIN * ("r" in how) | net.POLLOUT * ("w" in how)

    def socket(self):
        fd = net.zsock_socket()
        net.zsock_bind(fd, ("127.0.0.1", 0))
        net.zsock_listen(fd)
        return fd

    def connect(self, listener):
        fd = net.zsock_socket()
        net.zsock_connect(fd, net.zsock_getsockname(listener))
        return fd

    def accept(self, listener):
        return net.zsock_accept(listener)[0]

    def register(self, fd, token, how):
        self.poller.register(fd, token, self.events(how))

    def modify(self, fd, token, how):
        self.poller.reregister(fd, token, self.events(how))

    def unregister(self, fd):
        self.poller.deregister(fd)

    def send(self, fd, data):
        net.zsock_send(fd, data)

    def recv(self, fd):
        return net.zsock_recv(fd, 100)

    def close(self, fd):
        net.zsock_close(fd)

    def poll(self, seconds=3):
        return sorted(
            (event.token, "r" * event.readable + "w" * event.writable)
            for event in self.poller.poll(int(seconds * 1000))
        )

    def end(self):
        self.poller.close()
        net.closeall()


def test_as_selectors() -> None:
    outputs = []
    for kind in (BySelectors, ByPoller):
        waits = kind()
        try:
            outputs.append(scenario(waits))
        finally:
            waits.end()
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == [("listener", "r")] and len(outputs[0]) == 16
