# Zephyr's options, flags and names that no other file tests one by one: a row each of
# docs/matrix.md. The values are the Linux kernel's.
import struct

import refusals

import usocket_compat as net
from check import BOARD, LOOPBACK, close, eq, has, needs, raises, row, tcp, udp

V4, V6, SOL, IP6 = net.AF_INET, net.AF_INET6, net.SOL_SOCKET, net.IPPROTO_IPV6


def refused(name):
    refusals.option(name)
    return "refused"


def SO_DEBUG():
    """Only root may set it; anybody may clear it."""
    fd = tcp()
    net.zsock_setsockopt(fd, SOL, net.SO_DEBUG, 0)
    if has("getsockopt"):
        eq(net.zsock_getsockopt(fd, SOL, net.SO_DEBUG), 0)
    close(fd)


def SO_SNDLOWAT():
    """It is 1 for ever: socket(7)."""
    fd = tcp()
    raises("ENOPROTOOPT", net.zsock_setsockopt, fd, SOL, net.SO_SNDLOWAT, 1)
    if not has("getsockopt"):
        close(fd)
        return "refused"
    eq(net.zsock_getsockopt(fd, SOL, net.SO_SNDLOWAT), 1)
    close(fd)


def SO_TXTIME():
    """A struct sock_txtime: a clock, for others than root the monotonic one, and flags."""
    fd, _ = udp()
    value = struct.pack("iI", 1, 0)
    net.zsock_setsockopt(fd, SOL, net.SO_TXTIME, value)
    if has("getsockopt"):
        eq(net.zsock_getsockopt(fd, SOL, net.SO_TXTIME, 8), value)
    close(fd)


def IPV6_MTU():
    """Read, it is that of the way to the peer; set, it is a limit from 1280 up: ipv6(7)."""
    fd, addr = udp(V6)
    raises("EINVAL", net.zsock_setsockopt, fd, IP6, net.IPV6_MTU, 1279)
    net.zsock_setsockopt(fd, IP6, net.IPV6_MTU, 1280)
    if has("getsockopt"):
        raises("ENOTCONN", net.zsock_getsockopt, fd, IP6, net.IPV6_MTU)
        net.zsock_connect(fd, addr)
        eq(net.zsock_getsockopt(fd, IP6, net.IPV6_MTU), 65536)
    close(fd)


# rows: each
def test_options_of_a_kernel():
    for call in SO_DEBUG, SO_SNDLOWAT, SO_TXTIME, IPV6_MTU:
        name = call.__name__
        row(name, *((refused, name) if BOARD else (call,)))


# rows: each
def test_options_of_dtls_and_sessions():
    for name in (
        "TLS_DTLS_CID_STATUS",
        "TLS_DTLS_CID_VALUE",
        "TLS_DTLS_PEER_CID_VALUE",
        "TLS_DTLS_HANDSHAKE_ON_CONNECT",
    ):
        row(name, refusals.check, name)
    row("TLS_SESSION_CACHE_PURGE", purge)


def purge():
    if not has("TLS_SESSION_CACHE_PURGE"):
        return refusals.check("TLS_SESSION_CACHE_PURGE")
    fd = net.zsock_socket(V4, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SESSION_CACHE_PURGE, 1)
    close(fd)


# rows: each
def test_fionwrite():
    row("FIONWRITE", fionwrite)


def fionwrite():
    fd = tcp()
    raises("EOPNOTSUPP", net.zsock_ioctl, fd, net.FIONWRITE)
    close(fd)
    return "refused"


# rows: each
def test_families_and_protocols():
    for name in ("AF_PACKET", "AF_CAN", "AF_NET_MGMT"):
        row(name, family, name)
    for name in ("IPPROTO_TLS_1_0", "IPPROTO_TLS_1_1", "IPPROTO_DTLS_1_0", "IPPROTO_DTLS_1_2"):
        row(name, protocol, name)


def family(name):
    """A datagram socket: for root alone on Linux, where its kernel has the family."""
    try:
        close(net.zsock_socket(getattr(net, name), net.SOCK_DGRAM))
    except OSError as e:
        eq(e.errno in (net.errno.EAFNOSUPPORT, net.errno.EPERM), True, repr(e))
        return "refused"
    eq(name, "AF_PACKET")


def protocol(name):
    kind = net.SOCK_DGRAM if name[8] == "D" else net.SOCK_STREAM
    if name == "IPPROTO_DTLS_1_2" and has(name):
        return close(net.zsock_socket(V4, kind, getattr(net, name)))  # test_dtls.py
    raises("EPROTONOSUPPORT", net.zsock_socket, V4, kind, getattr(net, name))
    return "refused"


# rows: each
@needs("getaddrinfo")
def test_rare_flags_of_getaddrinfo():
    row("AI_ADDRCONFIG", found, "127.0.0.1", V4, net.AI_ADDRCONFIG)
    row("AI_ALL", found, "::ffff:127.0.0.1", V6, net.AI_V4MAPPED | net.AI_ALL)
    row("AI_EXTFLAGS", no_such_flag, net.AI_EXTFLAGS)


def found(host, family, flags):
    """An address in numbers is itself, whatever the flag."""
    all = net.zsock_getaddrinfo("127.0.0.1", 80, family, net.SOCK_STREAM, 0, flags)
    eq([addr[0] for _, _, _, _, addr in all], [host])


def no_such_flag(flags):
    """No libc knows it."""
    raises("EAI_BADFLAGS", net.zsock_getaddrinfo, "127.0.0.1", 80, 0, 0, 0, flags)
    return "refused"


# rows: NI_NOFQDN
@needs("getnameinfo")
def test_nofqdn():
    """This machine's own name has no domain to leave out."""
    name = net.zsock_getnameinfo((LOOPBACK[V4], 80), net.NI_NOFQDN | net.NI_NUMERICSERV)
    eq(name, ("localhost", "80"))


# Of C, of its structs and macros; of parts of Zephyr that are not here (docs/from-zephyr.md).
ABSENT = """
net_socket_service_close
zsock_get_context_object zsock_freeaddrinfo zsock_fd_set ZSOCK_FD_SETSIZE ZSOCK_FD_ZERO
ZSOCK_FD_SET ZSOCK_FD_CLR ZSOCK_FD_ISSET zsock_timeval zsock_addrinfo net_sockaddr CMSG_FIRSTHDR
CMSG_NXTHDR CMSG_DATA CMSG_SPACE CMSG_LEN net_addr_str_find_port net_getaddrinfo_addr_str
net_htonll net_ntohll net_ipaddr_parse net_ipaddr_parse_mask net_mask_len_to_netmask
net_netmask_to_mask_len net_port_set_default net_port_set net_port_get net_sockaddr_cmp
net_family2str net_family2size net_bytes_from_str net_ipv4_is_addr_loopback
net_ipv6_is_addr_loopback ZSOCK_IN6_IS_ADDR_UNSPECIFIED ZSOCK_IN6_IS_ADDR_LOOPBACK
ZSOCK_IN6_IS_ADDR_MULTICAST ZSOCK_IN6_IS_ADDR_LINKLOCAL ZSOCK_IN6_IS_ADDR_SITELOCAL
ZSOCK_IN6_IS_ADDR_V4MAPPED ZSOCK_IN6_IS_ADDR_MC_GLOBAL ZSOCK_IN6_IS_ADDR_MC_NODELOCAL
ZSOCK_IN6_IS_ADDR_MC_LINKLOCAL ZSOCK_IN6_IS_ADDR_MC_SITELOCAL ZSOCK_IN6_IS_ADDR_MC_ORGLOCAL
socket_offload_dns_register socket_offload_dns_deregister socket_offload_dns_enable
socket_offload_dns_is_enabled freeaddrinfo sockatmark read write
UDP_OPT UDP_OPT_OCS UDP_OPT_APC UDP_OPT_FRAG UDP_OPT_MDS UDP_OPT_MRDS UDP_OPT_REQ UDP_OPT_RES
UDP_OPT_TIME UDP_OPT_AUTH UDP_OPT_EXP UDP_OPT_UCMP UDP_OPT_UENC UDP_OPT_UEXP UDP_OPT_DPLPMTUD
UDP_OPT_DPLPMTUD_APP_RESPOND ETH_P_ALL IPPROTO_QUIC
"""


# rows: each
def test_names_that_are_not_here():
    for name in ABSENT.split():
        row(name, absent, name)


def absent(name):
    raises(AttributeError, getattr, net, name)
    return "refused"
