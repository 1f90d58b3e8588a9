# SPDX-License-Identifier: MIT
# The fd table where threads have no GIL, MicroPython's unix port: what usocket_compat/fdtable.py
# has, each step of it by one thread at a time.
#
# From where a step takes the lock to where it gives it back there is no branch: so no callback
# comes in between. Ctrl-C does, which the unix port raises wherever it comes, and may leave the
# lock behind. Whoever finds it held by its own thread, or for longer than any step takes, breaks
# it.

from _thread import allocate_lock, get_ident

from .firmware import sleep_ms

# How long a thread may be within a step at most (ms): as long as a busy machine lets it wait.
_LONGEST = 1000
_lock = allocate_lock()
# Its acquire and release. Ctrl-C within these leaves a lock that neither can be had nor given
# back: then there is a new one. Whose the lock is; None where that is not known. And a place for
# who did not get it.
lock = [_lock.acquire, _lock.release, None, None]
# Whether a step has begun, and not ended: 1 for whoever begins the next one.
begun = bytearray(1)

tab = []
least = 0  # entries, of which some may be nobody's (fast.py)
# Of each fd: 0 free, 1 in use, 2 one of several that have the same entry, or had. Then those that
# are nobody's: 3, and 4 as the end.
used = bytearray()
# What machine code asks instead of the entries (fast.py): the handle in 32 bits, -1 where there is
# none, and above these how many handles the fd has had before. So it never has the same one twice.
tokens = []
_LOW = 0xFFFFFFFF
changes = 0
closed = None


def handle(sock):
    """What a token has of an entry. Machine code has another."""
    return -1


def start(n, entry):
    global closed
    closed = entry
    tab.clear()
    # the last one is nobody's
    more = max(n, least) + 1 - n
    tab.extend([entry] * (n + more))
    tokens.clear()
    tokens.extend([-1] * (n + more))
    used[:] = bytes(n) + b"\3" * (more - 1) + b"\4"


def contend():
    """Acquires the lock, held at the moment, for this thread; gives its release."""
    me = get_ident()
    waited = last = 0
    while True:
        mine = lock[0](False)
        # Written down without a branch; into a place that nobody reads if it was not acquired.
        lock[3 - mine] = me
        if mine:
            return lock[1]
        if lock[2] != last:
            last = lock[2]
            waited = 0
        # No step calls another, and so what its own thread holds is left over.
        if last == me or waited == _LONGEST:
            lock[2] = None
            waited = 0
            try:
                lock[1]()
            except RuntimeError:
                new = allocate_lock()
                lock[1] = new.release
                lock[0] = new.acquire
        else:
            sleep_ms(1)
            waited += 1


def _acquired():
    lock[2] = get_ident()
    return lock[1]


# By what acquire(False) said.
_begin = contend, _acquired


def mend():
    """Ctrl-C came within a step: what is in use is what has an entry."""
    for fd in range(len(used)):
        if used[fd] < 3:
            used[fd] = (tab[fd] is not closed) * (1 + (tab[fd].shared > 0))


def _fine():
    pass


# By whether a step was left unfinished.
_look = _fine, mend


def put(sock):
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        fd = used.index(b"\0")
        begun[0] = 1
        tab[fd] = sock
        tokens[fd] += handle(sock) + 1
        used[fd] = 1 + sock.shared
        begun[0] = 0
        return fd
    finally:
        lock[2] = None
        release()


def take(fd):
    global changes
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        begun[0] = 1
        changes += 1
        sock = tab[fd]
        tokens[fd] |= _LOW
        tab[fd] = closed
        used[fd] = 0
        begun[0] = 0
        return sock
    finally:
        lock[2] = None
        release()


def twin(fd):
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        sock = tab[fd]
        sock.shared = 1
        new = used.index(b"\0")
        begun[0] = 1
        tab[new] = sock
        tokens[new] += handle(sock) + 1
        used[new] = used[fd] = 2 * (sock is not closed)
        begun[0] = 0
    finally:
        lock[2] = None
        release()
    if sock is closed:
        sock.shared = 0
        raise IndexError
    return new


def last(sock):
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        begun[0] = 1
        others = tab.count(sock)
        before = sock.shared
        sock.shared = 1 + (others == 0)
        begun[0] = 0
        return (others == 0) * (before == 1)
    finally:
        lock[2] = None
        release()


def mark(fd, sock):
    """The layer's own close, not machine code's, closes fd."""
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        used[fd] += (used[fd] == 1) * (tab[fd] is sock)
    finally:
        lock[2] = None
        release()


def divert(sock, h, fd):
    """sock.h = h, and the token of fd of that, if fd still is that entry: used by several then."""
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        begun[0] = 1
        mine = tab[fd] is sock
        used[fd] += (2 - used[fd]) * mine
        sock.h = (sock.h, h)[mine]
        # As many handles as it had before: it is the same one, or kept from who asks.
        tokens[fd] = (tokens[fd], tokens[fd] & ~_LOW | handle(sock) & _LOW)[mine]
        begun[0] = 0
    finally:
        lock[2] = None
        release()


def learn(fd):
    """The entry of fd got its handle after its number: so does its token."""
    release = _begin[lock[0](False)]()
    try:
        _look[begun[0]]()
        # One that has it stays: another thread may be at work with it.
        tokens[fd] += (handle(tab[fd]) + 1) * (tokens[fd] & _LOW == _LOW)
    finally:
        lock[2] = None
        release()
