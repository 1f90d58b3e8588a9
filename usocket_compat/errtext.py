# SPDX-License-Identifier: MIT
# From the numbers of errors back to their names. Loaded when a program asks for that.

from .zbase import p


def _numbers(wanted):
    """(number, name) of each errno name that `wanted` says True for, in the port's order.

    One at a time: a board may have no room for all. Who has asked calls _forget.
    """
    for name in p.names():
        if name[0] == "E" and wanted(name):
            yield p.number(name), name


def _forget():
    forget = getattr(p, "forget_names", None)
    if forget:
        forget()


def _is_errno(name):
    return name[3:4] != "_"  # EAI_X, EFD_X


def errorcode():
    """A new dict of errno numbers and names. Of two names for one number the first counts."""
    found = {}
    for number, name in _numbers(_is_errno):
        found.setdefault(number, name)
    _forget()
    return found


def strerror(error):
    """The name of an error: "ECONNREFUSED", of a gaierror "EAI_NONAME".

    error: an OSError, or its errno as int. "Unknown error 999" for a number without a name; the
    text of an OSError that has no errno.
    Raises TypeError for anything else. Source: POSIX strerror(); for its texts a
    board has no room.
    """
    number = error
    if isinstance(error, OSError):
        number = error.errno
        if not isinstance(number, int):
            return str(error)
    elif not isinstance(error, int):
        raise TypeError("strerror takes an OSError or an int")
    lookup = isinstance(error, p.gaierror)
    found = None
    try:
        for value, name in _numbers(_is_error):
            if value == number:
                if (name[3:4] == "_") == lookup:
                    return name
                found = found or name
    finally:
        _forget()
    return found or "Unknown error %d" % number


def _is_error(name):
    return name[:4] != "EFD_"
