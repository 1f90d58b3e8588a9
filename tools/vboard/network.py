# SPDX-License-Identifier: MIT
# The network of one board: Ethernet frames in and out, libslirp between them and the host's
# sockets. It starts no thread and waits for nothing; the loop that owns it does.
from __future__ import annotations

import ctypes
import os
import re
import socket
import struct
import time
from collections.abc import Mapping
from ctypes import CFUNCTYPE, POINTER, byref
from typing import Any, Callable, NamedTuple

from ..errors import UsocketError
from .handshakes import Handshakes

# libslirp's defaults, which are also the firmware's.
HOST, RESOLVER, BOARD = "10.0.2.2", "10.0.2.3", "10.0.2.15"
HOST6, RESOLVER6, BOARD6 = "fec0::2", "fec0::3", "fec0::15"

# By how much libslirp's clock may be behind, in seconds.
BEHIND = 1.0

Receive = Callable[[bytes], object]

_SEND = CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
_TEXT = CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
_CLOCK = CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_EXPIRED = CFUNCTYPE(None, ctypes.c_void_p)
_TIMER_NEW = CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_TIMER_FREE = CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_TIMER_MOD = CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
_POLL_FD = CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
_NOTIFY = CFUNCTYPE(None, ctypes.c_void_p)
_ADD_POLL = CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_GET_REVENTS = CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class _In(ctypes.Structure):
    _fields_ = [("packed", ctypes.c_uint32)]


class _In6(ctypes.Structure):
    _fields_ = [("packed", ctypes.c_uint32 * 4)]


class _Config(ctypes.Structure):
    """struct SlirpConfig, version 1: every libslirp since 4.0 takes it."""

    _fields_ = [
        ("version", ctypes.c_uint32),
        ("restricted", ctypes.c_int),
        ("in_enabled", ctypes.c_bool),
        ("network", _In),
        ("netmask", _In),
        ("host", _In),
        ("in6_enabled", ctypes.c_bool),
        ("prefix6", _In6),
        ("prefix6_len", ctypes.c_uint8),
        ("host6", _In6),
        ("hostname", ctypes.c_char_p),
        ("tftp_server_name", ctypes.c_char_p),
        ("tftp_path", ctypes.c_char_p),
        ("bootfile", ctypes.c_char_p),
        ("dhcp_start", _In),
        ("resolver", _In),
        ("resolver6", _In6),
        ("dns_search", ctypes.c_void_p),
        ("domain", ctypes.c_char_p),
        ("mtu", ctypes.c_size_t),
        ("mru", ctypes.c_size_t),
        ("disable_host_loopback", ctypes.c_bool),
        ("enable_emu", ctypes.c_bool),
        ("later", ctypes.c_uint8 * 64),
    ]


class _Callbacks(ctypes.Structure):
    """struct SlirpCb as version 1 uses it, and nothing where later versions go on."""

    _fields_ = [
        ("send_packet", _SEND),
        ("guest_error", _TEXT),
        ("clock_get_ns", _CLOCK),
        ("timer_new", _TIMER_NEW),
        ("timer_free", _TIMER_FREE),
        ("timer_mod", _TIMER_MOD),
        ("register_poll_fd", _POLL_FD),
        ("unregister_poll_fd", _POLL_FD),
        ("notify", _NOTIFY),
        ("later", ctypes.c_void_p * 8),
    ]


def _in(text: str) -> _In:
    return _In.from_buffer_copy(socket.inet_pton(socket.AF_INET, text))


def _in6(text: str) -> _In6:
    return _In6.from_buffer_copy(socket.inet_pton(socket.AF_INET6, text))


def _load() -> Any:
    try:
        library = ctypes.CDLL("libslirp.so.0", use_errno=True)
    except OSError as error:
        raise UsocketError(
            "libslirp, which connects virtual boards to this machine, is not installed",
            "Install it: apt-get install libslirp0",
        ) from error
    for name, result, *arguments in (
        ("slirp_new", ctypes.c_void_p, POINTER(_Config), POINTER(_Callbacks), ctypes.c_void_p),
        ("slirp_cleanup", None, ctypes.c_void_p),
        ("slirp_input", None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
        (
            "slirp_pollfds_fill",
            None,
            ctypes.c_void_p,
            POINTER(ctypes.c_uint32),
            _ADD_POLL,
            ctypes.c_void_p,
        ),
        ("slirp_pollfds_poll", None, ctypes.c_void_p, ctypes.c_int, _GET_REVENTS, ctypes.c_void_p),
        (
            "slirp_add_hostfwd",
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_int,
            _In,
            ctypes.c_int,
            _In,
            ctypes.c_int,
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if hasattr(library, "slirp_add_hostxfwd"):
        address: list[Any] = [ctypes.c_char_p, ctypes.c_uint32]
        library.slirp_add_hostxfwd.argtypes = [ctypes.c_void_p, *address, *address, ctypes.c_int]
    return library


class Forward(NamedTuple):
    """A port of the host that leads to one of the board."""

    protocol: str
    address: str
    host_port: int
    board_port: int

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"forward {self.protocol} {address}:{self.host_port} -> {self.board_port}"


# Digits of ASCII: others are numbers to int() too.
_FORWARD = re.compile(
    r"(?:(tcp|udp):)?(?:(\d+(?:\.\d+){3}|localhost|\[[^]]*\]):)?(\d{1,9}):(\d{1,9})", re.ASCII
)


def parse_forward(text: str) -> Forward:
    found = _FORWARD.fullmatch(text)
    if not found:
        raise UsocketError(
            f"{text!r} does not name a forward",
            "It is [tcp:|udp:][ADDRESS:]HOSTPORT:BOARDPORT, such as 8080:80 or udp:0:5353; an"
            " IPv6 address stands in brackets.",
        )
    protocol, address = found[1] or "tcp", found[2] or "127.0.0.1"
    address = "127.0.0.1" if address == "localhost" else address.strip("[]")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except OSError:
        raise UsocketError(
            f"{address!r} in the forward {text!r} is not an address", "Such as 127.0.0.1:0:80."
        ) from None
    host_port, board_port = int(found[3]), int(found[4])
    if host_port > 65535 or not 1 <= board_port <= 65535:
        raise UsocketError(
            f"the forward {text!r} has a port out of range",
            "Ports go from 1 to 65535; 0 before the last colon stands for any free one.",
        )
    return Forward(protocol, address, host_port, board_port)


_ARP, _IP, _IP6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_HOSTS = {socket.inet_aton(HOST), b"\xff\xff\xff\xff"}
_RESOLVER = socket.inet_aton(RESOLVER)
_RESOLVER6 = socket.inet_pton(socket.AF_INET6, RESOLVER6)
_PREFIX6 = _RESOLVER6[:8]
_DHCP6 = socket.inet_pton(socket.AF_INET6, "ff02::1:2")


def stays_here(frame: bytes, resolver: bool = False) -> bool:
    """Whether libslirp keeps what is in this frame on this machine.

    It takes only the gateway and the broadcast address for the host itself; all else, the board's
    subnet and multicast too, it would send out by the host's own routes.
    """
    kind = frame[12:14]
    if kind == _IP:
        to = frame[30:34]
        return to in _HOSTS or (resolver and to == _RESOLVER)
    if kind == _IP6:
        to = frame[38:54]
        if to[:8] == _PREFIX6:
            return resolver or to != _RESOLVER6
        # Neighbours, routers and groups: ICMPv6, perhaps behind hop-by-hop options.
        local = to[:1] == b"\xff" or (to[:1] == b"\xfe" and to[1:2] and to[1] & 0xC0 == 0x80)
        return bool(local) and (
            frame[20:21] == b":" or frame[20:21] + frame[54:55] == b"\0:" or to == _DHCP6
        )
    return kind == _ARP


# poll's bits -> libslirp's, and back.
_BITS = ((1, 1), (4, 2), (2, 4), (8, 8), (16, 16))
_TO_POLL = [sum(p for p, s in _BITS if n & s) & 7 for n in range(32)]
_TO_SLIRP = [sum(s for p, s in _BITS if n & p) for n in range(64)]


class Network:
    """A private network with one board on it. The frames for the board go to `receive`."""

    def __init__(
        self,
        receive: Receive,
        internet: bool = False,
        resolver: bool = False,
        ipv6: bool = False,
    ) -> None:
        self._receive = receive
        self._ipv6 = ipv6
        self._internet = internet
        self._resolver = resolver
        self._handshakes = Handshakes()
        self._timers: dict[int, tuple[Any, int, float]] = {}
        self._events: dict[int, int] = {}
        self._revents: Mapping[int, int] = {}
        self._looked = 0.0
        self._library = _load()
        self._add_poll = _ADD_POLL(self._on_add_poll)
        self._get_revents = _GET_REVENTS(lambda fd, _: _TO_SLIRP[self._revents.get(fd, 0) & 63])
        config = _Config(
            version=1,
            in_enabled=True,
            network=_in("10.0.2.0"),
            netmask=_in("255.255.255.0"),
            host=_in(HOST),
            in6_enabled=ipv6,
            prefix6=_in6("fec0::"),
            prefix6_len=64,
            host6=_in6(HOST6),
            hostname=b"vboard",
            dhcp_start=_in(BOARD),
            resolver=_in(RESOLVER),
            resolver6=_in6(RESOLVER6),
        )
        # libslirp keeps the pointer.
        self._callbacks = _Callbacks(
            send_packet=_SEND(self._on_send_packet),
            guest_error=_TEXT(lambda text, _: None),
            clock_get_ns=_CLOCK(lambda _: time.monotonic_ns()),
            timer_new=_TIMER_NEW(self._on_timer_new),
            timer_free=_TIMER_FREE(lambda timer, _: self._timers.pop(timer or 0, None) and None),
            timer_mod=_TIMER_MOD(self._on_timer_mod),
            register_poll_fd=_POLL_FD(lambda fd, _: None),
            unregister_poll_fd=_POLL_FD(lambda fd, _: None),
            notify=_NOTIFY(lambda _: None),
        )
        self._slirp = self._library.slirp_new(byref(config), byref(self._callbacks), None)
        if not self._slirp:
            raise UsocketError("libslirp does not start", "A version from 4.0 to 4.9 is needed.")

    def close(self) -> None:
        if self._slirp:
            self._library.slirp_cleanup(self._slirp)
            self._slirp = None

    def input(self, frame: bytes) -> None:
        """A frame that the board sent."""
        if self._internet or stays_here(frame, self._resolver):
            # libslirp looks at its clock when it polls alone, and forgets a datagram's socket four
            # minutes after. One made after a longer wait, or before it has ever polled, would be
            # over before the answer is there.
            if time.monotonic() - self._looked > BEHIND:
                self._poll(failed=True)
            frame = self._handshakes.once(frame)
            self._library.slirp_input(self._slirp, frame, len(frame))

    def wants(self, timeout_ms: int) -> tuple[dict[int, int], int]:
        """What to poll for, as fd -> events, and for how long at most (-1: for ever)."""
        self._events = {}
        timeout = ctypes.c_uint32(timeout_ms)
        fill = self._library.slirp_pollfds_fill
        fill(self._slirp, byref(timeout), self._add_poll, None)
        wait = timeout.value if timeout.value < 1 << 31 else -1
        for _, _, expires in self._timers.values():
            left = max(0, int((expires - time.monotonic()) * 1000) + 1) if expires else -1
            if left >= 0:
                wait = left if wait < 0 else min(wait, left)
        return self._events, wait

    def polled(self, revents: Mapping[int, int]) -> None:
        """What poll found; to be called after each `wants`."""
        self._revents = revents
        now = self._poll()
        for timer, (expired, argument, expires) in list(self._timers.items()):
            if expires and expires <= now:
                self._timers[timer] = (expired, argument, 0)
                expired(argument)

    def _poll(self, failed: bool = False) -> float:
        """libslirp's turn; after a poll that failed it looks at the clock, and at no socket."""
        self._library.slirp_pollfds_poll(self._slirp, failed, self._get_revents, None)
        self._looked = time.monotonic()
        return self._looked

    def forward(self, wanted: Forward) -> Forward:
        """Open the host's port; the answer names the one that was taken for port 0."""
        before = set(self.wants(0)[0])
        if self._add_forward(wanted) < 0:
            number = ctypes.get_errno()
            where = f"port {wanted.host_port} of {wanted.address}"
            raise UsocketError(
                f"cannot forward {where}: {os.strerror(number)}",
                "0 as the host's port takes any free one.",
            )
        # libslirp does not tell the port, but asks to poll the new socket.
        (fd,) = set(self.wants(0)[0]) - before
        self.polled({})
        with socket.socket(fileno=os.dup(fd)) as listener:
            return wanted._replace(host_port=listener.getsockname()[1])

    def _add_forward(self, wanted: Forward) -> int:
        udp = wanted.protocol == "udp"
        ports = (wanted.host_port, wanted.board_port)
        ctypes.set_errno(0)
        if ":" not in wanted.address:
            add = self._library.slirp_add_hostfwd
            return int(add(self._slirp, udp, _in(wanted.address), ports[0], _in(BOARD), ports[1]))
        if not self._ipv6:
            raise UsocketError(
                f"the board has no IPv6 for the forward from {wanted.address}",
                "With --ipv6 it has; no stock firmware does.",
            )
        add = getattr(self._library, "slirp_add_hostxfwd", None)
        if not add:
            raise UsocketError(
                "this libslirp cannot forward IPv6", "Version 4.5 or later of libslirp can."
            )
        # struct sockaddr_in6: the family in the host's byte order, the port in the network's.
        here, there = (
            struct.pack("=H", socket.AF_INET6)
            + struct.pack("!HI16sI", port, 0, socket.inet_pton(socket.AF_INET6, address), 0)
            for address, port in zip((wanted.address, BOARD6), ports)
        )
        # Flags: 1 is UDP, 2 is IPv6 alone.
        return int(add(self._slirp, here, len(here), there, len(there), udp | 2))

    def _on_send_packet(self, buffer: int, length: int, _: object) -> int:
        self._receive(ctypes.string_at(buffer, length))
        return length

    def _on_add_poll(self, fd: int, events: int, _: object) -> int:
        self._events[fd] = _TO_POLL[events & 31]
        # libslirp calls it an index and only hands it back.
        return fd

    def _on_timer_new(self, expired: int, argument: int, _: object) -> int:
        timer = max(self._timers, default=0) + 1
        self._timers[timer] = (_EXPIRED(expired), argument, 0)
        return timer

    def _on_timer_mod(self, timer: int, expires_ms: int, _: object) -> None:
        expired, argument, _expires = self._timers[timer]
        self._timers[timer] = (expired, argument, expires_ms / 1000)
