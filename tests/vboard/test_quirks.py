# SPDX-License-Identifier: MIT
"""How the ESP32's plain socket differs from POSIX, each difference shown on the virtual board.

The programs in quirks/ print what they find. What is expected comes from the source named beside
it: MicroPython 1.26's ports/esp32/modsocket.c, or lwIP 2.2.1.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

from usocket_tools import remote
from usocket_tools.device import Device, Execution
from usocket_tools.vboard.board import Board

PROGRAMS = Path(__file__).parent / "quirks"
SECONDS = 20
EXHAUSTION_SECONDS = 60
NOT_IMPLEMENTED = "Warning: lwip.setsockopt() option not implemented"
EXHAUSTED = "f4_exhausted"


class Quirk(NamedTuple):
    program: str
    says: str
    source: str
    expected: str


def lines(*each: str) -> str:
    return "".join(line + "\n" for line in each)


QUIRKS = [
    Quirk(
        "f1_names",
        "few methods, 16 constants, 22 errno names",
        "modsocket.c:887 and 996; the errno list of py/moderrno.c",
        lines(
            "accept bind close connect fileno listen makefile read readinto readline recv recvfrom"
            " send sendall sendto setblocking setsockopt settimeout write",
            "AF_INET AF_INET6 IPPROTO_IP IPPROTO_TCP IPPROTO_UDP IP_ADD_MEMBERSHIP MSG_DONTWAIT"
            " MSG_PEEK SOCK_DGRAM SOCK_RAW SOCK_STREAM SOL_SOCKET SO_BINDTODEVICE SO_BROADCAST"
            " SO_REUSEADDR TCP_NODELAY getaddrinfo socket",
            "errno names 22",
        ),
    ),
    Quirk(
        "f2_level_ignored",
        "setsockopt looks at the number alone: IP_TOS is TCP_NODELAY, which a datagram socket"
        " has not, TCP_KEEPIDLE is IP_ADD_MEMBERSHIP, TCP_KEEPINTVL and IP_DROP_MEMBERSHIP are"
        " SO_REUSEADDR, 20 installs a callback",
        "modsocket.c:490-563; SOL_SOCKET options of lwip/sockets.h",
        lines(
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
        "f2_silent",
        "options that it does not know succeed, with a printed warning",
        "modsocket.c:561",
        lines(
            *(
                line
                for name in (
                    *("SO_KEEPALIVE", "SO_LINGER", "SO_RCVBUF"),
                    *("IP_TTL", "IPV6_V6ONLY", "none such"),
                )
                for line in (NOT_IMPLEMENTED, f"{name} None")
            )
        ),
    ),
    Quirk(
        "f3_timeouts",
        "a timeout of t waits t // 0.1 + 1 times 100 ms; below 100 ms it ends in EAGAIN",
        "modsocket.c:569-583, 633 and 665",
        lines(
            "0.05 1 slices, EAGAIN",
            "0.09 1 slices, EAGAIN",
            "0.1 2 slices, ETIMEDOUT",
            "0.25 3 slices, ETIMEDOUT",
            "0.5 6 slices, ETIMEDOUT",
            "0 EAGAIN",
        ),
    ),
    Quirk(
        "f3_connect",
        "connect waits the same slices, and ends in ETIMEDOUT below 100 ms too",
        "modsocket.c:445-476",
        lines(
            *("0.05 ETIMEDOUT", "1 slices"),
            *("0.1 ETIMEDOUT", "2 slices"),
            *("0.3 ETIMEDOUT", "4 slices"),
        ),
    ),
    Quirk(
        "f3_sendall",
        "sendall that runs out of time raises ETIMEDOUT, and does not say how much went out",
        "modsocket.c:745",
        lines("sendall ETIMEDOUT", "some went out True"),
    ),
    Quirk(
        "f4_refused",
        "a refused connect is ECONNRESET",
        "lwIP tcp_in.c:830 and err.c:63",
        lines(
            "refused here ECONNRESET",
            "refused by the host ECONNRESET",
            "non-blocking EINPROGRESS",
            "then ECONNRESET",
        ),
    ),
    Quirk(
        "f4_numbers",
        "errno has newlib's numbers, and no name for many",
        "newlib's sys/errno.h; MICROPY_USE_INTERNAL_ERRNO 0 in the port's mpconfigport.h",
        lines(
            *("EINPROGRESS 119", "ENOTCONN 128", "ETIMEDOUT 116", "ECONNABORTED 113"),
            *("EADDRINUSE 112", "EALREADY 120", "EPIPE False", "EISCONN False"),
            *("ENOPROTOOPT False", "EAFNOSUPPORT False", "ENFILE False", "EMSGSIZE False", "119"),
        ),
    ),
    Quirk(
        "f5_reset",
        "after a reset recv raises ECONNRESET twice, or once behind data, then ENOTCONN",
        "lwIP api_lib.c:598-611; sockets.c:990-993 takes the first one behind data",
        lines(
            *("recv ECONNRESET", "recv ECONNRESET", "recv ENOTCONN", "recv ENOTCONN"),
            "send ENOTCONN",
            *("recv b'data'", "recv ECONNRESET", "recv ENOTCONN", "recv ENOTCONN"),
            "send ENOTCONN",
        ),
    ),
    Quirk(
        "f5_end",
        "the end of the data stays, since the port keeps it",
        "modsocket.c:628",
        lines("recv b'data'", *["recv b''"] * 3, "read b''", "peek b''"),
    ),
    Quirk(
        "f6_recv",
        "MSG_PEEK sees the first pbuf only, while recv joins them; MSG_WAITALL, MSG_OOB and"
        " MSG_NOSIGNAL are ignored",
        "lwIP sockets.c:1048-1050 and lwip/sockets.h:269-274",
        lines(
            *("peek b'one'", "recv b'onetwothree'", "waitall b'four'"),
            *("MSG_OOB b'x'", "MSG_NOSIGNAL b'x'"),
        ),
    ),
    Quirk(
        "f6_limits",
        "ten sockets, the first has the number 54",
        "CONFIG_LWIP_MAX_SOCKETS 10, and 64 numbers in newlib's fd_set",
        lines("TCP ENFILE", "10 54", "UDP ENFILE", "10"),
    ),
    Quirk(
        "f6_pcbs",
        "twelve TCP connections, those included that are closed here but not by the peer",
        "CONFIG_LWIP_MAX_ACTIVE_TCP=12 in boards/sdkconfig.base; lwip_patch.c; lwIP tcp_alloc",
        lines("TCP ENOBUFS", "9"),
    ),
    Quirk(
        "f7_listener",
        "a listener takes no TCP_NODELAY that it could hand on",
        "lwIP sockets.c:3646: IPPROTO_TCP options of a listening PCB are EINVAL",
        lines("TCP_NODELAY EINVAL", "SO_REUSEADDR None"),
    ),
    Quirk(
        "f8_poll",
        "no POLLERR; POLLHUP of a new socket always, of a reset one only if asked for;"
        " a failed connect is POLLIN and POLLOUT; a closed socket is 32, which has no name",
        "modsocket.c:820-864",
        lines(
            *("new 20 16", "connect EINPROGRESS", "failed 5 21", "connected 4 4"),
            *("reset 5 21", "closed 32", "False"),
        ),
    ),
    Quirk(
        "f8_end",
        "the end of the data is readable, also after it was read",
        "lwIP api_msg.c:1075: closing the reading side counts as one more to read",
        lines("ended 5", "recv b''", "after it was read 5", "recv b''"),
    ),
    Quirk(
        "f9_take_error",
        "a peek tells how a non-blocking connect went; a second connect does too",
        "lwIP api_msg.c, lwip_netconn_do_connect; err.c",
        lines(
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
        "f9_peer",
        "recvfrom of a TCP socket gives the peer's address",
        "lwIP sockets.c:1109-1117",
        lines("True"),
    ),
    Quirk(
        "f9_port_0",
        "port 0 can be bound but not read back",
        "modsocket.c:887-909",
        lines("bind None", "listen None", "getsockname AttributeError"),
    ),
    Quirk(
        "f10_ipv6",
        "IPv6: connect, bind and send work; addresses that come in are read as IPv4, getaddrinfo"
        " has none, sendto and addresses of four items are refused",
        "modsocket.c:269, 379, 700, 763 and 965: sin_addr lies where sin6_flowinfo is",
        lines(
            "[(10, 1, 0, 'fec0::2', None)]",
            *("True", "accept 0.0.0.0", "sendto ValueError", "connect None", "send 1"),
            *("b'x' 0.0.0.0", "four items ValueError"),
        ),
    ),
    Quirk(
        "f12_ports",
        "ports outside 0 to 65535 are a getaddrinfo error, and wrap in sendto",
        "lwIP netdb.c:313-319; modsocket.c:763",
        lines(
            *(
                f"{call} to {port} OSError(-201)"
                for port in (65536, 70000, -1)
                for call in ("connect", "bind")
            ),
            *("sendto 7", "recvfrom (b'wrapped', ('127.0.0.1', 7001))"),
        ),
    ),
    Quirk(
        "a_getaddrinfo",
        "one entry, with the host as its canonical name; errors are negated EAI codes",
        "lwIP netdb.c:310-420; modsocket.c:927-983",
        lines(
            "[(2, 1, 0, '127.0.0.1', ('127.0.0.1', 80))]",
            "[(2, 2, 0, '0.0.0.0', ('0.0.0.0', 80))]",
            "[(10, 1, 0, 'fec0::2', None)]",
            *("1", "not numeric OSError(-201)", "family OSError(-204)"),
            *("no such name OSError(-202)", "port OSError(-201)"),
        ),
    ),
    Quirk(
        "b_socket",
        "no keywords, no flags for send, no `with`; names resolve in bind; makefile is the socket;"
        " sendall cut short is ETIMEDOUT; close again is fine",
        "modsocket.c:275, 312, 729, 745, 788 and 866",
        lines(
            *("keyword TypeError", "bind to a name None", "flags for send TypeError"),
            *("makefile True", "read None", "readinto None", "readline None"),
            *("sendall ETIMEDOUT", "close again None", "fileno -1", "recv EBADF"),
            "with AttributeError",
        ),
    ),
    Quirk(
        "b_accepted",
        "an accepted socket blocks, whatever the listener does",
        "modsocket.c:376",
        lines("recv b'came'"),
    ),
    Quirk(
        "b_backlog",
        "listen() keeps two connections waiting",
        "MICROPY_PY_SOCKET_LISTEN_BACKLOG_DEFAULT in py/mpconfig.h",
        lines(*["connect EINPROGRESS"] * 3, "[4, 4, 0]", "4"),
    ),
    Quirk(
        "q1_subclass",
        "poll reads a subclass of the socket as if it were one",
        "py/objtype.c hands the native protocol on; the instance is laid out otherwise",
        lines("native 20 subclass the same False", "its own methods None"),
    ),
    Quirk(
        "q2_composed",
        "an object made from io.IOBase can be polled",
        "extmod/modselect.c asks for its ioctl",
        lines("ioctl 3 5", "4"),
    ),
    Quirk(
        "q4_zero",
        "an empty send is ETIMEDOUT, at once, or EAGAIN",
        "modsocket.c:723",
        lines("send ETIMEDOUT", "send, timeout ETIMEDOUT", "send, non-blocking EAGAIN"),
    ),
    Quirk(
        "q4_zero_sendto",
        "an empty datagram goes out once for each slice of the timeout, then it is ETIMEDOUT",
        "modsocket.c:766-778",
        lines("sendto ETIMEDOUT", *["listen EOPNOTSUPP"] * 4, "datagrams 4"),
    ),
    Quirk(
        "q4_zero_recv",
        "recv(0) waits for data, then the socket counts as at its end",
        "modsocket.c:652",
        lines("recv(0), nothing there ETIMEDOUT", "recv(0) b''", "recv(10) b''"),
    ),
    Quirk(
        "q5_empty",
        "after an empty datagram every recvfrom returns b'' and some address; a listen that"
        " fails undoes that",
        "modsocket.c:628, 652 and 333",
        lines(
            *("sendto ETIMEDOUT", "recvfrom (b'', ('127.0.0.1', 7002))", "b'' False"),
            *("cure EOPNOTSUPP", "recvfrom (b'after it', ('127.0.0.1', 7002))"),
        ),
    ),
    Quirk(
        "q9_full",
        "sendto with full buffers is ETIMEDOUT, where send is EAGAIN",
        "modsocket.c:778 and 724",
        lines("sendto ('EAGAIN', 'ETIMEDOUT')", "write ('EAGAIN', None)"),
    ),
    Quirk(
        "q9_unusable",
        "a socket that failed to connect is of no more use",
        "lwIP tcp_in.c:447 frees the PCB; api_msg.c, lwip_netconn_do_connect: ERR_CLSD",
        lines(
            *("refused ECONNRESET", "again ENOTCONN", "and again ENOTCONN", "send ENOTCONN"),
            "a new one None",
        ),
    ),
    Quirk(
        "q10_close",
        "closing with unread data resets the connection",
        "lwIP tcp.c, tcp_close_shutdown: rst_on_unacked_data",
        lines("unread 0 b''", "unread 6 ECONNRESET"),
    ),
    Quirk(
        "q10_buffers",
        "5760 bytes fit into the buffer of a connection, 6 datagrams into that of a socket",
        "CONFIG_LWIP_TCP_SND_BUF_DEFAULT and CONFIG_LWIP_UDP_RECVMBOX_SIZE of ESP-IDF 5.4",
        lines("send 5760", "[0, 1, 2, 3, 4, 5]"),
    ),
    Quirk(
        "q14_shadow",
        "socket.py in the file system comes before the module; usocket.py does not",
        "py/objmodule.c and py/builtinimport.c: extensible modules",
        lines("socket True", "usocket False"),
    ),
    Quirk(
        "q15_collected",
        "lost sockets are collected when there is no other left; classes have no __del__",
        "modsocket.c:294-300 and 888; py/objtype.c",
        lines("with ten lost 'socket'", "collected"),
    ),
    Quirk(
        "s2_select",
        "poll takes no file descriptors; unregister of an unknown socket is silent, modify is"
        " ENOENT; select.select is there",
        "extmod/modselect.c",
        lines(
            "fd OSError(stream operation not supported)",
            "negative OSError(stream operation not supported)",
            *("unregister None", "modify ENOENT", "select [0, 1, 0]", "[4] []"),
        ),
    ),
]


def echo(listener: socket.socket) -> None:
    """Serve every connection until the listener is shut down."""

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(100):
                connection.sendall(data)

    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


@pytest.fixture(scope="module")
def ports() -> Iterator[list[str]]:
    """Those of this machine, in the order of quirks/common.py."""
    with contextlib.ExitStack() as stack:

        def bound(backlog: int = -1, family: int = socket.AF_INET) -> socket.socket:
            s = stack.enter_context(socket.socket(family))
            s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
            if backlog >= 0:
                s.listen(backlog)
            return s

        served = [bound(50), bound(50), bound(50, socket.AF_INET6)]
        held, silent, closed = bound(50), bound(0), bound()
        threads = [threading.Thread(target=echo, args=(s,)) for s in served]
        for thread in threads:
            thread.start()
        # Linux drops every further SYN when the queue is full.
        with pytest.raises(socket.timeout):
            for _ in range(10):
                client = stack.enter_context(socket.socket())
                client.settimeout(0.5)
                client.connect(silent.getsockname())
        yield [str(s.getsockname()[1]) for s in (*served, held, silent, closed)]
        for s in served:
            s.shutdown(socket.SHUT_RD)
        for thread in threads:
            thread.join()


def start(device: Device, ports: list[str], name: str) -> Execution:
    device.fresh()
    return remote.start(device, PROGRAMS / f"{name}.py", remote.Options(name, ports))


def output(execution: Execution, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    text = b""
    while not execution.done:
        text += execution.read(deadline - time.monotonic())
        if time.monotonic() >= deadline:
            text += b"hung: " + execution.interrupt()
            break
    return text.decode().replace("\r\n", "\n") + execution.error


@pytest.fixture(scope="module", autouse=True)
def exhausted(ports) -> Iterator[Execution]:
    """The one that takes long, on a board of its own while the others run."""
    with Board() as board, Device(board.device) as device:
        yield start(device, ports, EXHAUSTED)


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


@pytest.mark.parametrize("quirk", QUIRKS, ids=[quirk.program for quirk in QUIRKS])
def test_quirk(board, ports, quirk):
    counts_pcbs = quirk.program in ("f6_limits", "f6_pcbs")
    if counts_pcbs:
        board.control("reset")
    with Device(board.device) as device:
        assert output(start(device, ports, quirk.program), SECONDS) == quirk.expected
    if counts_pcbs:
        board.control("reset")


def test_connect_without_answer(exhausted):
    """Nobody answers any of the SYNs: ECONNABORTED (lwIP tcp.c:1413, err.c:62)."""
    assert output(exhausted, EXHAUSTION_SECONDS) == "connect ECONNABORTED\n"


def test_every_program_is_run():
    there = {file.stem for file in PROGRAMS.glob("*.py")}
    assert there == {"common", EXHAUSTED, *(quirk.program for quirk in QUIRKS)}
