# What a program sees of usocket_compat. The package itself has no annotations: they would need
# imports on the board. tests/static checks this file against it.

from collections.abc import Iterable, Sequence
from typing import Any, overload

from _typeshed import ReadableBuffer, WriteableBuffer

from . import errno as errno

__version__: str

# (host, port), (host, port, flowinfo, scope_id), a path of AF_UNIX, or a packed sockaddr.
_Address = tuple[Any, ...] | str | ReadableBuffer
# The same without the packed ones; None where there is no address.
_RetAddress = Any
_Ancillary = tuple[int, int, bytes]

class gaierror(OSError): ...

class zsock_pollfd:
    fd: int
    events: int
    revents: int
    def __init__(self, fd: int, events: int) -> None: ...

def zsock_socket(family: int = 2, type: int = 1, proto: int = 0) -> int: ...
def zsock_socketpair(family: int = 1, type: int = 1, proto: int = 0) -> tuple[int, int]: ...
def zsock_close(fd: int) -> None: ...
def zsock_dup(fd: int) -> int: ...
def zsock_shutdown(fd: int, how: int) -> None: ...
def zsock_bind(fd: int, addr: _Address) -> None: ...
def zsock_connect(fd: int, addr: _Address) -> None: ...
def zsock_listen(fd: int, backlog: int = 128) -> None: ...
def zsock_accept(fd: int) -> tuple[int, _RetAddress]: ...
def zsock_send(fd: int, data: ReadableBuffer, flags: int = 0) -> int: ...
def zsock_sendto(fd: int, data: ReadableBuffer, flags: int, addr: _Address) -> int: ...
def zsock_sendmsg(
    fd: int,
    buffers: Iterable[ReadableBuffer],
    ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
    flags: int = 0,
    addr: _Address | None = None,
) -> int: ...
@overload
def zsock_recv(fd: int, n_or_buffer: int, flags: int = 0) -> bytes: ...
@overload
def zsock_recv(fd: int, n_or_buffer: WriteableBuffer, flags: int = 0) -> int: ...
@overload
def zsock_recvfrom(fd: int, n_or_buffer: int, flags: int = 0) -> tuple[bytes, _RetAddress]: ...
@overload
def zsock_recvfrom(
    fd: int, n_or_buffer: WriteableBuffer, flags: int = 0
) -> tuple[int, _RetAddress]: ...
def zsock_recvmsg(
    fd: int, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0
) -> tuple[int, list[_Ancillary], int, _RetAddress]: ...
def zsock_fcntl(fd: int, cmd: int, arg: int = 0) -> int: ...
def zsock_ioctl(fd: int, request: int, arg: int | None = None) -> int: ...
@overload
def zsock_getsockopt(fd: int, level: int, option: int) -> int: ...
@overload
def zsock_getsockopt(fd: int, level: int, option: int, buflen: int) -> bytes: ...
def zsock_setsockopt(
    fd: int, level: int, option: int, value: float | ReadableBuffer | tuple[int, int]
) -> None: ...
def zsock_getsockname(fd: int) -> _RetAddress: ...
def zsock_getpeername(fd: int) -> _RetAddress: ...
def zsock_poll(fds: Sequence[zsock_pollfd], timeout_ms: int | None) -> int: ...
def zsock_select(
    rlist: Iterable[int],
    wlist: Iterable[int],
    xlist: Iterable[int],
    timeout_s: float | None = None,
) -> tuple[list[int], list[int], list[int]]: ...
def zsock_getaddrinfo(
    host: str | bytes | bytearray | None,
    service: str | int | bytes | bytearray | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[int, int, int, str, _RetAddress]]: ...
def zsock_getnameinfo(addr: _Address, flags: int = 0) -> tuple[str, str]: ...
def zsock_gai_strerror(code: int) -> str: ...
def zsock_gethostname() -> str: ...
def zsock_inet_pton(family: int, text: str) -> bytes: ...
def zsock_inet_ntop(family: int, packed: ReadableBuffer) -> str: ...
def inet_aton(text: str) -> bytes: ...
def inet_ntoa(packed: ReadableBuffer) -> str: ...
def htons(value: int) -> int: ...
def htonl(value: int) -> int: ...
def ntohs(value: int) -> int: ...
def ntohl(value: int) -> int: ...
def zvfs_eventfd(initval: int = 0, flags: int = 0) -> int: ...
def zvfs_eventfd_read(fd: int) -> int: ...
def zvfs_eventfd_write(fd: int, value: int) -> None: ...
def capabilities() -> dict[str, bool]: ...

# With CONFIG_NET_SOCKETS_POSIX_NAMES=y.
socket = zsock_socket
socketpair = zsock_socketpair
close = zsock_close
dup = zsock_dup
shutdown = zsock_shutdown
bind = zsock_bind
connect = zsock_connect
listen = zsock_listen
accept = zsock_accept
send = zsock_send
sendto = zsock_sendto
sendmsg = zsock_sendmsg
recv = zsock_recv
recvfrom = zsock_recvfrom
recvmsg = zsock_recvmsg
fcntl = zsock_fcntl
ioctl = zsock_ioctl
getsockopt = zsock_getsockopt
setsockopt = zsock_setsockopt
getsockname = zsock_getsockname
getpeername = zsock_getpeername
poll = zsock_poll
pollfd = zsock_pollfd
select = zsock_select
getaddrinfo = zsock_getaddrinfo
getnameinfo = zsock_getnameinfo
gai_strerror = zsock_gai_strerror
gethostname = zsock_gethostname
inet_pton = zsock_inet_pton
inet_ntop = zsock_inet_ntop
eventfd = zvfs_eventfd
eventfd_read = zvfs_eventfd_read
eventfd_write = zvfs_eventfd_write

AF_UNSPEC: int
AF_UNIX: int
AF_INET: int
AF_INET6: int
AF_PACKET: int
PF_UNSPEC: int
PF_UNIX: int
PF_INET: int
PF_INET6: int
AF_LOCAL: int
SOCK_STREAM: int
SOCK_DGRAM: int
SOCK_RAW: int
SOCK_SEQPACKET: int
SOCK_NONBLOCK: int
SOCK_CLOEXEC: int
SOMAXCONN: int
SOL_SOCKET: int
IPPROTO_IP: int
IPPROTO_ICMP: int
IPPROTO_TCP: int
IPPROTO_UDP: int
IPPROTO_IPV6: int
IPPROTO_ICMPV6: int
IPPROTO_RAW: int
SO_DEBUG: int
SO_REUSEADDR: int
SO_TYPE: int
SO_ERROR: int
SO_DONTROUTE: int
SO_BROADCAST: int
SO_SNDBUF: int
SO_RCVBUF: int
SO_KEEPALIVE: int
SO_OOBINLINE: int
SO_PRIORITY: int
SO_LINGER: int
SO_REUSEPORT: int
SO_RCVLOWAT: int
SO_SNDLOWAT: int
SO_RCVTIMEO: int
SO_SNDTIMEO: int
SO_BINDTODEVICE: int
SO_ACCEPTCONN: int
SO_PROTOCOL: int
SO_DOMAIN: int
SO_TIMESTAMPING: int
SO_TXTIME: int
TCP_NODELAY: int
TCP_MAXSEG: int
TCP_CORK: int
TCP_KEEPIDLE: int
TCP_KEEPINTVL: int
TCP_KEEPCNT: int
TCP_USER_TIMEOUT: int
TCP_FASTOPEN: int
TCP_DEFER_ACCEPT: int
TCP_QUICKACK: int
IP_TOS: int
IP_TTL: int
IP_PKTINFO: int
IP_RECVTTL: int
IP_RECVTOS: int
IP_MTU: int
IP_MTU_DISCOVER: int
IP_MULTICAST_IF: int
IP_MULTICAST_TTL: int
IP_MULTICAST_LOOP: int
IP_ADD_MEMBERSHIP: int
IP_DROP_MEMBERSHIP: int
IP_LOCAL_PORT_RANGE: int
IPV6_UNICAST_HOPS: int
IPV6_MULTICAST_IF: int
IPV6_MULTICAST_HOPS: int
IPV6_MULTICAST_LOOP: int
IPV6_JOIN_GROUP: int
IPV6_LEAVE_GROUP: int
IPV6_ADD_MEMBERSHIP: int
IPV6_DROP_MEMBERSHIP: int
IPV6_MTU: int
IPV6_V6ONLY: int
IPV6_RECVPKTINFO: int
IPV6_PKTINFO: int
IPV6_RECVHOPLIMIT: int
IPV6_HOPLIMIT: int
IPV6_TCLASS: int
MSG_OOB: int
MSG_PEEK: int
MSG_DONTROUTE: int
MSG_CTRUNC: int
MSG_TRUNC: int
MSG_DONTWAIT: int
MSG_EOR: int
MSG_WAITALL: int
MSG_NOSIGNAL: int
MSG_MORE: int
MSG_CMSG_CLOEXEC: int
MSG_ERRQUEUE: int
SCM_RIGHTS: int
SCM_CREDENTIALS: int
SHUT_RD: int
SHUT_WR: int
SHUT_RDWR: int
POLLIN: int
POLLPRI: int
POLLOUT: int
POLLERR: int
POLLHUP: int
POLLNVAL: int
POLLRDHUP: int
AI_PASSIVE: int
AI_CANONNAME: int
AI_NUMERICHOST: int
AI_V4MAPPED: int
AI_ALL: int
AI_ADDRCONFIG: int
AI_NUMERICSERV: int
NI_NUMERICHOST: int
NI_NUMERICSERV: int
NI_NOFQDN: int
NI_NAMEREQD: int
NI_DGRAM: int
NI_MAXHOST: int
NI_MAXSERV: int
EAI_BADFLAGS: int
EAI_NONAME: int
EAI_AGAIN: int
EAI_FAIL: int
EAI_NODATA: int
EAI_FAMILY: int
EAI_SOCKTYPE: int
EAI_SERVICE: int
EAI_ADDRFAMILY: int
EAI_MEMORY: int
EAI_SYSTEM: int
EAI_OVERFLOW: int
EAI_INPROGRESS: int
EAI_CANCELED: int
EAI_NOTCANCELED: int
EAI_ALLDONE: int
EAI_INTR: int
F_GETFL: int
F_SETFL: int
O_NONBLOCK: int
FIONREAD: int
FIONBIO: int
EFD_SEMAPHORE: int
EFD_NONBLOCK: int
EFD_CLOEXEC: int
INADDR_ANY: int
INADDR_LOOPBACK: int
INADDR_BROADCAST: int
INADDR_NONE: int
INET_ADDRSTRLEN: int
INET6_ADDRSTRLEN: int
