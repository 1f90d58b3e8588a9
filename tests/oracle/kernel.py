"""System calls without a wrapper between them and their result.

CPython's socket hides some of what the kernel says: recv(0) does not reach it, a second close is
silent, -1 means "not given", recv with MSG_TRUNC shows bytes that were never written, and poll
joins entries of one fd.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import termios
from socket import IPPROTO_TCP, TCP_INFO, SocketType

_libc = ctypes.CDLL(None, use_errno=True)
_libc.recv.restype = ctypes.c_ssize_t
_libc.recvfrom.restype = ctypes.c_ssize_t

# A descriptor that nothing opens: what stands for a closed one.
NEVER = (1 << 20) - 1
SIOCOUTQNSD = 0x894B
TCP_CLOSE = 7
TCP_LISTEN = 10
POLLRDHUP = 0x2000
_ALL = 1 | 2 | 4 | POLLRDHUP


def error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _checked(result: int) -> int:
    if result < 0:
        raise error(ctypes.get_errno())
    return result


def socket(family: int, type: int, proto: int) -> int:
    return _checked(_libc.socket(family, type, proto))


def close(fd: int) -> None:
    os.close(fd)


def recv(fd: int, size: int, flags: int) -> tuple[int, bytes]:
    """What recv returns, and the bytes that it wrote."""
    buffer = ctypes.create_string_buffer(size + 1)
    n = _checked(_libc.recv(fd, buffer, ctypes.c_size_t(size), flags))
    return n, buffer.raw[: min(n, size)]


def connect(fd: int, packed: bytes) -> None:
    _checked(_libc.connect(fd, packed, len(packed)))


class _Pollfd(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def poll(entries: list[tuple[int, int]], timeout_ms: int) -> list[int]:
    """revents of each entry."""
    array = (_Pollfd * len(entries))(*[_Pollfd(fd, events) for fd, events in entries])
    _checked(_libc.poll(array, ctypes.c_ulong(len(entries)), timeout_ms))
    return [item.revents for item in array]


_single = _Pollfd()


def revents(fd: int, events: int) -> int:
    """What poll tells of one descriptor now."""
    _single.fd, _single.events = fd, events
    _checked(_libc.poll(ctypes.byref(_single), ctypes.c_ulong(1), 0))
    return _single.revents


def ioctl(fd: int, request: int, value: int = 0) -> int:
    return struct.unpack("i", fcntl.ioctl(fd, request, struct.pack("i", value)))[0]


def state(sock: SocketType, tcp: bool) -> tuple[tuple, int]:
    """What the kernel would tell about a socket now, without changing it; and how many bytes
    TCP holds back (Nagle, a full window)."""
    fd = sock.fileno()
    known: tuple = (revents(fd, _ALL),)
    held = 0
    if tcp:
        info = sock.getsockopt(IPPROTO_TCP, TCP_INFO, 32)
        if info[0] == TCP_LISTEN:
            # A listener keeps in tcpi_unacked and tcpi_sacked how many connections wait, and may.
            return (*known, struct.unpack_from("II", info, 24)), 0
        if info[0] != TCP_CLOSE:
            held = ioctl(fd, SIOCOUTQNSD)
    try:
        return (*known, ioctl(fd, termios.FIONREAD)), held
    except OSError:
        return known, held


def readable(fd: int) -> int:
    try:
        return ioctl(fd, termios.FIONREAD)
    except OSError:
        return 0
