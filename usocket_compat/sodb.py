# SPDX-License-Identifier: MIT
# Names and numbers of services, protocols, interfaces and hosts, as the drop-in module has them;
# whether a program that is started inherits a socket; names of CPython's that nothing else has.

from sys import modules

import usocket_compat as _net
from usocket_compat.soerr import herror
from usocket_compat.zbase import op, p

# As IANA has them, and /etc/protocols of Debian's names: no platform has others.
_PROTOCOLS = (
    " ip=0 hopopt=0 icmp=1 igmp=2 ggp=3 ipencap=4 ipip=4 st=5 tcp=6 egp=8 igp=9 pup=12 udp=17"
    " hmp=20 xns-idp=22 idp=22 rdp=27 iso-tp4=29 tp=29 dccp=33 xtp=36 ddp=37 idpr-cmtp=38 ipv6=41"
    " ipv6-route=43 routing=43 ipv6-frag=44 fragment=44 idrp=45 rsvp=46 gre=47 esp=50"
    " ipsec-esp=50 ah=51 ipsec-ah=51 skip=57 ipv6-icmp=58 icmpv6=58 ipv6-nonxt=59 none=59"
    " ipv6-opts=60 dstopts=60 hopopts=0 rspf=73 vmtp=81 eigrp=88 ospf=89 ax.25=93 etherip=97"
    " encap=98 pim=103 ipcomp=108 vrrp=112 l2tp=115 isis=124 sctp=132 fc=133 mobility-header=135"
    " udplite=136 mpls-in-ip=137 manet=138 hip=139 shim6=140 wesp=141 rohc=142 ethernet=143 "
)
# The names that are IPPROTO_X in C alone, and no names of protocols.
_IN_C = " ipip idp tp routing fragment hopopts icmpv6 none dstopts "
_OTHERS = (
    " INADDR_UNSPEC_GROUP=3758096384 INADDR_ALLHOSTS_GROUP=3758096385"
    " INADDR_MAX_LOCAL_GROUP=3758096639 IPPORT_RESERVED=1024 IPPORT_USERRESERVED=5000"
    " IP_DEFAULT_MULTICAST_TTL=1 IP_DEFAULT_MULTICAST_LOOP=1 IP_MAX_MEMBERSHIPS=20 "
)
_KINDS = (("tcp", 1), ("udp", 2))


def _in(table, name):
    at = table.find(" " + name + "=")
    if at >= 0:
        at += len(name) + 2
        return int(table[at : table.find(" ", at)])
    return None


def __getattr__(name):
    if name in ("EBADF", "EWOULDBLOCK"):
        return p.number("EAGAIN" if name[1] == "W" else name)
    found = _in(_OTHERS, name)
    if found is None and name[:8] == "IPPROTO_":
        found = _in(_PROTOCOLS, name[8:].lower())
    if found is None:
        raise AttributeError(name)
    return found


def _str(name):
    if name.__class__ is not str:
        raise TypeError("a str is required")
    return name


def getservbyname(name, protocol=None):
    """The port of a service over a protocol, "tcp" or "udp"; None: over either.

    Raises OSError. Source: CPython's socket.getservbyname.
    """
    _str(name)
    for each, kind in _KINDS:
        if name and not name.isdigit() and protocol in (None, each):
            try:
                return _net.zsock_getaddrinfo(None, name, 2, kind)[0][4][1]
            except OSError:
                pass
    raise OSError("service/proto not found")


def getservbyport(port, protocol=None):
    """The name of the service of a port over a protocol, "tcp" or "udp"; None: over either.

    Raises OSError; OverflowError out of 0..65535. Source: CPython's socket.getservbyport.
    """
    if not 0 <= port <= 65535:
        raise OverflowError("getservbyport: port must be 0-65535.")
    from usocket_compat.services import forget, name_of

    try:
        for each, kind in _KINDS:
            if protocol not in (None, each):
                continue
            name = None
            if modules["usocket"].packs and hasattr(p, "getnameinfo"):
                flags = p.number("NI_NUMERICHOST") | (kind == 2) * p.number("NI_DGRAM")
                name = p.getnameinfo(("127.0.0.1", port), flags)[1]
            if not name or name.isdigit():
                name = name_of(str(port), kind)
            if name:
                return name
    finally:
        forget()
    raise OSError("port/proto not found")


def getprotobyname(name):
    """The number of a protocol: "tcp" is 6. Raises OSError.

    Source: CPython's socket.getprotobyname; IANA's list.
    """
    low = _str(name).lower()
    found = None
    # In small letters or in capitals, as /etc/protocols has them.
    if name in (low, low.upper()) and " " + low + " " not in _IN_C:
        found = _in(_PROTOCOLS, low)
    if found is None:
        raise OSError("protocol not found")
    return found


def gethostbyaddr(host):
    """(name, [], [address]) of a host, by its address. Raises herror, or gaierror for a name.

    Source: CPython's socket.gethostbyaddr.
    """
    addr = modules["usocket"].getaddrinfo(host, 0, 0, 2)[0][4]
    try:
        return _net.zsock_getnameinfo(addr, p.number("NI_NAMEREQD"))[0], [], [addr[0]]
    except p.gaierror:
        raise herror(1, "Unknown host")


def sethostname(name):
    """Gives this machine another name. Source: CPython's socket.sethostname."""
    op("sethostname")(name.decode() if name.__class__ is bytes else _str(name))


def if_nameindex():
    """[(index, name)] of the network interfaces; EOPNOTSUPP where the platform does not tell.

    Source: POSIX if_nameindex().
    """
    return op("if_nameindex")()


def if_nametoindex(name):
    """The index of a network interface. Raises OSError. Source: POSIX if_nametoindex()."""
    name = name.decode() if name.__class__ is bytes else _str(name)
    return op("if_nametoindex")(name)


def if_indextoname(index):
    """The name of a network interface. Raises OSError. Source: POSIX if_indextoname()."""
    if index.__class__ is not int:
        raise TypeError("an int is required")
    if not 0 <= index < 1 << 32:
        raise OverflowError("an interface's index is unsigned")
    return op("if_indextoname")(index)


def get_inheritable(self):
    """Whether programs that this one starts have the socket too: a board starts none."""
    f = getattr(p, "inheritable", None)
    if f is None and modules["usocket"].packs:
        op("inheritable")
    return f(_handle(self)) if f else False


def set_inheritable(self, inheritable):
    """EOPNOTSUPP where no program is started, unless it is False there."""
    if inheritable or modules["usocket"].packs:
        op("inheritable")(_handle(self), bool(inheritable))


def _handle(self):
    if self._us is None:
        return self._e.h
    self._us.fileno()  # EBADF of a closed one
    return p.wrap(self._us, self)
