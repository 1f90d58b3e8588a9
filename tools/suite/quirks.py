# SPDX-License-Identifier: MIT
# How the ESP32's plain socket differs from POSIX: what the port is built on. The programs in
# quirks/ print what they find; what is expected comes from the source named beside it:
# MicroPython 1.26's ports/esp32/modsocket.c, or lwIP 2.2.1.
from __future__ import annotations

from typing import NamedTuple

_NOT_IMPLEMENTED = "Warning: lwip.setsockopt() option not implemented"
# The one that takes long, and the one for a board with an address of IPv6, as no stock one is.
EXHAUSTED = "connect_without_answer"
IPV6 = "ipv6_with_an_address"
# They count what the whole board has: they begin and end with a reset.
COUNTING = "sockets_are_ten", "connections_are_twelve"


class Quirk(NamedTuple):
    program: str
    says: str
    source: str
    expected: str


def _lines(*each: str) -> str:
    return "".join(line + "\n" for line in each)


QUIRKS = [
    Quirk(
        "names_there_are",
        "few methods, 16 constants, 22 errno names",
        "modsocket.c:887 and 996; the errno list of py/moderrno.c",
        _lines(
            "accept bind close connect fileno listen makefile read readinto readline recv recvfrom"
            " send sendall sendto setblocking setsockopt settimeout write",
            "AF_INET AF_INET6 IPPROTO_IP IPPROTO_TCP IPPROTO_UDP IP_ADD_MEMBERSHIP MSG_DONTWAIT"
            " MSG_PEEK SOCK_DGRAM SOCK_RAW SOCK_STREAM SOL_SOCKET SO_BINDTODEVICE SO_BROADCAST"
            " SO_REUSEADDR TCP_NODELAY getaddrinfo socket",
            "errno names 22",
        ),
    ),
    Quirk(
        "setsockopt_ignores_the_level",
        "setsockopt looks at the number alone: IP_TOS is TCP_NODELAY, which a datagram socket"
        " has not, TCP_KEEPIDLE is IP_ADD_MEMBERSHIP, TCP_KEEPINTVL and IP_DROP_MEMBERSHIP are"
        " SO_REUSEADDR, 20 installs a callback",
        "modsocket.c:490-563; SOL_SOCKET options of lwip/sockets.h",
        _lines(
            "IP_TOS on a stream None",
            "IP_TOS on a datagram socket ENOPROTOOPT",
            "TCP_KEEPIDLE TypeError",
            "bind to the same port EADDRINUSE",
            "after TCP_KEEPINTVL None",
            "IP_DROP_MEMBERSHIP TypeError",
            "option 20 None",
            "called True",
        ),
    ),
    Quirk(
        "setsockopt_unknown_succeeds",
        "options that it does not know succeed, with a printed warning",
        "modsocket.c:561",
        _lines(
            *(
                line
                for name in (
                    *("SO_KEEPALIVE", "SO_LINGER", "SO_RCVBUF"),
                    *("IP_TTL", "IPV6_V6ONLY", "none such"),
                )
                for line in (_NOT_IMPLEMENTED, f"{name} None")
            )
        ),
    ),
    Quirk(
        "timeout_in_slices",
        "a timeout of t waits t // 0.1 + 1 times 100 ms; below 100 ms it ends in EAGAIN",
        "modsocket.c:569-583, 633 and 665",
        _lines(
            "0.05 1 slices, EAGAIN",
            "0.09 1 slices, EAGAIN",
            "0.1 2 slices, ETIMEDOUT",
            "0.25 3 slices, ETIMEDOUT",
            "0.5 6 slices, ETIMEDOUT",
            "0 EAGAIN",
        ),
    ),
    Quirk(
        "connect_timeout_in_slices",
        "connect waits the same slices, and ends in ETIMEDOUT below 100 ms too",
        "modsocket.c:445-476",
        _lines(
            *("0.05 ETIMEDOUT", "1 slices"),
            *("0.1 ETIMEDOUT", "2 slices"),
            *("0.3 ETIMEDOUT", "4 slices"),
        ),
    ),
    Quirk(
        "sendall_out_of_time",
        "sendall that runs out of time raises ETIMEDOUT, and does not say how much went out",
        "modsocket.c:745",
        _lines("sendall ETIMEDOUT", "some went out True"),
    ),
    Quirk(
        "connect_refused_is_reset",
        "a refused connect is ECONNRESET",
        "lwIP tcp_in.c:830 and err.c:63",
        _lines(
            "refused here ECONNRESET",
            "refused by the host ECONNRESET",
            "non-blocking EINPROGRESS",
            "then ECONNRESET",
        ),
    ),
    Quirk(
        "errno_numbers",
        "errno has newlib's numbers, and no name for many",
        "newlib's sys/errno.h; MICROPY_USE_INTERNAL_ERRNO 0 in the port's mpconfigport.h",
        _lines(
            *("EINPROGRESS 119", "ENOTCONN 128", "ETIMEDOUT 116", "ECONNABORTED 113"),
            *("EADDRINUSE 112", "EALREADY 120", "EPIPE False", "EISCONN False"),
            *("ENOPROTOOPT False", "EAFNOSUPPORT False", "ENFILE False", "EMSGSIZE False", "119"),
        ),
    ),
    Quirk(
        "reset_is_told_twice",
        "after a reset recv raises ECONNRESET twice, or once behind data, then ENOTCONN",
        "lwIP api_lib.c:598-611; sockets.c:990-993 takes the first one behind data",
        _lines(
            *("recv ECONNRESET", "recv ECONNRESET", "recv ENOTCONN", "recv ENOTCONN"),
            "send ENOTCONN",
            *("recv b'data'", "recv ECONNRESET", "recv ENOTCONN", "recv ENOTCONN"),
            "send ENOTCONN",
        ),
    ),
    Quirk(
        "end_stays",
        "the end of the data stays, since the port keeps it",
        "modsocket.c:628",
        _lines("recv b'data'", *["recv b''"] * 3, "read b''", "peek b''"),
    ),
    Quirk(
        "peek_sees_one_piece",
        "MSG_PEEK sees the first pbuf only, while recv joins them; MSG_WAITALL, MSG_OOB and"
        " MSG_NOSIGNAL are ignored",
        "lwIP sockets.c:1048-1050 and lwip/sockets.h:269-274",
        _lines(
            *("peek b'one'", "recv b'onetwothree'", "waitall b'four'"),
            *("MSG_OOB b'x'", "MSG_NOSIGNAL b'x'"),
        ),
    ),
    Quirk(
        "sockets_are_ten",
        "ten sockets, the first has the number 54",
        "CONFIG_LWIP_MAX_SOCKETS 10, and 64 numbers in newlib's fd_set",
        _lines("TCP ENFILE", "10 54", "UDP ENFILE", "10"),
    ),
    Quirk(
        "connections_are_twelve",
        "twelve TCP connections, those included that are closed here but not by the peer",
        "CONFIG_LWIP_MAX_ACTIVE_TCP=12 in boards/sdkconfig.base; lwip_patch.c; lwIP tcp_alloc",
        _lines("TCP ENOBUFS", "9"),
    ),
    Quirk(
        "listener_takes_no_nodelay",
        "a listener takes no TCP_NODELAY that it could hand on",
        "lwIP sockets.c:3646: IPPROTO_TCP options of a listening PCB are EINVAL",
        _lines("TCP_NODELAY EINVAL", "SO_REUSEADDR None"),
    ),
    Quirk(
        "end_behind_six_segments",
        "an end that finds six unread segments is lost; behind a seventh, which is refused, it is"
        " dropped, and comes when the peer sends it again",
        "lwIP tcp_in.c:531-541, api_msg.c: recv_tcp; its result is not looked at",
        _lines(
            *("5 b'xxxxx'", "the rest b''", "the end b''"),
            *("6 b'xxxxxx'", "the rest ETIMEDOUT", "the end ETIMEDOUT"),
            *("7 b'xxxxxx'", "the rest b'x'", "the end b''"),
        ),
    ),
    Quirk(
        "poll_of_each_state",
        "no POLLERR; POLLHUP of a new socket always, of a reset one only if asked for;"
        " a failed connect is POLLIN and POLLOUT; a closed socket is 32, which has no name",
        "modsocket.c:820-864",
        _lines(
            *("new 20 16", "connect EINPROGRESS", "failed 5 21", "connected 4 4"),
            *("reset 5 21", "closed 32", "False"),
        ),
    ),
    Quirk(
        "poll_at_the_end",
        "the end of the data is readable, also after it was read",
        "lwIP api_msg.c:1075: closing the reading side counts as one more to read",
        _lines("ended 5", "recv b''", "after it was read 5", "recv b''"),
    ),
    Quirk(
        "peek_tells_of_connect",
        "a peek tells how a non-blocking connect went; a second connect does too",
        "lwIP api_msg.c, lwip_netconn_do_connect; err.c",
        _lines(
            *("connect EINPROGRESS", "pending, again EALREADY", "connect EINPROGRESS"),
            *(
                "connected, peek EAGAIN",
                "connected, again EISCONN",
                "connect EINPROGRESS",
                "failed, peek ECONNRESET",
            ),
            "failed, again ENOTCONN",
        ),
    ),
    Quirk(
        "recvfrom_of_a_stream",
        "recvfrom of a TCP socket gives the peer's address",
        "lwIP sockets.c:1109-1117",
        _lines("True"),
    ),
    Quirk(
        "port_0_is_not_told",
        "port 0 can be bound but not read back",
        "modsocket.c:887-909",
        _lines("bind None", "listen None", "getsockname AttributeError"),
    ),
    Quirk(
        IPV6,
        "IPv6, where a board has it: connect, bind and send work; addresses that come in are read"
        " as IPv4, getaddrinfo has none, sendto and addresses of four items are refused",
        "modsocket.c:269, 379, 700, 763 and 965: sin_addr lies where sin6_flowinfo is",
        _lines(
            "[(10, 1, 0, 'fec0::2', None)]",
            *("True", "accept 0.0.0.0", "sendto ValueError", "connect None", "send 1"),
            *("b'x' 0.0.0.0", "four items ValueError"),
        ),
    ),
    Quirk(
        "ipv6_out_of_reach",
        "no interface has an address of IPv6, so nothing is in reach",
        "lwIP tcp.c:1098, udp.c:594, ip6.c:86; no file of ports/esp32 calls"
        " esp_netif_create_ip6_linklocal",
        _lines(
            *("connect EHOSTUNREACH", "connect to a neighbour EHOSTUNREACH", "datagrams None"),
            *("send EHOSTUNREACH", "IPv4 to the wildcard None"),
        ),
    ),
    Quirk(
        "ports_out_of_range",
        "ports outside 0 to 65535 are a getaddrinfo error, and wrap in sendto",
        "lwIP netdb.c:313-319; modsocket.c:763",
        _lines(
            *(
                f"{call} to {port} OSError(-201)"
                for port in (65536, 70000, -1)
                for call in ("connect", "bind")
            ),
            *("sendto 7", "recvfrom (b'wrapped', ('127.0.0.1', 7001))"),
        ),
    ),
    Quirk(
        "getaddrinfo_gives_one",
        "one entry, with the host as its canonical name; errors are negated EAI codes",
        "lwIP netdb.c:310-420; modsocket.c:927-983",
        _lines(
            "[(2, 1, 0, '127.0.0.1', ('127.0.0.1', 80))]",
            "[(2, 2, 0, '0.0.0.0', ('0.0.0.0', 80))]",
            "[(10, 1, 0, 'fec0::2', None)]",
            *("1", "not numeric OSError(-201)", "family OSError(-204)"),
            *("no such name OSError(-202)", "port OSError(-201)"),
        ),
    ),
    Quirk(
        "few_arguments",
        "no keywords, no flags for send, no `with`; names resolve in bind; makefile is the socket;"
        " sendall cut short is ETIMEDOUT; close again is fine",
        "modsocket.c:275, 312, 729, 745, 788 and 866",
        _lines(
            *("keyword TypeError", "bind to a name None", "flags for send TypeError"),
            *("makefile True", "read None", "readinto None", "readline None"),
            *("sendall ETIMEDOUT", "close again None", "fileno -1", "recv EBADF"),
            "with AttributeError",
        ),
    ),
    Quirk(
        "accepted_blocks",
        "an accepted socket blocks, whatever the listener does",
        "modsocket.c:376",
        _lines("recv b'came'"),
    ),
    Quirk(
        "backlog_of_two",
        "listen() keeps two connections waiting",
        "MICROPY_PY_SOCKET_LISTEN_BACKLOG_DEFAULT in py/mpconfig.h",
        _lines(*["connect EINPROGRESS"] * 3, "[4, 4, 0]", "4"),
    ),
    Quirk(
        "subclass_misread_by_poll",
        "poll reads a subclass of the socket as if it were one",
        "py/objtype.c hands the native protocol on; the instance is laid out otherwise",
        _lines("native 20 subclass the same False", "its own methods None"),
    ),
    Quirk(
        "iobase_can_be_polled",
        "an object made from io.IOBase can be polled",
        "extmod/modselect.c asks for its ioctl",
        _lines("ioctl 3 5", "4"),
    ),
    Quirk(
        "empty_send_times_out",
        "an empty send is ETIMEDOUT, at once, or EAGAIN",
        "modsocket.c:723",
        _lines("send ETIMEDOUT", "send, timeout ETIMEDOUT", "send, non-blocking EAGAIN"),
    ),
    Quirk(
        "empty_datagram_repeats",
        "an empty datagram goes out once for each slice of the timeout, then it is ETIMEDOUT",
        "modsocket.c:766-778",
        _lines("sendto ETIMEDOUT", *["listen EOPNOTSUPP"] * 4, "datagrams 4"),
    ),
    Quirk(
        "recv_0_waits",
        "recv(0) waits for data, then the socket counts as at its end",
        "modsocket.c:652",
        _lines("recv(0), nothing there ETIMEDOUT", "recv(0) b''", "recv(10) b''"),
    ),
    Quirk(
        "empty_datagram_is_an_end",
        "after an empty datagram every recvfrom returns b'' and some address; a listen that"
        " fails undoes that",
        "modsocket.c:628, 652 and 333",
        _lines(
            *("sendto ETIMEDOUT", "recvfrom (b'', ('127.0.0.1', 7002))", "b'' False"),
            *("cure EOPNOTSUPP", "recvfrom (b'after it', ('127.0.0.1', 7002))"),
        ),
    ),
    Quirk(
        "full_buffers_sendto",
        "sendto with full buffers is ETIMEDOUT, where send is EAGAIN",
        "modsocket.c:778 and 724",
        _lines("sendto ('EAGAIN', 'ETIMEDOUT')", "write ('EAGAIN', None)"),
    ),
    Quirk(
        "failed_connect_is_the_last",
        "a socket that failed to connect is of no more use",
        "lwIP tcp_in.c:447 frees the PCB; api_msg.c, lwip_netconn_do_connect: ERR_CLSD",
        _lines(
            *("refused ECONNRESET", "again ENOTCONN", "and again ENOTCONN", "send ENOTCONN"),
            "a new one None",
        ),
    ),
    Quirk(
        "close_with_unread_resets",
        "closing with unread data resets the connection",
        "lwIP tcp.c, tcp_close_shutdown: rst_on_unacked_data",
        _lines("unread 0 b''", "unread 6 ECONNRESET"),
    ),
    Quirk(
        "buffer_sizes",
        "5760 bytes fit into the buffer of a connection, 6 datagrams into that of a socket",
        "CONFIG_LWIP_TCP_SND_BUF_DEFAULT and CONFIG_LWIP_UDP_RECVMBOX_SIZE of ESP-IDF 5.4",
        _lines("send 5760", "[0, 1, 2, 3, 4, 5]"),
    ),
    Quirk(
        "socket_py_shadows",
        "socket.py in the file system comes before the module; usocket.py does not",
        "py/objmodule.c and py/builtinimport.c: extensible modules",
        _lines("socket True", "usocket False"),
    ),
    Quirk(
        "lost_sockets_are_collected",
        "lost sockets are collected when there is no other left; classes have no __del__",
        "modsocket.c:294-300 and 888; py/objtype.c",
        _lines("with ten lost 'socket'", "collected"),
    ),
    Quirk(
        "poll_takes_no_fds",
        "poll takes no file descriptors; unregister of an unknown socket is silent, modify is"
        " ENOENT; select.select is there",
        "extmod/modselect.c",
        _lines(
            "fd OSError(stream operation not supported)",
            "negative OSError(stream operation not supported)",
            *("unregister None", "modify ENOENT", "select [0, 1, 0]", "[4] []"),
        ),
    ),
    Quirk(
        EXHAUSTED,
        "a connect that nobody answers ends in ECONNABORTED, with no timeout of its own",
        "lwIP tcp.c:1413, err.c:62",
        _lines("connect ECONNABORTED"),
    ),
]
