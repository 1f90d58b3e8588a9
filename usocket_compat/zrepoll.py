# SPDX-License-Identifier: MIT
# The same list polled again, which is nearly every poll: one Python function above the platform's
# poller. What else there is of poll is in zpoll.py. A port that does better (the ESP32) has a
# zsock_poll of its own, and this file is not loaded.

from .zbase import table
from .zpoll import SLICE, poll_rest
from .zpollset import pollset

_int, _len, _slice = int, len, SLICE

# The set that was polled last, if each of its fds has one entry.
_last = pollset([])


# As zsock_send: a frame of no more than 11 words. So its arguments become others: fds the key of
# an entry that is ready, then the entry; timeout_ms its revents.
def zsock_poll(fds, timeout_ms):
    """Waits until one of fds is ready, or timeout_ms have passed (0: at once; negative: no limit).

    fds: a list of zsock_pollfd, which the caller keeps and uses again. Sets `revents` of each and
    returns how many are not 0. A negative fd is skipped; a closed one is POLLNVAL.
    Raises OSError: ENOMEM for more than ZVFS_POLL_MAX entries. Source: POSIX poll(), zsock_poll.
    """
    kept = _last
    if fds is not kept.fds or kept.n != _len(fds) or kept.changes != table.changes:
        return _remember(fds, timeout_ms)
    if timeout_ms.__class__ is not _int or not (kept.alone or kept.holds(fds)):
        return poll_rest(fds, timeout_ms)
    n = kept.ready
    while n:
        n -= 1
        kept.shown[n].revents = 0
    # Until it is over nobody knows how many have revents.
    kept.ready = kept.unknown
    # A longer wait needs the clock, and is poll_rest's: most calls have something to tell at once.
    for fds, timeout_ms in kept.ipoll(
        0 if timeout_ms > _slice else timeout_ms if timeout_ms >= 0 else _slice
    ):
        fds = kept.by_key[fds]
        kept.shown[n] = fds
        fds.revents = timeout_ms
        n += 1
    if kept.ready != kept.unknown:
        # A callback, or a signal's handler, has polled the same list meanwhile.
        kept.changes = -1
        return poll_rest(kept.fds, 0)
    kept.ready = n
    if n or 0 <= timeout_ms <= _slice:
        return n
    return poll_rest(fds, timeout_ms)


def _remember(fds, timeout_ms):
    global _last
    n = poll_rest(fds, timeout_ms)
    if fds and fds.__class__ is list:
        kept = fds[0]._kept
        if kept and kept.fds is fds and not kept.several and not kept.invalid:
            _last = kept
    return n
