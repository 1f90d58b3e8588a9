# SPDX-License-Identifier: MIT
# What it takes to ask name servers, as libc has it (resolver(5), hosts(5)), and where it would put
# addresses of IPv6.

from .firmware import inet_pton, os, socket

urandom = os.urandom
# How much of a file is read.
_MOST = 65536
_SERVERS = 3


def _words(path):
    """The words of each line."""
    try:
        with open(path, "rb") as f:
            lines = f.read(_MOST).split(b"\n")
    except OSError:
        return []
    return [line.replace(b"\r", b"").split(b"#")[0].split() for line in lines]


def nameservers(name):
    if name:
        name = name.encode()
        for words in _words("/etc/hosts"):
            if name in [word.lower() for word in words[1:]]:
                return None
    found = []
    for words in _words("/etc/resolv.conf"):
        if len(words) > 1 and words[0] == b"nameserver":
            try:
                host = words[1].decode()
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                inet_pton(family, host.split("%")[0])
                found.append((host, 53))
            except (OSError, ValueError):
                pass
    return found[:_SERVERS] or [("127.0.0.1", 53)]


def ipv6_first(host6, host4):
    """Whether libc puts addresses of IPv6 first: it does unless there is a way to IPv4 alone."""
    return _way(socket.AF_INET6, host6) or not _way(socket.AF_INET, host4)


def _way(family, host):
    s = socket.socket(family, socket.SOCK_DGRAM)
    try:
        s.connect(socket.getaddrinfo(host, 9, family)[0][-1])
        return True
    except OSError:
        return False
    finally:
        s.close()
