# SPDX-License-Identifier: MIT
# select, on poll.

from .zbase import fail, get
from .zpoll import poll_rest, zsock_pollfd

_POLLIN = 1
_POLLPRI = 2
_POLLOUT = 4
_POLLERR = 8
_POLLHUP = 16
_POLLNVAL = 32


def zsock_select(rlist, wlist, xlist, timeout_s=None):
    """Waits until an fd of rlist can be read, of wlist written, or of xlist has urgent data.

    timeout_s: seconds, int or float; None for no limit. Returns the three lists of ready fds.
    Raises OSError: EBADF for an invalid fd; EINVAL for a negative timeout; ENOMEM for more than
    ZVFS_POLL_MAX fds. Source: POSIX select(), zsock_select.
    """
    if timeout_s is not None and not timeout_s >= 0:
        fail("EINVAL")
    rlist, wlist, xlist = list(rlist), list(wlist), list(xlist)
    wanted = {}
    for fds, event in ((rlist, _POLLIN), (wlist, _POLLOUT), (xlist, _POLLPRI)):
        for fd in fds:
            get(fd)
            wanted[fd] = wanted.get(fd, 0) | event
    fds = [zsock_pollfd(fd, wanted[fd]) for fd in wanted]
    poll_rest(fds, -1 if timeout_s is None else int(timeout_s * 1000 + 0.999))
    ready = {}
    for pfd in fds:
        if pfd.revents & _POLLNVAL:
            fail("EBADF")
        ready[pfd.fd] = pfd.revents
    return (
        [fd for fd in rlist if ready[fd] & (_POLLIN | _POLLERR | _POLLHUP)],
        [fd for fd in wlist if ready[fd] & (_POLLOUT | _POLLERR)],
        [fd for fd in xlist if ready[fd] & _POLLPRI],
    )
