# What a program sees of usocket_compat. The package itself has no annotations: they would need
# imports on the board. tests/static checks this file against it.

from collections.abc import Callable, Iterable, Sequence
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
def fds() -> list[int]: ...
def closeall() -> None: ...
def adopt(sock: Any) -> int: ...
def detach(fd: int) -> int: ...

_Option = tuple[int, int, int | float | tuple[int, int] | ReadableBuffer]

def create_connection(
    address: _Address,
    timeout: float | None = None,
    source_address: _Address | None = None,
    options: Iterable[_Option] = (),
    all_errors: bool = False,
    nonblock: bool = False,
    keepalive: bool = False,
    family: int = 0,
) -> int: ...
def create_server(
    address: tuple[Any, ...] | int,
    family: int = 0,
    backlog: int = 10,
    reuse_addr: bool = True,
    reuse_port: bool = False,
    keepalive: bool = False,
    dualstack_ipv6: bool = False,
    options: Iterable[_Option] = (),
) -> int: ...
def dial(text: str, timeout: float | None = None) -> int: ...
def accept4(fd: int, flags: int = 0) -> tuple[int, _RetAddress]: ...
def peeraddr(fd: int) -> _RetAddress: ...
def close_reset(fd: int) -> None: ...
def set_keepalive(fd: int, on: bool, idle: int = 60, intvl: int = 1, cnt: int = 10) -> None: ...
def get_keepalive(fd: int) -> tuple[int, int, int] | None: ...
def set_linger(fd: int, seconds: int | None) -> None: ...
def get_linger(fd: int) -> int | None: ...
def take_error(fd: int) -> OSError | None: ...
@overload
def peek(fd: int, n_or_buffer: int) -> bytes: ...
@overload
def peek(fd: int, n_or_buffer: WriteableBuffer) -> int: ...
def readv(fd: int, buffers: Sequence[WriteableBuffer]) -> int: ...
def writev(fd: int, buffers: Sequence[ReadableBuffer]) -> int: ...
def read_bufs(fd: int, buffers: Sequence[WriteableBuffer]) -> int: ...
def write_bufs(fd: int, buffers: Sequence[ReadableBuffer]) -> int: ...
def simultaneous_accepts(fd: int, on: bool) -> None: ...
def zsock_send_all(
    fd: int, data: ReadableBuffer, flags: int = 0, timeout: float | None = None
) -> int: ...
def zsock_sendmsg_all(
    fd: int,
    buffers: Iterable[ReadableBuffer],
    ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
    flags: int = 0,
    timeout: float | None = None,
) -> int: ...

send_all = zsock_send_all
sendmsg_all = zsock_sendmsg_all

def recv_line(fd: int) -> bytes: ...
def recv_exact(fd: int, n: int, prefix: ReadableBuffer = b"") -> bytes: ...
def recv_all(fd: int, prefix: ReadableBuffer = b"") -> bytes: ...

class StreamError(OSError):
    partial: bytes
    sent: int
    errors: list[OSError]

class IncompleteReadError(EOFError):
    partial: bytes

class Stream:
    fd: int
    def __init__(self, fd: int) -> None: ...
    def settimeout(self, seconds: float | None, mode: str = "b") -> None: ...
    def gettimeouts(self) -> tuple[float | None, float | None]: ...
    def getstats(self) -> tuple[int, int, float]: ...
    def setstats(
        self, received: int | None = None, sent: int | None = None, age: float | None = None
    ) -> None: ...
    def dirty(self) -> bool: ...
    def recv_line(self) -> bytes: ...
    def recv_exact(self, n: int, prefix: ReadableBuffer = b"") -> bytes: ...
    def recv_all(self, prefix: ReadableBuffer = b"") -> bytes: ...
    def peek(self, n: int) -> bytes: ...
    def send_all(self, data: ReadableBuffer, flags: int = 0) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Stream: ...
    def __exit__(self, *error: object) -> None: ...

class SendQueue:
    fd: int
    pending: int
    sent: int
    def __init__(self, fd: int) -> None: ...
    def write(self, data: ReadableBuffer) -> int: ...
    def try_write(self, data: ReadableBuffer) -> int: ...
    def flush(self) -> int: ...
    def shutdown(self) -> int: ...
    def drain(self, timeout: float | None = None) -> None: ...

def zsock_fileno(fd: int) -> int: ...
def strerror(error: OSError | int) -> str: ...
def use(port: Any) -> Any: ...
def use_interface(nic: Any) -> None: ...
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
    fd: int,
    level: int,
    option: int,
    value: float
    | ReadableBuffer
    | tuple[int, int]
    | str
    | Sequence[int]
    | Sequence[str | ReadableBuffer]
    | None,
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

class _Event:
    token: Any
    revents: int
    def __init__(self, token: Any, revents: int) -> None: ...
    @property
    def readable(self) -> bool: ...
    @property
    def writable(self) -> bool: ...
    @property
    def error(self) -> bool: ...
    @property
    def priority(self) -> bool: ...
    @property
    def read_closed(self) -> bool: ...
    @property
    def write_closed(self) -> bool: ...

class Poller:
    LEVEL: int
    EDGE: int
    ONESHOT: int
    def register(self, fd: int, token: Any, interests: int, opts: int = 0) -> None: ...
    def reregister(self, fd: int, token: Any, interests: int, opts: int = 0) -> None: ...
    def deregister(self, fd: int) -> None: ...
    def poll(self, timeout_ms: int | None = -1) -> list[_Event]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Poller: ...
    def __exit__(self, *_: object) -> None: ...

class Waker:
    def __init__(self, poller: Poller, token: Any) -> None: ...
    def wake(self, _: object = None, __: object = None) -> None: ...
    def close(self) -> None: ...

def capabilities() -> dict[str, bool]: ...
def tls_credential_add(tag: int, type: int, data: ReadableBuffer | str) -> None: ...
def tls_credential_get(tag: int, type: int) -> bytes: ...
def tls_credential_delete(tag: int, type: int) -> None: ...

class _ServiceEvent:
    callback: Callable[[_ServiceEvent], object]
    event: zsock_pollfd
    user_data: Any
    svc: _Service

class _Service:
    callback: Callable[[_ServiceEvent], object]
    pev_len: int
    pev: list[_ServiceEvent]

def NET_SOCKET_SERVICE_SYNC_DEFINE(
    callback: Callable[[_ServiceEvent], object], count: int
) -> _Service: ...
def net_socket_service_register(
    svc: _Service, fds: Iterable[zsock_pollfd] | None, user_data: Any = None
) -> None: ...
def net_socket_service_unregister(svc: _Service) -> None: ...
def net_socket_service_foreach(
    cb: Callable[[_Service, Any], object], user_data: Any = None
) -> None: ...
def net_socket_service_step(timeout_ms: int | None = 0) -> int: ...
def net_socket_service_start() -> None: ...
def net_socket_service_stop() -> None: ...
async def net_socket_service_task() -> None: ...

# Zephyr's names of the same.
net_addr_pton = zsock_inet_pton
net_addr_ntop = zsock_inet_ntop
net_htons = htons
net_htonl = htonl
net_ntohs = ntohs
net_ntohl = ntohl

# With CONFIG_NET_SOCKETS_POSIX_NAMES=y.
socket = zsock_socket
socketpair = zsock_socketpair
close = zsock_close
dup = zsock_dup
fileno = zsock_fileno
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

# `make generate` writes what follows.

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
AF_CAN: int
PF_CAN: int
AF_IPX: int
AF_NETLINK: int
AF_NET_MGMT: int
PF_NET_MGMT: int
PF_PACKET: int
PF_LOCAL: int
SOCK_RDM: int
IPPROTO_IGMP: int
IPPROTO_IPIP: int
IPPROTO_SCTP: int
IPPROTO_UDPLITE: int
IPPROTO_TLS_1_0: int
IPPROTO_TLS_1_1: int
IPPROTO_TLS_1_2: int
IPPROTO_TLS_1_3: int
IPPROTO_DTLS_1_0: int
IPPROTO_DTLS_1_2: int
SOL_IP: int
SOL_TCP: int
SOL_UDP: int
SOL_TLS: int
SO_PASSCRED: int
SO_PEERCRED: int
SO_TIMESTAMP: int
SO_TIMESTAMPNS: int
SO_MARK: int
SO_RXQ_OVFL: int
SO_INCOMING_CPU: int
SO_SOCKS5: int
TCP_SYNCNT: int
TCP_LINGER2: int
TCP_WINDOW_CLAMP: int
TCP_INFO: int
TCP_CONGESTION: int
TCP_NOTSENT_LOWAT: int
TCP_FASTOPEN_CONNECT: int
IP_HDRINCL: int
IP_OPTIONS: int
IP_RECVERR: int
IP_FREEBIND: int
IP_TRANSPARENT: int
IP_BIND_ADDRESS_NO_PORT: int
IP_ADD_SOURCE_MEMBERSHIP: int
IP_DROP_SOURCE_MEMBERSHIP: int
IP_MULTICAST_ALL: int
IP_DONTFRAG: int
IPV6_CHECKSUM: int
IPV6_MTU_DISCOVER: int
IPV6_RECVERR: int
IPV6_DONTFRAG: int
IPV6_RECVTCLASS: int
IPV6_ADDR_PREFERENCES: int
IPV6_PREFER_SRC_TMP: int
IPV6_PREFER_SRC_PUBLIC: int
IPV6_PREFER_SRC_PUBTMP_DEFAULT: int
MSG_CONFIRM: int
MSG_FASTOPEN: int
SCM_TIMESTAMP: int
SCM_TIMESTAMPNS: int
SCM_TIMESTAMPING: int
SCM_TXTIME: int
SOF_TIMESTAMPING_TX_HARDWARE: int
SOF_TIMESTAMPING_RX_HARDWARE: int
AI_EXTFLAGS: int
EAI_IDN_ENCODE: int
FIONWRITE: int
TLS_SEC_TAG_LIST: int
TLS_HOSTNAME: int
TLS_CIPHERSUITE_LIST: int
TLS_CIPHERSUITE_USED: int
TLS_PEER_VERIFY: int
TLS_DTLS_ROLE: int
TLS_ALPN_LIST: int
TLS_DTLS_HANDSHAKE_TIMEOUT_MIN: int
TLS_DTLS_HANDSHAKE_TIMEOUT_MAX: int
TLS_CERT_NOCOPY: int
TLS_NATIVE: int
TLS_SESSION_CACHE: int
TLS_SESSION_CACHE_PURGE: int
TLS_DTLS_CID: int
TLS_DTLS_CID_STATUS: int
TLS_DTLS_CID_VALUE: int
TLS_DTLS_PEER_CID_VALUE: int
TLS_DTLS_HANDSHAKE_ON_CONNECT: int
TLS_CERT_VERIFY_RESULT: int
TLS_CERT_VERIFY_CALLBACK: int
TLS_PEER_VERIFY_NONE: int
TLS_PEER_VERIFY_OPTIONAL: int
TLS_PEER_VERIFY_REQUIRED: int
TLS_DTLS_ROLE_CLIENT: int
TLS_DTLS_ROLE_SERVER: int
TLS_SESSION_CACHE_DISABLED: int
TLS_SESSION_CACHE_ENABLED: int
TLS_CREDENTIAL_NONE: int
TLS_CREDENTIAL_CA_CERTIFICATE: int
TLS_CREDENTIAL_PUBLIC_CERTIFICATE: int
TLS_CREDENTIAL_SERVER_CERTIFICATE: int
TLS_CREDENTIAL_PRIVATE_KEY: int
TLS_CREDENTIAL_PSK: int
TLS_CREDENTIAL_PSK_ID: int
IN6ADDR_ANY: str
IN6ADDR_LOOPBACK: str
NET_AF_UNSPEC: int
NET_AF_UNIX: int
NET_AF_INET: int
NET_AF_INET6: int
NET_AF_PACKET: int
NET_PF_UNSPEC: int
NET_PF_UNIX: int
NET_PF_INET: int
NET_PF_INET6: int
NET_AF_LOCAL: int
NET_SOCK_STREAM: int
NET_SOCK_DGRAM: int
NET_SOCK_RAW: int
NET_SOCK_SEQPACKET: int
NET_SOCK_NONBLOCK: int
NET_SOCK_CLOEXEC: int
ZSOCK_SOMAXCONN: int
ZSOCK_SOL_SOCKET: int
NET_IPPROTO_IP: int
NET_IPPROTO_ICMP: int
NET_IPPROTO_TCP: int
NET_IPPROTO_UDP: int
NET_IPPROTO_IPV6: int
NET_IPPROTO_ICMPV6: int
NET_IPPROTO_RAW: int
ZSOCK_SO_DEBUG: int
ZSOCK_SO_REUSEADDR: int
ZSOCK_SO_TYPE: int
ZSOCK_SO_ERROR: int
ZSOCK_SO_DONTROUTE: int
ZSOCK_SO_BROADCAST: int
ZSOCK_SO_SNDBUF: int
ZSOCK_SO_RCVBUF: int
ZSOCK_SO_KEEPALIVE: int
ZSOCK_SO_OOBINLINE: int
ZSOCK_SO_PRIORITY: int
ZSOCK_SO_LINGER: int
ZSOCK_SO_REUSEPORT: int
ZSOCK_SO_RCVLOWAT: int
ZSOCK_SO_SNDLOWAT: int
ZSOCK_SO_RCVTIMEO: int
ZSOCK_SO_SNDTIMEO: int
ZSOCK_SO_BINDTODEVICE: int
ZSOCK_SO_ACCEPTCONN: int
ZSOCK_SO_PROTOCOL: int
ZSOCK_SO_DOMAIN: int
ZSOCK_SO_TIMESTAMPING: int
ZSOCK_SO_TXTIME: int
ZSOCK_TCP_NODELAY: int
ZSOCK_TCP_MAXSEG: int
ZSOCK_TCP_CORK: int
ZSOCK_TCP_KEEPIDLE: int
ZSOCK_TCP_KEEPINTVL: int
ZSOCK_TCP_KEEPCNT: int
ZSOCK_TCP_USER_TIMEOUT: int
ZSOCK_TCP_FASTOPEN: int
ZSOCK_TCP_DEFER_ACCEPT: int
ZSOCK_TCP_QUICKACK: int
ZSOCK_IP_TOS: int
ZSOCK_IP_TTL: int
ZSOCK_IP_PKTINFO: int
ZSOCK_IP_RECVTTL: int
ZSOCK_IP_RECVTOS: int
ZSOCK_IP_MTU: int
ZSOCK_IP_MTU_DISCOVER: int
ZSOCK_IP_MULTICAST_IF: int
ZSOCK_IP_MULTICAST_TTL: int
ZSOCK_IP_MULTICAST_LOOP: int
ZSOCK_IP_ADD_MEMBERSHIP: int
ZSOCK_IP_DROP_MEMBERSHIP: int
ZSOCK_IP_LOCAL_PORT_RANGE: int
ZSOCK_IPV6_UNICAST_HOPS: int
ZSOCK_IPV6_MULTICAST_IF: int
ZSOCK_IPV6_MULTICAST_HOPS: int
ZSOCK_IPV6_MULTICAST_LOOP: int
ZSOCK_IPV6_JOIN_GROUP: int
ZSOCK_IPV6_LEAVE_GROUP: int
ZSOCK_IPV6_ADD_MEMBERSHIP: int
ZSOCK_IPV6_DROP_MEMBERSHIP: int
ZSOCK_IPV6_MTU: int
ZSOCK_IPV6_V6ONLY: int
ZSOCK_IPV6_RECVPKTINFO: int
ZSOCK_IPV6_PKTINFO: int
ZSOCK_IPV6_RECVHOPLIMIT: int
ZSOCK_IPV6_HOPLIMIT: int
ZSOCK_IPV6_TCLASS: int
ZSOCK_MSG_OOB: int
ZSOCK_MSG_PEEK: int
ZSOCK_MSG_DONTROUTE: int
ZSOCK_MSG_CTRUNC: int
ZSOCK_MSG_TRUNC: int
ZSOCK_MSG_DONTWAIT: int
ZSOCK_MSG_EOR: int
ZSOCK_MSG_WAITALL: int
ZSOCK_MSG_NOSIGNAL: int
ZSOCK_MSG_MORE: int
ZSOCK_MSG_CMSG_CLOEXEC: int
ZSOCK_MSG_ERRQUEUE: int
ZSOCK_SCM_RIGHTS: int
ZSOCK_SCM_CREDENTIALS: int
ZSOCK_SHUT_RD: int
ZSOCK_SHUT_WR: int
ZSOCK_SHUT_RDWR: int
ZSOCK_POLLIN: int
ZVFS_POLLIN: int
ZSOCK_POLLPRI: int
ZVFS_POLLPRI: int
ZSOCK_POLLOUT: int
ZVFS_POLLOUT: int
ZSOCK_POLLERR: int
ZVFS_POLLERR: int
ZSOCK_POLLHUP: int
ZVFS_POLLHUP: int
ZSOCK_POLLNVAL: int
ZVFS_POLLNVAL: int
ZSOCK_POLLRDHUP: int
ZVFS_POLLRDHUP: int
ZSOCK_AI_PASSIVE: int
ZSOCK_AI_CANONNAME: int
ZSOCK_AI_NUMERICHOST: int
ZSOCK_AI_V4MAPPED: int
ZSOCK_AI_ALL: int
ZSOCK_AI_ADDRCONFIG: int
ZSOCK_AI_NUMERICSERV: int
ZSOCK_NI_NUMERICHOST: int
ZSOCK_NI_NUMERICSERV: int
ZSOCK_NI_NOFQDN: int
ZSOCK_NI_NAMEREQD: int
ZSOCK_NI_DGRAM: int
ZSOCK_NI_MAXHOST: int
ZSOCK_NI_MAXSERV: int
DNS_EAI_BADFLAGS: int
DNS_EAI_NONAME: int
DNS_EAI_AGAIN: int
DNS_EAI_FAIL: int
DNS_EAI_NODATA: int
DNS_EAI_FAMILY: int
DNS_EAI_SOCKTYPE: int
DNS_EAI_SERVICE: int
DNS_EAI_ADDRFAMILY: int
DNS_EAI_MEMORY: int
DNS_EAI_SYSTEM: int
DNS_EAI_OVERFLOW: int
DNS_EAI_INPROGRESS: int
DNS_EAI_CANCELED: int
DNS_EAI_NOTCANCELED: int
DNS_EAI_ALLDONE: int
DNS_EAI_INTR: int
ZSOCK_F_GETFL: int
ZVFS_F_GETFL: int
ZSOCK_F_SETFL: int
ZVFS_F_SETFL: int
ZSOCK_O_NONBLOCK: int
ZVFS_O_NONBLOCK: int
ZSOCK_FIONREAD: int
ZSOCK_FIONBIO: int
ZVFS_EFD_SEMAPHORE: int
ZVFS_EFD_NONBLOCK: int
ZVFS_EFD_CLOEXEC: int
NET_INADDR_ANY: int
NET_INADDR_LOOPBACK: int
NET_INADDR_BROADCAST: int
NET_INADDR_NONE: int
NET_INET_ADDRSTRLEN: int
NET_INET6_ADDRSTRLEN: int
NET_AF_CAN: int
NET_PF_CAN: int
NET_AF_IPX: int
NET_AF_NETLINK: int
NET_AF_NET_MGMT: int
NET_PF_NET_MGMT: int
NET_PF_PACKET: int
NET_PF_LOCAL: int
NET_SOCK_RDM: int
NET_IPPROTO_IGMP: int
NET_IPPROTO_IPIP: int
NET_IPPROTO_SCTP: int
NET_IPPROTO_UDPLITE: int
NET_IPPROTO_TLS_1_0: int
NET_IPPROTO_TLS_1_1: int
NET_IPPROTO_TLS_1_2: int
NET_IPPROTO_TLS_1_3: int
NET_IPPROTO_DTLS_1_0: int
NET_IPPROTO_DTLS_1_2: int
ZSOCK_SOL_IP: int
ZSOCK_SOL_TCP: int
ZSOCK_SOL_UDP: int
ZSOCK_SOL_TLS: int
ZSOCK_SO_PASSCRED: int
ZSOCK_SO_PEERCRED: int
ZSOCK_SO_TIMESTAMP: int
ZSOCK_SO_TIMESTAMPNS: int
ZSOCK_SO_MARK: int
ZSOCK_SO_RXQ_OVFL: int
ZSOCK_SO_INCOMING_CPU: int
ZSOCK_SO_SOCKS5: int
ZSOCK_TCP_SYNCNT: int
ZSOCK_TCP_LINGER2: int
ZSOCK_TCP_WINDOW_CLAMP: int
ZSOCK_TCP_INFO: int
ZSOCK_TCP_CONGESTION: int
ZSOCK_TCP_NOTSENT_LOWAT: int
ZSOCK_TCP_FASTOPEN_CONNECT: int
ZSOCK_IP_HDRINCL: int
ZSOCK_IP_OPTIONS: int
ZSOCK_IP_RECVERR: int
ZSOCK_IP_FREEBIND: int
ZSOCK_IP_TRANSPARENT: int
ZSOCK_IP_BIND_ADDRESS_NO_PORT: int
ZSOCK_IP_ADD_SOURCE_MEMBERSHIP: int
ZSOCK_IP_DROP_SOURCE_MEMBERSHIP: int
ZSOCK_IP_MULTICAST_ALL: int
ZSOCK_IP_DONTFRAG: int
ZSOCK_IPV6_CHECKSUM: int
ZSOCK_IPV6_MTU_DISCOVER: int
ZSOCK_IPV6_RECVERR: int
ZSOCK_IPV6_DONTFRAG: int
ZSOCK_IPV6_RECVTCLASS: int
ZSOCK_IPV6_ADDR_PREFERENCES: int
ZSOCK_IPV6_PREFER_SRC_TMP: int
ZSOCK_IPV6_PREFER_SRC_PUBLIC: int
ZSOCK_IPV6_PREFER_SRC_PUBTMP_DEFAULT: int
ZSOCK_MSG_CONFIRM: int
ZSOCK_MSG_FASTOPEN: int
ZSOCK_SCM_TIMESTAMP: int
ZSOCK_SCM_TIMESTAMPNS: int
ZSOCK_SCM_TIMESTAMPING: int
ZSOCK_SCM_TXTIME: int
ZSOCK_SOF_TIMESTAMPING_TX_HARDWARE: int
ZSOCK_SOF_TIMESTAMPING_RX_HARDWARE: int
ZSOCK_AI_EXTFLAGS: int
DNS_EAI_IDN_ENCODE: int
ZSOCK_FIONWRITE: int
ZSOCK_TLS_SEC_TAG_LIST: int
ZSOCK_TLS_HOSTNAME: int
ZSOCK_TLS_CIPHERSUITE_LIST: int
ZSOCK_TLS_CIPHERSUITE_USED: int
ZSOCK_TLS_PEER_VERIFY: int
ZSOCK_TLS_DTLS_ROLE: int
ZSOCK_TLS_ALPN_LIST: int
ZSOCK_TLS_DTLS_HANDSHAKE_TIMEOUT_MIN: int
ZSOCK_TLS_DTLS_HANDSHAKE_TIMEOUT_MAX: int
ZSOCK_TLS_CERT_NOCOPY: int
ZSOCK_TLS_NATIVE: int
ZSOCK_TLS_SESSION_CACHE: int
ZSOCK_TLS_SESSION_CACHE_PURGE: int
ZSOCK_TLS_DTLS_CID: int
ZSOCK_TLS_DTLS_CID_STATUS: int
ZSOCK_TLS_DTLS_CID_VALUE: int
ZSOCK_TLS_DTLS_PEER_CID_VALUE: int
ZSOCK_TLS_DTLS_HANDSHAKE_ON_CONNECT: int
ZSOCK_TLS_CERT_VERIFY_RESULT: int
ZSOCK_TLS_CERT_VERIFY_CALLBACK: int
ZSOCK_TLS_PEER_VERIFY_NONE: int
ZSOCK_TLS_PEER_VERIFY_OPTIONAL: int
ZSOCK_TLS_PEER_VERIFY_REQUIRED: int
ZSOCK_TLS_DTLS_ROLE_CLIENT: int
ZSOCK_TLS_DTLS_ROLE_SERVER: int
ZSOCK_TLS_SESSION_CACHE_DISABLED: int
ZSOCK_TLS_SESSION_CACHE_ENABLED: int
ZSOCK_TLS_CREDENTIAL_NONE: int
ZSOCK_TLS_CREDENTIAL_CA_CERTIFICATE: int
ZSOCK_TLS_CREDENTIAL_PUBLIC_CERTIFICATE: int
ZSOCK_TLS_CREDENTIAL_SERVER_CERTIFICATE: int
ZSOCK_TLS_CREDENTIAL_PRIVATE_KEY: int
ZSOCK_TLS_CREDENTIAL_PSK: int
ZSOCK_TLS_CREDENTIAL_PSK_ID: int
NET_IN6ADDR_ANY: str
NET_IN6ADDR_LOOPBACK: str
