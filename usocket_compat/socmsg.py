# SPDX-License-Identifier: MIT
# Ancillary data of the drop-in, as CPython's programs count and pass it.

import ustruct as struct

from usocket_compat import SCM_RIGHTS, SOL_SOCKET

# struct cmsghdr: a size_t and two ints, and what follows it begins at the next size_t.
_WORD = struct.calcsize("P")
_HEAD = _WORD + 8
_LARGEST = 0x7FFFFFFF


def _counted(name, n, most):
    if not 0 <= n <= most:
        raise OverflowError(name + "() argument out of range")
    return n + _HEAD


def CMSG_LEN(length):
    """The size of an ancillary item with length bytes of data, without what pads it: int.

    Raises OverflowError. Source: RFC 3542 section 20.3, CPython's socket.CMSG_LEN.
    """
    return _counted("CMSG_LEN", length, _LARGEST - _HEAD)


def CMSG_SPACE(length):
    """The room that recvmsg needs for an ancillary item with length bytes of data: int.

    Raises OverflowError. Source: RFC 3542 section 20.2, CPython's socket.CMSG_SPACE.
    """
    return (_counted("CMSG_SPACE", length, _LARGEST - _HEAD - _WORD) + _WORD - 1) & -_WORD


def send_fds(sock, buffers, fds, flags=0, address=None):
    """Sends buffers, and fds of the layer with them, over AF_UNIX: the count of bytes sent.

    Raises what sendmsg does. Source: CPython's socket.send_fds.
    """
    data = struct.pack(str(len(fds)) + "i", *fds)
    return sock.sendmsg(buffers, [(SOL_SOCKET, SCM_RIGHTS, data)], flags, address)


def recv_fds(sock, bufsize, maxfds, flags=0):
    """Receives bufsize bytes and maxfds fds at most: (data, list of fds, flags, address).

    Raises what recvmsg does. Source: CPython's socket.recv_fds.
    """
    msg, ancillary, flags, address = sock.recvmsg(bufsize, CMSG_LEN(maxfds * 4), flags)
    fds = []
    for level, type, data in ancillary:
        if level == SOL_SOCKET and type == SCM_RIGHTS:
            fds.extend(struct.unpack(str(len(data) // 4) + "i", data[: len(data) // 4 * 4]))
    return msg, fds, flags, address
