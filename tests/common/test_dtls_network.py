# DTLS sockets on a network that loses, repeats and adds datagrams.
import dtls
from between import Between
from dtls import NEEDED, roomy, shake

import usocket_compat as net
from check import close, eq, needs, ready, true, udp

QUIET = 60  # ms in which nothing is to happen


@needs(NEEDED)
@roomy
def test_loss():
    """Each flight of the handshake is lost once, and goes again."""
    seen = []

    def times(out, data):
        kind = out, data[0], data[4], data[13] if data[0] == 22 and not data[4] else 0
        # ClientHello, ServerHello, ClientKeyExchange, the server's last flight
        flights = (True, 22, 0, 1), (False, 22, 0, 2), (True, 22, 0, 16), (False, 20, 0, 0)
        if kind in seen or kind not in flights:
            return 1
        seen.append(kind)
        return 0

    sfd, addr = dtls.server()
    network = Between(addr, times)
    fd = dtls.client()
    eq(shake(fd, sfd, network.addr, network), net.POLLOUT)
    true(len(seen) >= 3, seen)
    net.zsock_send(fd, b"through")
    network.carry()
    eq(net.zsock_recv(sfd, 9), b"through")
    close(fd, sfd)
    network.close()


@needs(NEEDED)
@roomy
def test_duplicates_and_replays():
    """What comes twice is given once (RFC 6347, 4.1.2.6); what is lost is not missed."""
    lost = []

    def times(out, data):
        if data[0] != 23:
            return 2
        return 0 if lost else 3

    sfd, addr = dtls.server()
    network = Between(addr, times)
    fd = dtls.client()
    eq(shake(fd, sfd, network.addr, network), net.POLLOUT)
    for data in (b"one", b"two"):
        net.zsock_send(fd, data)
        network.carry()
        eq(net.zsock_recv(sfd, 9), data)
        eq(ready(sfd, net.POLLIN, QUIET), 0)
    lost.append(1)
    net.zsock_send(fd, b"lost")
    network.carry()
    del lost[:]
    net.zsock_send(fd, b"three")
    network.carry()
    eq(net.zsock_recv(sfd, 9), b"three")
    close(fd, sfd)
    network.close()


@needs(NEEDED)
@roomy
def test_garbage_in_a_handshake():
    other, _ = udp()
    sfd, addr = dtls.server()
    for data in (b"", b"x", bytes(100), b"\x16\xfe\xfd" + bytes(60), b"\x16\xfe\xff" + bytes(60)):
        net.zsock_sendto(other, data, 0, addr)
    hello = b"\x16\xfe\xfd" + bytes(8) + b"\0\x30\1" + bytes(47)  # one that is none within
    net.zsock_sendto(other, hello, 0, addr)
    eq(ready(sfd, net.POLLIN, QUIET), 0)
    fd = dtls.client()
    eq(shake(fd, sfd, addr), net.POLLOUT)
    net.zsock_send(fd, b"good")
    eq(net.zsock_recv(sfd, 9), b"good")
    close(fd, sfd, other)
