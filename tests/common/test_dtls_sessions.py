# DTLS sockets: a server's sessions, one after the other.
import gc

import dtls
from dtls import NEEDED, pair, roomy, shake

import usocket_compat as net
from check import close, eq, needs, nonblocking, now, raises, ready, since, sleep_ms, true, udp

SILENT = 5000  # CONFIG_NET_SOCKETS_DTLS_TIMEOUT of Zephyr


@needs(NEEDED)
@roomy
def test_one_session_at_a_time():
    """Another peer takes its place when the first has been silent for so long."""
    a, sfd, addr = pair()
    net.zsock_send(a, b"first")
    eq(net.zsock_recv(sfd, 9), b"first")
    begin = now()
    close(a)  # which tells nobody
    b = dtls.client()
    eq(shake(b, sfd, addr), net.POLLOUT)
    true(since(now(), begin) > SILENT - 100)
    net.zsock_send(b, b"second")
    eq(net.zsock_recv(sfd, 9), b"second")
    # Who talks stays: what looks like another's first message is not looked at.
    other, _ = udp()
    for _ in range(20):
        net.zsock_sendto(other, b"\x16\xfe\xfd" + bytes(8) + b"\0\x30\1" + bytes(47), 0, addr)
        net.zsock_send(b, b"still")
        eq(net.zsock_recv(sfd, 9), b"still")
    net.zsock_send(sfd, b"there")
    nonblocking(b, False)
    eq(net.zsock_recv(b, 9), b"there")
    close(b, other, sfd)


@needs(NEEDED)
@roomy
def test_a_client_that_stops():
    """A handshake that does not go on keeps nobody away for ever."""
    sfd, addr = dtls.server()
    a = dtls.client()
    nonblocking(a)
    raises("EINPROGRESS", net.zsock_connect, a, addr)
    # The server gives a cookie, the client shows it, the server answers; and that is all.
    for fd in sfd, a, sfd:
        eq(ready(fd, net.POLLIN, 300), 0)
    close(a)
    gc.collect()  # a board's heap is in pieces
    begin = now()
    b = dtls.client()
    eq(shake(b, sfd, addr), net.POLLOUT)
    true(since(now(), begin) > SILENT - 1000)
    net.zsock_send(b, b"good")
    eq(net.zsock_recv(sfd, 9), b"good")
    close(b, sfd)


@needs(NEEDED)
@roomy
def test_many_sessions():
    for _ in range(5):
        a, b, _ = pair()
        net.zsock_send(a, b"x")
        eq(net.zsock_recv(b, 9), b"x")
        close(a, b)
        sleep_ms(1)
