"""Rules: how sockets come to be."""

from __future__ import annotations

import os
import socket
from typing import Any

from drawn import KINDS, pick, socks
from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, rule
from twins import Twin
from world import World

import usocket_compat as net


class Making(World):
    @initialize(target=socks, kind=st.sampled_from(sorted(KINDS)))
    def begin(self, kind: str) -> Any:
        return self.make("connection", kind, True, 5)

    @rule(
        target=socks,
        how=pick("connection", "connection", "connection", "pair", "pair", "listener", "new"),
        kind=st.sampled_from(sorted(KINDS)),
        flag=st.booleans(),
        backlog=pick(0, 1, 5),
    )
    def make(self, how: str, kind: str, flag: bool, backlog: int) -> Any:
        if self.full(3):
            return multiple()
        if how == "new":
            return self.new(kind, flag)
        if how == "pair":
            family = socket.AF_INET if kind == "udp6" else socket.AF_UNIX
            return multiple(*self.socketpair(family, KINDS[kind][1], flag))
        if how == "listener":
            return self.listener(kind, backlog)
        return multiple(*self.connection(kind, flag))

    def new(self, kind: str, nonblock: bool) -> Twin:
        family, type = KINDS[kind]
        mine, theirs, _ = self.both(
            lambda: net.zsock_socket(family, type | socket.SOCK_NONBLOCK * nonblock),
            lambda: self.kept(socket.socket(family, type)),
            lambda world, value: None,
        )
        os.set_blocking(theirs[1].fileno(), not nonblock)
        twin = self.add(mine[1], theirs[1])
        twin.nonblock = nonblock
        return twin

    def socketpair(self, family: int, type: int, nonblock: bool) -> list[Twin]:
        mine, theirs, _ = self.both(
            lambda: net.zsock_socketpair(family, type | socket.SOCK_NONBLOCK * nonblock),
            lambda: [self.kept(s) for s in socket.socketpair(family, type)],
            lambda world, value: len(value),
        )
        if mine[0] != "gave":
            return []
        twins = [self.add(fd, plain) for fd, plain in zip(mine[1], theirs[1])]
        for twin in twins:
            twin.nonblock = nonblock
            os.set_blocking(twin.plain.fileno(), not nonblock)
        twins[0].peer, twins[1].peer = twins[1], twins[0]
        return twins

    def listener(self, kind: str, backlog: int) -> Twin:
        twin = self.new(kind, False)
        self.bind(twin, "loopback", None)
        if twin.plain.type != socket.SOCK_DGRAM:
            self.listen(twin, backlog)
        self.settled()
        return twin

    def connection(self, kind: str, keep: bool) -> list[Twin]:
        """Two sockets that are connected to each other, and the listener."""
        listener = self.listener(kind, 5)
        client = self.new(kind, False)
        if client.plain.type == socket.SOCK_DGRAM:
            self.bind(client, "loopback", None)
            self.settled()
            self.connect(listener, "twin", client)
            self.connect(client, "twin", listener)
            return [client, listener]
        self.connect(client, "twin", listener)
        client.odd = False
        self.settled()
        (server,) = self.accept(listener)
        client.peer, server.peer = server, client
        if keep:
            return [client, server, listener]
        self.close(listener)
        return [client, server]
