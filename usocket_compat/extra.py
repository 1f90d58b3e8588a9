# SPDX-License-Identifier: MIT
# Names of conveniences and their files. Loaded for a name that is none of Zephyr's calls and
# constants; a board drops it again.

from sys import modules

from . import _config

_PACKAGE = __name__.rpartition(".")[0]
# A file, and what it is loaded for.
NAMES = (
    "|zsendall zsock_send_all zsock_sendmsg_all |zqueue SendQueue "
    "|zfail StreamError IncompleteReadError |zstream Stream recv_line recv_exact recv_all "
    "|zdial create_connection create_server dial accept4 peeraddr "
    "|zcontrol close_reset set_keepalive get_keepalive set_linger get_linger take_error peek "
    "readv writev read_bufs write_bufs simultaneous_accepts detach "
)
_MODULES = " luastyle errnostyle "


def find(name):
    """What has that name; None."""
    package = modules[_PACKAGE]
    if _config.USOCKET_LAZY:
        modules.pop(__name__, None)
        package.__dict__.pop("extra", None)
    if " " + name + " " in _MODULES:
        return package._module(name)
    at = NAMES.find(" " + name + " ")
    if at < 0:
        name = "zsock_" + name
        at = NAMES.find(" " + name + " ") if _config.NET_SOCKETS_POSIX_NAMES else -1
    if at < 0:
        return None
    at = NAMES.rfind("|", 0, at) + 1
    return getattr(package._module(NAMES[at : NAMES.find(" ", at)]), name)


def public():
    """Every name of this file."""
    names = [name for name in NAMES.replace("|", "|-").split() if name[0] != "|"]
    if _config.NET_SOCKETS_POSIX_NAMES:
        names += [name[6:] for name in names if name[:6] == "zsock_"]
    return names
