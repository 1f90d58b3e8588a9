# Constants and errno names: there, ints, and of the meaning that POSIX gives them.
# That their names are the same on every target: tests/test_same_names.py.
import usocket_compat as net
from check import BOARD, EAIS, ERRNOS, close, eq, errno_name, has, raises, row, tcp, true, udp_pair
from usocket_compat import errno

CONSTANTS = """
AF_UNSPEC AF_INET AF_INET6 AF_UNIX AF_LOCAL
SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_NONBLOCK
SOL_SOCKET IPPROTO_IP IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6
SO_REUSEADDR SO_TYPE SO_ERROR SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_PRIORITY
SO_LINGER SO_REUSEPORT SO_RCVLOWAT SO_RCVTIMEO SO_SNDTIMEO SO_BINDTODEVICE SO_PROTOCOL SO_DOMAIN
SO_ACCEPTCONN SO_OOBINLINE SO_DONTROUTE SCM_RIGHTS
TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
IP_TOS IP_TTL IP_PKTINFO IP_RECVTTL IP_MTU IP_MULTICAST_IF IP_MULTICAST_TTL IP_MULTICAST_LOOP
IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP
IPV6_UNICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP IPV6_JOIN_GROUP
IPV6_LEAVE_GROUP IPV6_ADD_MEMBERSHIP IPV6_DROP_MEMBERSHIP IPV6_V6ONLY IPV6_RECVPKTINFO
IPV6_PKTINFO IPV6_RECVHOPLIMIT IPV6_HOPLIMIT IPV6_TCLASS
MSG_PEEK MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_WAITALL MSG_OOB
SHUT_RD SHUT_WR SHUT_RDWR
POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL
AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_V4MAPPED AI_ALL AI_ADDRCONFIG AI_NUMERICSERV
NI_NUMERICHOST NI_NUMERICSERV NI_NOFQDN NI_NAMEREQD NI_DGRAM
F_GETFL F_SETFL O_NONBLOCK FIONREAD FIONBIO SOMAXCONN
AF_PACKET AF_CAN AF_IPX AF_NET_MGMT PF_PACKET PF_CAN PF_LOCAL SOCK_RDM
IPPROTO_IGMP IPPROTO_IPIP IPPROTO_ICMPV6 IPPROTO_RAW IPPROTO_TLS_1_2 IPPROTO_DTLS_1_2 SOL_TLS
SO_MARK SO_PEERCRED SO_TXTIME SO_SOCKS5 TCP_INFO TCP_CONGESTION TCP_FASTOPEN_CONNECT IP_HDRINCL
IP_DONTFRAG IPV6_MTU IPV6_DONTFRAG IPV6_ADDR_PREFERENCES IPV6_PREFER_SRC_TMP MSG_CONFIRM
MSG_FASTOPEN AI_EXTFLAGS EAI_IDN_ENCODE FIONWRITE NI_MAXHOST INET_ADDRSTRLEN INET6_ADDRSTRLEN
INADDR_ANY INADDR_BROADCAST SOF_TIMESTAMPING_RX_HARDWARE TLS_SEC_TAG_LIST TLS_HOSTNAME
TLS_PEER_VERIFY_NONE TLS_PEER_VERIFY_OPTIONAL TLS_PEER_VERIFY_REQUIRED TLS_CERT_VERIFY_CALLBACK
IPPROTO_TLS_1_0 IPPROTO_TLS_1_1 IPPROTO_TLS_1_3 IPPROTO_DTLS_1_0 PF_UNSPEC PF_INET PF_INET6
PF_NET_MGMT PF_UNIX EAI_INPROGRESS EAI_CANCELED EAI_NOTCANCELED EAI_ALLDONE INADDR_LOOPBACK
SCM_TXTIME SOF_TIMESTAMPING_TX_HARDWARE IPV6_PREFER_SRC_PUBLIC IPV6_PREFER_SRC_PUBTMP_DEFAULT
TLS_DTLS_ROLE_CLIENT TLS_DTLS_ROLE_SERVER TLS_CREDENTIAL_CA_CERTIFICATE
TLS_CREDENTIAL_PUBLIC_CERTIFICATE TLS_CREDENTIAL_SERVER_CERTIFICATE TLS_CREDENTIAL_PRIVATE_KEY
TLS_CREDENTIAL_PSK TLS_CREDENTIAL_PSK_ID
""".split()

# Names of one group must not stand for the same number.
GROUPS = (
    "AF_UNSPEC AF_INET AF_INET6 AF_UNIX",
    "SOCK_STREAM SOCK_DGRAM SOCK_RAW",
    "SHUT_RD SHUT_WR SHUT_RDWR",
    "MSG_PEEK MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_WAITALL MSG_OOB MSG_CONFIRM MSG_FASTOPEN",
    "POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL",
    "TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT",
    "SO_REUSEADDR SO_TYPE SO_ERROR SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_LINGER"
    " SO_REUSEPORT SO_RCVTIMEO SO_SNDTIMEO SO_BINDTODEVICE SO_PROTOCOL SO_DOMAIN",
    "AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_V4MAPPED AI_ALL AI_ADDRCONFIG AI_NUMERICSERV",
    "F_GETFL F_SETFL",
    "FIONREAD FIONBIO",
    "EFD_SEMAPHORE EFD_NONBLOCK EFD_CLOEXEC",
)
FLAGS = "POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL MSG_PEEK MSG_DONTWAIT SOCK_NONBLOCK"


def there(name):
    true(isinstance(getattr(net, name), int))
    return "there"


# rows: each
def test_constants():
    for name in CONSTANTS + EAIS:
        row(name, there, name)


def test_constants_differ():
    for names in GROUPS:
        values = [getattr(net, name) for name in names.split()]
        eq(len(set(values)), len(values), names)
    for name in FLAGS.split():
        value = getattr(net, name)
        true(value and value & (value - 1) == 0, name + " is one bit")
    eq(net.SOCK_NONBLOCK & (net.SOCK_STREAM | net.SOCK_DGRAM | net.SOCK_RAW), 0)


def test_aliases():
    eq(net.AF_LOCAL, net.AF_UNIX)
    eq(net.PF_CAN, net.AF_CAN)
    eq(net.PF_NET_MGMT, net.AF_NET_MGMT)
    eq(net.IPV6_ADD_MEMBERSHIP, net.IPV6_JOIN_GROUP)
    eq(net.IPV6_DROP_MEMBERSHIP, net.IPV6_LEAVE_GROUP)


# rows: A14
def test_errno():
    missing = [name for name in ERRNOS + ["EWOULDBLOCK", "ENOTSUP"] if not hasattr(errno, name)]
    eq(missing, [])
    values = [getattr(errno, name) for name in ERRNOS]
    true(all(isinstance(value, int) and value > 0 for value in values))
    eq(len(set(values)), len(values))
    eq(errno.EWOULDBLOCK, errno.EAGAIN)
    true(net.errno is errno)


def test_eai():
    values = [getattr(net, name) for name in EAIS]
    eq(len(set(values)), len(values))


# What one system or another has no number for, and who refuses it there.
REFUSED_FAMILIES = "AF_CAN AF_IPX AF_NETLINK AF_NET_MGMT PF_CAN PF_NET_MGMT".split()
REFUSED_OPTIONS = (
    ("SOL_SOCKET", "SO_MARK SO_PEERCRED SO_TIMESTAMP SO_SOCKS5 SO_INCOMING_CPU"),
    ("IPPROTO_TCP", "TCP_INFO TCP_CONGESTION TCP_NOTSENT_LOWAT TCP_FASTOPEN_CONNECT TCP_SYNCNT"),
    ("IPPROTO_IP", "IP_RECVERR IP_FREEBIND IP_TRANSPARENT IP_DONTFRAG IP_ADD_SOURCE_MEMBERSHIP"),
    ("IPPROTO_IPV6", "IPV6_DONTFRAG IPV6_ADDR_PREFERENCES IPV6_RECVTCLASS"),
    ("SOL_TLS", "TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_PEER_VERIFY TLS_ALPN_LIST"),
)


def test_a_name_without_a_number_is_refused_by_the_call():
    for name in REFUSED_FAMILIES:
        try:
            close(net.zsock_socket(getattr(net, name), net.SOCK_RAW))
            true(not BOARD, name)
        except OSError as e:
            # Linux has some of these; a socket of theirs is another matter.
            wanted = ("EAFNOSUPPORT",) if BOARD or name[3:] == "NET_MGMT" else ERRNOS
            true(errno_name(e.errno) in wanted, name + " " + errno_name(e.errno))
    for name in ("TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"):
        proto = getattr(net, "IPPROTO_" + name)
        if name > "TLS_1_1" and has("IPPROTO_" + name):
            continue
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_STREAM, proto)
    for name in ("DTLS_1_0", "DTLS_1_2"):
        proto = getattr(net, "IPPROTO_" + name)
        if name == "DTLS_1_2" and has("IPPROTO_DTLS_1_2"):
            continue
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_DGRAM, proto)
    raises("ESOCKTNOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_RDM)
    fd = tcp()
    for level, names in REFUSED_OPTIONS:
        for name in names.split():
            if not BOARD and name not in ("SO_SOCKS5", "IP_DONTFRAG") and name[:4] != "TLS_":
                continue  # the kernel's
            place = fd, getattr(net, level), getattr(net, name)
            raises("ENOPROTOOPT", net.zsock_setsockopt, *(place + (1,)))
            # What Linux says of a level that it does not know.
            says = ("ENOPROTOOPT", "EOPNOTSUPP") if level == "SOL_TLS" else "ENOPROTOOPT"
            raises(says, net.zsock_getsockopt, *place)
    raises("EOPNOTSUPP", net.zsock_ioctl, fd, net.FIONWRITE)
    close(fd)


def test_MSG_CONFIRM():
    """A hint of Linux for datagrams."""
    a, b = udp_pair()
    if BOARD:
        raises("EOPNOTSUPP", net.zsock_send, a, b"x", net.MSG_CONFIRM)
    else:
        eq(net.zsock_send(a, b"x", net.MSG_CONFIRM), 1)
        eq(net.zsock_recv(b, 9), b"x")
    close(a, b)


def test_what_is_not_promised_is_nowhere():
    for name in "O_RDONLY O_CREAT F_GETFD EPOLLIN EPOLLET POLLRDNORM TCSANOW TIOCOUTQ".split():
        raises(AttributeError, getattr, net, name)
    for name in ("EXDEV", "ECHILD", "EHWPOISON", "ENOTBLK"):
        raises(AttributeError, getattr, errno, name)


def test_unknown_names():
    for where, name in (
        (net, "SO_NO_SUCH_OPTION"),
        (net, "zsock_nothing"),
        (net, "nothing"),
        (net, "EAGAIN"),  # errno has it
        (errno, "ENOSUCHERROR"),
        (errno, "nothing"),
    ):
        raises(AttributeError, getattr, where, name)


def test_the_platforms_own_errors_have_our_names():
    # What the kernel raises is what the names say.
    try:
        open("no/such/file")
    except OSError as e:
        eq(e.errno, errno.ENOENT)
    fd = net.zsock_socket()
    e = raises("EINVAL", net.zsock_accept, fd)
    eq(e.errno, errno.EINVAL)
    net.zsock_close(fd)
