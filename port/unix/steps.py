# SPDX-License-Identifier: MIT
# The fd table on CPython: what usocket_compat/fdtable.py has. There a signal's handler, Ctrl-C and
# other threads may come in between any two bytecodes, so each step is decided by one operation of
# a dict, which is made or not made.

tab = []
# Whose each number is: an entry in a list that is made for it, since dup puts the same entry to
# several numbers, of several threads at once.
_owners = {}
changes = 0
closed = None
_numbers = range(0)


def start(n, entry):
    global closed, _numbers
    closed = entry
    tab.clear()
    tab.extend([entry] * n)
    _numbers = range(n)


def put(sock):
    fd = -1
    mine = [sock]
    try:
        for fd in _numbers:
            if tab[fd] is closed and _owners.setdefault(fd, mine) is mine:
                if tab[fd] is closed:
                    tab[fd] = sock
                    return fd
                # Its last owner is still on the way out: the next one.
                del _owners[fd]
    except BaseException:
        if _owners.get(fd) is mine:
            tab[fd] = closed
            del _owners[fd]
        raise
    raise ValueError


def take(fd):
    global changes
    changes += 1
    try:
        owner = _owners.pop(fd, None)
    except BaseException:
        if fd not in _owners:
            tab[fd] = closed
        raise
    if owner is None:
        return closed
    tab[fd] = closed
    return owner[0]


def twin(fd):
    sock = tab[fd]
    sock.shared = 1
    new = put(sock)
    if tab[fd] is not sock or sock is closed:
        # Closed meanwhile, and who did that may have counted this one: to close it twice does no
        # harm to a socket of CPython.
        take(new)
        closed.shared = 0
        if last(sock):
            sock.h.close()
        raise IndexError
    return new


def last(sock):
    if tab.count(sock):
        return 0
    before, sock.shared = sock.shared, 2
    return before == 1
