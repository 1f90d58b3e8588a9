# DTLS sockets: a peer that is not there, or does not answer.
import dtls

import usocket_compat as net
from check import (
    between,
    close,
    closed_port,
    eq,
    has,
    needs,
    nonblocking,
    raises,
    raises_after,
    took,
    true,
    udp,
)

HANDSHAKE = 10000  # what one may take (ms), docs/tls-sockets.md


@needs("IPPROTO_DTLS_1_2")
def test_nobody_there():
    addr = closed_port()
    fd = dtls.client()
    if has("udp_unreachable"):
        raises("ECONNREFUSED", net.zsock_connect, fd, addr)
    else:
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.2)
        raises_after(200, "EINPROGRESS", net.zsock_connect, fd, addr)
    close(fd)


@needs("IPPROTO_DTLS_1_2")
def test_a_server_that_does_not_answer():
    quiet, addr = udp()
    fd = dtls.client()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.2)
    raises_after(200, "EINPROGRESS", net.zsock_connect, fd, addr)
    raises("EAGAIN", net.zsock_send, fd, b"x", net.MSG_DONTWAIT)
    raises("EAGAIN", net.zsock_recv, fd, 1, net.MSG_DONTWAIT)
    close(fd)
    fd = dtls.client()
    _, ms = took(raises, "ETIMEDOUT", net.zsock_connect, fd, addr)
    between(ms, HANDSHAKE, HANDSHAKE)
    raises("ETIMEDOUT", net.zsock_send, fd, b"x")
    close(fd)
    # It has asked again and again: after 1 s, and twice as long each time (RFC 6347, 4.2.4.1).
    hellos = 0
    nonblocking(quiet)
    try:
        while True:
            data = net.zsock_recv(quiet, 2000)
            eq((data[0], data[13]), (22, 1))
            hellos += 1
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    true(hellos >= 4, hellos)
    close(quiet)
