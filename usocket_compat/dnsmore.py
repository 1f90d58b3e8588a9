# SPDX-License-Identifier: MIT
# What is rare with names: answers that no datagram holds, over TCP (RFC 7766); servers that the
# program names; true names, AI_ADDRCONFIG. Loaded by dns.py for these.

from .zbase import fail, p, tab

# Bytes of an answer: some 250 addresses.
_MOST = 4096
_NOW = p.number("EISCONN")
_LATER = p.number("EAGAIN"), p.number("EINPROGRESS"), p.number("EALREADY"), p.number("EINTR")


def exchange(fd, sock, addr, message, until):
    """Sends a message, and gives the answer; None if there is none. A generator as dns.steps."""
    size = len(message)
    out = bytes((size >> 8, size & 255)) + message
    data = b""
    # First the two bytes of its length.
    want = 2
    connected = False
    while len(data) < want:
        if not connected:
            r = p.connect(sock.h, addr, False) or 0
            err = p.last_error(r) if r else 0
            connected = not err or err == _NOW
        elif out:
            r = p.send(sock.h, out, len(out), 0)
            err = p.last_error(r) if r < 0 else 0
            if not err:
                out = out[r:]
        else:
            r = p.recv(sock.h, want - len(data), 0)
            err = p.last_error(r) if r.__class__ is int else 0
            if not err:
                if not r:
                    return None
                data += r
                if want == 2 and len(data) == 2:
                    want = 2 + (data[0] << 8 | data[1])
                    if want > _MOST:
                        return None
        if err and not (connected and err == _NOW):
            ms = p.ticks_diff(until, p.ticks_ms())
            if err not in _LATER or ms <= 0:
                return None
            yield fd, 4 if out else 1, ms
            if tab[fd] is not sock:
                fail("EBADF")
    return data[2:]


def checked(hosts, family_of):
    """The servers that a program has given."""
    found = []
    for pair in hosts:
        try:
            host, port = pair
        except (TypeError, ValueError):
            raise TypeError("name servers are a list of (host, port)")
        if port.__class__ is not int:
            raise TypeError("port is an int")
        if not 0 < port < 65536:
            raise OverflowError("port must be 1-65535.")
        try:
            p.inet_pton(family_of(host), host.partition("%")[0])
        except (ValueError, OSError):
            raise ValueError("a name server's host is an address in numbers: " + repr(host))
        found.append((host, port))
    return found


def configured(call, family, want, inet6):
    """With AI_ADDRCONFIG: the types (A 1, AAAA 28) of which the platform has an address itself."""
    have = []
    for kind in want:
        try:
            call(None, "1", 2 if kind == 1 else inet6, 1, 0, p.number("AI_ADDRCONFIG"))
            have.append(kind)
        except p.gaierror:
            # Without any address there is nothing to choose by, if the program has not chosen.
            if family and (family == 2) == (kind == 1):
                raise
    return have or want


def text(name):
    """A name in a message's form as text."""
    labels = []
    at = 0
    while name[at]:
        n = name[at] + 1
        labels.append("".join([chr(c) for c in name[at + 1 : at + n]]))
        at += n
    return ".".join(labels)
