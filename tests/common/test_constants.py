# Constants and errno names: there, ints, and of the meaning that POSIX gives them.
# That their names are the same on every target: tests/test_same_names.py.
import usocket_compat as net
from check import EAIS, ERRNOS, eq, raises, true
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
""".split()

# Names of one group must not stand for the same number.
GROUPS = (
    "AF_UNSPEC AF_INET AF_INET6 AF_UNIX",
    "SOCK_STREAM SOCK_DGRAM SOCK_RAW",
    "SHUT_RD SHUT_WR SHUT_RDWR",
    "MSG_PEEK MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_WAITALL MSG_OOB",
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


def test_constants():
    missing = [name for name in CONSTANTS if not hasattr(net, name)]
    eq(missing, [])
    odd = [name for name in CONSTANTS if not isinstance(getattr(net, name), int)]
    eq(odd, [])


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
    eq(net.IPV6_ADD_MEMBERSHIP, net.IPV6_JOIN_GROUP)
    eq(net.IPV6_DROP_MEMBERSHIP, net.IPV6_LEAVE_GROUP)


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


def test_unknown_names():
    for where, name in (
        (net, "SO_NO_SUCH_OPTION"),
        (net, "zsock_nothing"),
        (net, "nothing"),
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
