# SPDX-License-Identifier: MIT
# Names as Zephyr writes them, of what is here without its prefixes: ZSOCK_POLLIN, NET_AF_INET.
# Loaded for a name that nothing else has, and asks extra.py first; a board drops it again.

from sys import modules

from . import _config

_PACKAGE = __name__.rpartition(".")[0]
# The hosts of IPv6; those of IPv4, INADDR_ANY and its like, are numbers.
_HOSTS = "IN6ADDR_ANY=:: IN6ADDR_LOOPBACK=::1"
# Functions, and what they are here.
_CALLS = (
    "net_addr_pton=zsock_inet_pton net_addr_ntop=zsock_inet_ntop"
    " net_htons=htons net_htonl=htonl net_ntohs=ntohs net_ntohl=ntohl"
)
# Those of service.py.
_SERVICE = (
    "NET_SOCKET_SERVICE_SYNC_DEFINE net_socket_service_register net_socket_service_unregister"
    " net_socket_service_foreach net_socket_service_step net_socket_service_start"
    " net_socket_service_stop net_socket_service_task"
)


def find(name):
    """What Zephyr calls so; AttributeError. Kept in the package, as what was found there is."""
    package = modules[_PACKAGE]
    if _config.USOCKET_LAZY:
        modules.pop(__name__, None)
        package.__dict__.pop("zephyr", None)
    value = package._module("extra").find(name)
    if value is not None:
        setattr(package, name, value)
        return value
    prefix, _, rest = name.partition("_")
    known = True
    value = None
    if name.lower()[:19] == "net_socket_service_":
        known = name in _SERVICE.split()
        if known:
            try:
                value = getattr(package._module("service"), name)
            except ImportError:
                pass  # NET_SOCKETS_SERVICE=n
    elif prefix in ("ZSOCK", "ZVFS", "NET", "DNS"):
        if rest.upper() == rest:
            known = name in spelled(rest)
            value = package._other(rest)
    else:
        rest = name
        value = _named(_CALLS, name)
        if value:
            value = getattr(package, value)
    if value is None:
        value = _named(_HOSTS, rest)
    if value is None:
        raise AttributeError(name)
    # On hosts all that is public is there from the start: a dict that grows while another thread
    # looks into it needs a GIL.
    if known or _config.USOCKET_LAZY:
        setattr(package, name, value)
    return value


def _named(table, name):
    for item in table.split():
        if item.split("=")[0] == name:
            return item.split("=")[1]


def spelled(name):
    """How Zephyr's headers spell a constant: a list."""
    family = name[: name.find("_") + 1]
    if family == "EAI_":
        return ["DNS_" + name]
    if family == "EFD_":
        return ["ZVFS_" + name]
    if family in ("AF_", "PF_", "SOCK_", "IPPROTO_", "INADDR_", "IN6ADDR_", "INET_", "INET6_"):
        return ["NET_" + name]
    if family in ("F_", "O_") or name[:4] == "POLL":
        return ["ZSOCK_" + name, "ZVFS_" + name]
    return ["ZSOCK_" + name]


def public(constants):
    """Every name of this file, given the constants that have no prefix."""
    hosts = [item.split("=")[0] for item in _HOSTS.split()]
    names = hosts + [item.split("=")[0] for item in _CALLS.split()]
    names += ["tls_credential_" + each for each in ("add", "get", "delete")]
    names += _SERVICE.split()
    for name in constants + hosts:
        names += spelled(name)
    return names
