"""A relay of TCP and of one UDP peer, slow with datagrams, whose answers it can change."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Callable

HOST = "127.0.0.1"


class Relay:
    """From `port`, of TCP and UDP, to tcp and udp, ports of this machine.

    A datagram of the client is late by so many seconds. answers: what came back by UDP, as it was;
    change gives what the client gets instead.
    """

    def __init__(
        self, port: int, tcp: int, udp: int, late: float, change: Callable[[bytes], bytes]
    ) -> None:
        self.port = port
        self._to, self._late, self._change = (tcp, udp), late, change
        self.answers: list[bytes] = []
        self._end = False
        self._listener = socket.create_server((HOST, port))
        self._in = socket.socket(type=socket.SOCK_DGRAM)
        self._in.bind((HOST, port))
        self._out = socket.socket(type=socket.SOCK_DGRAM)
        self._out.connect((HOST, udp))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        other: dict[socket.socket, socket.socket] = {}
        late: list[tuple[float, bytes]] = []
        peer = None
        while not self._end:
            ready = select.select([self._listener, self._in, self._out, *other], [], [], 0.01)[0]
            for s in ready:
                if s is self._listener:
                    a = s.accept()[0]
                    b = socket.create_connection((HOST, self._to[0]))
                    other[a], other[b] = b, a
                elif s is self._in:
                    data, peer = s.recvfrom(65536)
                    late.append((time.monotonic() + self._late, data))
                elif s is self._out:
                    with contextlib.suppress(ConnectionRefusedError):
                        self.answers.append(s.recv(65536))
                        self._in.sendto(self._change(self.answers[-1]), peer)
                elif s in other:
                    self._pass_on(s, other)
            while late and late[0][0] <= time.monotonic():
                with contextlib.suppress(ConnectionRefusedError):
                    self._out.send(late.pop(0)[1])
        for s in (self._listener, self._in, self._out, *other):
            s.close()

    def _pass_on(self, s: socket.socket, other: dict[socket.socket, socket.socket]) -> None:
        try:
            data = s.recv(65536)
            if data:
                return other[s].sendall(data)
        except OSError:
            pass
        for each in (other.pop(s), s):
            other.pop(each, None)
            each.close()

    def stop(self) -> None:
        self._end = True
        self._thread.join(10)


@contextlib.contextmanager
def relay(port: int, tcp: int, udp: int, late: float, change: Callable) -> Iterator[Relay]:
    found = Relay(port, tcp, udp, late, change)
    try:
        yield found
    finally:
        found.stop()
