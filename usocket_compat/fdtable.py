# SPDX-License-Identifier: MIT
# The fd table: small ints -> entries, the lowest free number first. It calls nothing of a port.
#
# put, take, twin and last have no branch in them. On MicroPython a callback, Ctrl-C and, where
# there is a GIL, another thread come in only at a branch: so each of the four is one step, and
# needs no lock. Where that is not so the port brings a table of its own (port/interface.py). take
# and last allocate nothing: a close needs no memory.


class Sock:
    """An entry: the port's handle, and what the layer knows of the socket."""

    h = None
    # whose operations it has: the port's, or those of a TLS socket (tls.py)
    p = None
    # What most sockets never change costs them nothing here.
    family = 2  # AF_INET, on every system
    stream = True
    nonblock = False
    # SO_RCVTIMEO and SO_SNDTIMEO in ms; 0 waits for ever
    rcvtimeo = 0
    sndtimeo = 0
    # whether its calls wait in the platform now, and whether they ever may (zarm.py)
    armed = False
    may_arm = False
    # whether it is an eventfd; None for a socket
    event = None
    # 1 when another fd has, or had, this entry too (twin), 2 when the last of them is closed
    shared = 0


# What a closed fd leads to; zbase gives it the port's closed handle.
closed = Sock()
# An entry for each number, `closed` where it is free; and whether it is in use.
tab = []
busy = bytearray()
# Counts closes, and new pollfds: what was derived from fds before is void after.
changes = 0


def start(n, entry):
    """Makes room for n fds, all of them closed."""
    global busy
    tab.extend([entry] * n)
    busy = bytearray(n)


def put(sock):
    """Opens the lowest free fd for an entry, and gives it; ValueError when all are in use."""
    fd = busy.index(b"\0")
    tab[fd] = sock
    busy[fd] = 1
    return fd


def take(fd):
    """Closes an fd, and gives the entry that it had; whose handle is closed then: see last."""
    global changes
    changes += 1
    sock = tab[fd]
    tab[fd] = closed
    busy[fd] = 0
    return sock


def twin(fd):
    """Opens the lowest free fd for the entry of fd; ValueError when all are in use.

    IndexError when fd is closed.
    """
    sock = tab[fd]
    sock.shared = 1
    new = busy.index(b"\0")
    tab[new] = sock
    busy[new] = 1
    # Here the step ends.
    if sock is closed:
        sock.shared = busy[new] = 0
        raise IndexError
    return new


def last(sock):
    """1 to the one that has closed the last fd of a shared entry, 0 to all others."""
    others = tab.count(sock)
    before = sock.shared
    sock.shared = 1 + (others == 0)
    return (others == 0) * (before == 1)
