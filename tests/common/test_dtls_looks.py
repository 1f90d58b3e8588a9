# DTLS sockets: looking at datagrams, and poll.
from dtls import NEEDED, pair, roomy

import usocket_compat as net
from check import close, eq, has, needs, raises, ready, udp

QUIET = 60  # ms in which nothing is to happen


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_looking_at_datagrams():
    a, b, _ = pair()
    net.zsock_send(a, b"0123456789")
    eq(net.zsock_recv(b, 4, net.MSG_PEEK), b"0123")
    eq(net.zsock_recv(b, 40, net.MSG_PEEK | net.MSG_DONTWAIT), b"0123456789")
    buf = bytearray(4)
    eq(net.zsock_recv(b, buf, net.MSG_TRUNC | net.MSG_PEEK), 10)
    eq(buf, b"0123")
    eq(net.zsock_recv(b, buf, net.MSG_TRUNC), 10)
    raises("EAGAIN", net.zsock_recv, b, 1, net.MSG_DONTWAIT)
    raises("EOPNOTSUPP", net.zsock_recv, b, 1, net.MSG_OOB)
    raises("EOPNOTSUPP", net.zsock_send, a, b"x", net.MSG_OOB)
    if has("FIONREAD"):
        eq(net.zsock_ioctl(b, net.FIONREAD), 0)
        net.zsock_send(a, b"12345")
        eq(ready(b, net.POLLIN), net.POLLIN)
        eq(net.zsock_ioctl(b, net.FIONREAD), 5)
        eq(net.zsock_recv(b, 9), b"12345")
    if has("sendmsg") and has("recvmsg"):
        eq(net.zsock_sendmsg(a, [b"ab", b"cdef"]), 6)
        parts = [bytearray(1), bytearray(3)]
        eq(net.zsock_recvmsg(b, parts)[:3], (4, [], net.MSG_TRUNC))
        eq(parts, [b"a", b"bcd"])
        net.zsock_send(b, b"back")
        eq(net.zsock_recvmsg(a, parts)[:3], (4, [], 0))
        eq(parts, [b"b", b"ack"])
    close(a, b)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_poll_tells_of_data_alone():
    a, b, addr = pair()
    other, _ = udp()
    for x, y in (a, b), (b, a):
        eq(ready(y, net.POLLIN, QUIET), 0)
        eq(ready(y, net.POLLIN | net.POLLOUT, QUIET), net.POLLOUT)
        net.zsock_send(x, b"one")
        net.zsock_send(x, b"two")
        for data in (b"one", b"two"):
            eq(ready(y, net.POLLIN), net.POLLIN)
            eq(ready(y, net.POLLIN | net.POLLOUT), net.POLLIN | net.POLLOUT)
            eq(net.zsock_recv(y, 9), data)
        eq(ready(y, net.POLLIN, QUIET), 0)
    # What is no record, or not the peer's, is none.
    for data in (b"", b"x", bytes(13), b"\x17\xfe\xfd\0\1\0\0\0\0\0\7\0\x20" + bytes(32)):
        net.zsock_sendto(other, data, 0, addr)
    eq(ready(b, net.POLLIN, QUIET), 0)
    raises("EAGAIN", net.zsock_recv, b, 9, net.MSG_DONTWAIT)
    net.zsock_send(a, b"true")
    eq(net.zsock_recv(b, 9), b"true")
    close(a, b, other)
