# DTLS sockets: calls that wait.
import dtls
from dtls import NEEDED, pair, roomy
from secure import LONG, option

import usocket_compat as net
from check import Thread, at_once, close, eq, needs, raises, raises_after, ready, sleep_ms, true

QUIET = 60  # ms in which nothing is to happen


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_waiting():
    a, b, _ = pair()
    for fd in a, b:
        at_once(raises, "EAGAIN", net.zsock_recv, fd, 1, net.MSG_DONTWAIT)
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
        raises_after(100, "EAGAIN", net.zsock_recv, fd, 1)
        raises_after(100, "EAGAIN", net.zsock_recvfrom, fd, bytearray(1))
    close(a, b)
    sfd, _ = dtls.server()
    net.zsock_setsockopt(sfd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
    raises_after(100, "EAGAIN", net.zsock_recvfrom, sfd, 1)
    close(sfd)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED, "threads")
@roomy
def test_calls_that_block():
    sfd, addr = dtls.server()
    serving = Thread(net.zsock_recvfrom, sfd, 100)
    fd = dtls.client()
    net.zsock_connect(fd, addr)
    net.zsock_send(fd, b"question")
    data, peer = serving.join(LONG)
    eq(data, b"question")
    waiting = Thread(net.zsock_recv, fd, 100)
    sleep_ms(QUIET)
    net.zsock_sendto(sfd, b"answer", 0, peer)
    eq(waiting.join(LONG), b"answer")
    for each in fd, sfd:
        waiting = Thread(net.zsock_recv, each, 1)
        sleep_ms(QUIET)
        close(each)
        raises("EBADF", waiting.join, LONG)
    sfd, _ = dtls.server()
    waiting = Thread(net.zsock_recvfrom, sfd, 1)
    sleep_ms(QUIET)
    close(sfd)
    raises("EBADF", waiting.join, LONG)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_the_first_sendto_connects():
    sfd, addr = dtls.server()
    fd = dtls.client()
    begun = 0
    for _ in range(1000):
        try:
            eq(net.zsock_sendto(fd, b"first", net.MSG_DONTWAIT, addr), 5)
            break
        except OSError as e:
            eq(e.errno, net.errno.EAGAIN)
            begun += 1
        ready_now = [net.zsock_pollfd(sfd, net.POLLIN), net.zsock_pollfd(fd, net.POLLOUT)]
        net.zsock_poll(ready_now, 20)
    true(begun)
    eq(net.zsock_recv(sfd, 9), b"first")
    close(fd, sfd)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED, "AF_INET6")
@roomy
def test_ipv6():
    sfd = dtls.dtls(net.AF_INET6)
    option(sfd, "TLS_SEC_TAG_LIST", [dtls.OWN])
    option(sfd, "TLS_DTLS_ROLE", net.TLS_DTLS_ROLE_SERVER)
    addr = dtls.bind_free(sfd, "::1")
    fd = dtls.dtls(net.AF_INET6)
    option(fd, "TLS_SEC_TAG_LIST", [dtls.CA])
    option(fd, "TLS_HOSTNAME", dtls.NAME)
    eq(dtls.shake(fd, sfd, addr), net.POLLOUT)
    net.zsock_send(fd, b"six")
    data, peer = net.zsock_recvfrom(sfd, 9)
    eq((data, peer[0]), (b"six", "::1"))
    net.zsock_sendto(sfd, b"6", 0, peer)
    eq(ready(fd, net.POLLIN), net.POLLIN)
    eq(net.zsock_recv(fd, 9), b"6")
    close(fd, sfd)
