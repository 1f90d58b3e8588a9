# What a program sees of `import socket` where the drop-in is in place. For MicroPython's programs,
# before the stubs of its port; on CPython it is CPython's own.

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from _typeshed import ReadableBuffer, WriteableBuffer
from typing_extensions import Self

# (host, port), (host, port, flowinfo, scope_id), a path of AF_UNIX, or a packed sockaddr.
_Address = tuple[Any, ...] | str | ReadableBuffer
# The same without the packed ones; None where there is no address.
_RetAddress = Any
_Ancillary = tuple[int, int, bytes]
_Exception = type[BaseException]
_Info = tuple[int, int, int, str, tuple[Any, ...]]

error = OSError

class timeout(OSError): ...
class herror(OSError): ...
class gaierror(OSError): ...

has_ipv6: bool

class socket:
    family: int
    type: int
    proto: int
    def __init__(
        self, family: int = 2, type: int = 1, proto: int = 0, fileno: int | None = None
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: _Exception | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def accept(self) -> tuple[socket, _RetAddress]: ...
    def bind(self, addr: _Address) -> None: ...
    def close(self) -> None: ...
    def connect(self, addr: _Address) -> None: ...
    def connect_ex(self, addr: _Address) -> int: ...
    def detach(self) -> int: ...
    def dup(self) -> socket: ...
    # An fd of the layer, which the program closes from then on.
    def fileno(self) -> int: ...
    def get_inheritable(self) -> bool: ...
    def set_inheritable(self, inheritable: bool) -> None: ...
    def getblocking(self) -> bool: ...
    def getpeername(self) -> _RetAddress: ...
    def getsockname(self) -> _RetAddress: ...
    def getsockopt(self, level: int, option: int, buflen: int = 0) -> Any: ...
    def gettimeout(self) -> float | None: ...
    @property
    def timeout(self) -> float | None: ...
    def ioctl(self, request: int, arg: int) -> int: ...
    def listen(self, backlog: int = 5) -> None: ...
    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any: ...
    def recv(self, n: int, flags: int = 0) -> bytes: ...
    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int: ...
    def recvfrom(self, n: int, flags: int = 0) -> tuple[bytes, _RetAddress]: ...
    def recvfrom_into(
        self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0
    ) -> tuple[int, _RetAddress]: ...
    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0
    ) -> tuple[bytes, list[_Ancillary], int, _RetAddress]: ...
    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0
    ) -> tuple[int, list[_Ancillary], int, _RetAddress]: ...
    def send(self, data: ReadableBuffer | str, flags: int = 0) -> int: ...
    def sendall(self, data: ReadableBuffer | str, flags: int = 0) -> None: ...
    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int: ...
    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: int = 0,
        address: _Address | None = None,
    ) -> int: ...
    # sendto(data, address), sendto(data, flags, address)
    def sendto(
        self, data: ReadableBuffer | str, addr: _Address | int, more: _Address | None = None
    ) -> int: ...
    def setblocking(self, flag: bool) -> None: ...
    def setsockopt(
        self, level: int, option: int, value: Any, length: int | None = None
    ) -> None: ...
    def settimeout(self, t: float | None) -> None: ...
    def shutdown(self, how: int) -> None: ...
    # MicroPython's: of a socket that blocks read(n) and readinto wait for all of it, and None is
    # EAGAIN.
    def read(self, n: int = -1) -> bytes | None: ...
    def readinto(self, buf: WriteableBuffer, n: int | None = None) -> int | None: ...
    def readline(self, n: int = -1) -> bytes | None: ...
    def write(self, data: ReadableBuffer | str, n: int | None = None) -> int | None: ...

SocketType = socket

def getaddrinfo(
    host: str | bytes | None,
    port: int | str | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[_Info]: ...
def create_connection(
    address: tuple[str | None, int | str | None],
    timeout: float | None = ...,
    source_address: tuple[str, int] | None = None,
    all_errors: bool = False,
) -> socket: ...
def create_server(
    address: _Address,
    family: int = 2,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket: ...
def socketpair(family: int = 1, type: int = 1, proto: int = 0) -> tuple[socket, socket]: ...
def fromfd(fd: int, family: int = 2, type: int = 1, proto: int = 0) -> socket: ...
def has_dualstack_ipv6() -> bool: ...
def close(fd: int) -> None: ...
def gethostname() -> str: ...
def gethostbyname(host: str) -> str: ...
def gethostbyname_ex(host: str) -> tuple[str, list[str], list[str]]: ...
def getfqdn(name: str = "") -> str: ...
def getnameinfo(sockaddr: _Address, flags: int) -> tuple[str, str]: ...
def getservbyname(name: str, protocol: str | None = None) -> int: ...
def getservbyport(port: int, protocol: str | None = None) -> str: ...
def getprotobyname(name: str) -> int: ...
def gethostbyaddr(host: str) -> tuple[str, list[str], list[str]]: ...
def sethostname(name: str | bytes) -> None: ...
def if_nameindex() -> list[tuple[int, str]]: ...
def if_nametoindex(name: str | bytes) -> int: ...
def if_indextoname(index: int) -> str: ...
def CMSG_LEN(length: int) -> int: ...
def CMSG_SPACE(length: int) -> int: ...
def send_fds(
    sock: socket,
    buffers: Iterable[ReadableBuffer],
    fds: Sequence[int],
    flags: int = 0,
    address: _Address | None = None,
) -> int: ...
def recv_fds(
    sock: socket, bufsize: int, maxfds: int, flags: int = 0
) -> tuple[bytes, list[int], int, _RetAddress]: ...
def setdefaulttimeout(timeout: float | None) -> None: ...
def getdefaulttimeout() -> float | None: ...
def inet_aton(host: str) -> bytes: ...
def inet_ntoa(packed: ReadableBuffer) -> str: ...
def inet_pton(family: int, host: str) -> bytes: ...
def inet_ntop(family: int, packed: ReadableBuffer) -> str: ...
def htons(value: int) -> int: ...
def htonl(value: int) -> int: ...
def ntohs(value: int) -> int: ...
def ntohl(value: int) -> int: ...

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
