# SPDX-License-Identifier: MIT
# What of a Poller's fds is ready and epoll does not know: TLS sockets, all of which zsock_poll is
# asked for; and of others those of which a Stream has read ahead, which say so. set_: zepoll.Set.

from sys import modules

from .poller import Event
from .zbase import p, tab
from .zpoll import zsock_pollfd

_package = modules[__name__.rpartition(".")[0]]
_POLLIN = 1
_POLLNVAL = 32
_EDGE = 1
_ONESHOT = 2


def look_ahead(set_):
    """What Streams hold: fd -> POLLIN."""
    set_.some_ahead = False
    ahead = {}
    fd = set_.ahead.find(b"\1")
    while fd >= 0:
        set_.ahead[fd] = 0
        entry = set_.by[fd]
        if entry and entry.sock is tab[fd] and not entry.opts & _EDGE:
            sock = entry.sock
            if sock.p is not p:
                set_.ahead[fd] = 1
                set_.some_ahead = True
                held = sock.p.at < sock.p.end
                if held and entry.events & _POLLIN and not (entry.told and entry.told[0]):
                    ahead[fd] = _POLLIN
        fd = set_.ahead.find(b"\1", fd + 1)
    return ahead


def gather(set_):
    """The list of those that the kernel knows nothing of."""
    set_.void = False
    odd = []
    for entry in set_.by:
        if entry and entry.pfd and not (entry.told and entry.told[0]):
            odd.append(entry.pfd)
    within = set_.within
    if odd and not (within and tab[within.fd] is within.entry):
        from .zopen import adopt

        within = zsock_pollfd(adopt(set_.kernel.dup()), _POLLIN)
        setattr(within, "entry", tab[within.fd])
        set_.within = within
    if odd:
        odd.append(within)
    elif within:
        leave_within(set_)
    set_.odd = odd


def leave_within(set_):
    within, set_.within = set_.within, None
    if within and tab[within.fd] is within.entry:
        _package.zsock_close(within.fd)


def look_odd(set_, ms, found, told):
    _package.zsock_poll(set_.odd, ms)
    for pfd in set_.odd:
        if pfd.revents and pfd is not set_.within:
            entry = pfd.entry
            if set_.by[entry.fd] is not entry or entry.told and entry.told[0]:
                set_.void = True
            elif tab[entry.fd] is not entry.sock:
                set_.remove(entry)
            else:
                found.append(Event(entry.token, pfd.revents))
                if entry.opts & _ONESHOT:
                    told.append(entry)
                    entry.told = told
        elif pfd.revents & _POLLNVAL:
            set_.void = True  # closed, as by closeall
