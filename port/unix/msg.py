# SPDX-License-Identifier: MIT
# sendmsg and recvmsg of libc: struct msghdr, iovec and cmsghdr laid out by hand (cmsg(3)).

from uctypes import addressof

from .clib import libc
from .firmware import room, struct
from .sockaddr import unpack

_CMSG_CLOEXEC = 0x40000000
_MSGHDR = "PIPLPLi"
_WORD = struct.calcsize("L")
_HEAD = struct.calcsize("Lii")


def _align(n):
    return (n + _WORD - 1) & ~(_WORD - 1)


def _address(buf):
    return addressof(buf) if len(buf) else 0


def _iovec(buffers):
    iov = bytearray(struct.calcsize("PL") * len(buffers))
    for i, buf in enumerate(buffers):
        struct.pack_into("PL", iov, i * struct.calcsize("PL"), _address(buf), len(buf))
    return iov


def sendmsg(h, buffers, ancdata, flags, name):
    iov = _iovec(buffers)
    control = bytearray()
    for level, kind, data in ancdata:
        data = bytes(data)
        control += struct.pack("Lii", _HEAD + len(data), level, kind) + data
        control += bytes(_align(len(data)) - len(data))
    name = name or b""
    head = bytearray(
        struct.pack(
            _MSGHDR,
            _address(name),
            len(name),
            _address(iov),
            len(buffers),
            _address(control),
            len(control),
            0,
        )
    )
    return libc("sendmsg", "l", "iPi")(h, head, flags)


def recvmsg(h, buffers, ancbufsize, flags):
    iov = _iovec(buffers)
    name = bytearray(112)
    control = bytearray(ancbufsize)
    head = bytearray(
        struct.pack(
            _MSGHDR,
            addressof(name),
            len(name),
            _address(iov),
            len(buffers),
            _address(control),
            ancbufsize,
            0,
        )
    )
    # For the result, and the layer's entries of as many descriptors as there may be, up to 16.
    room(2048 + ancbufsize + min(ancbufsize // 4, 16) * 1024)
    n = libc("recvmsg", "l", "iPi")(h, head, flags | _CMSG_CLOEXEC)
    if n < 0:
        return n
    _, namelen, _, _, _, used, msg_flags = struct.unpack(_MSGHDR, head)
    ancdata = []
    at = 0
    while at + _HEAD <= used:
        size, level, kind = struct.unpack_from("Lii", control, at)
        end = min(at + size, used)
        ancdata.append((level, kind, bytes(control[at + _HEAD : end])))
        if size < _HEAD:
            break
        at += _align(size)
    addr = unpack(memoryview(name)[: min(namelen, len(name))])
    return n, ancdata, msg_flags & ~_CMSG_CLOEXEC, addr
