# Ancillary data: descriptors over AF_UNIX, packet info and hop limits with datagrams.
import array
import struct
import sys

import usocket_compat as net
from check import (
    LOOPBACK,
    Thread,
    close,
    eq,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sleep_ms,
    true,
    udp,
    udp_pair,
)

V4 = net.AF_INET
V6 = net.AF_INET6
ROOM = 256  # more than any control message here needs
STALL = 300  # ms that a reader keeps its writer waiting


def rights(*fds):
    return [(net.SOL_SOCKET, net.SCM_RIGHTS, array.array("i", fds))]


def received_fds(ancdata):
    fds = []
    for level, kind, data in ancdata:
        eq((level, kind), (net.SOL_SOCKET, net.SCM_RIGHTS))
        fds += array_of_ints(data)
    return fds


def array_of_ints(data):
    return list(struct.unpack("%di" % (len(data) // 4), data))


@needs("scm_rights")
def test_rights_carry_a_socket():
    a, b = net.zsock_socketpair()
    client, server = pair()
    eq(net.zsock_sendmsg(a, [b"take"], rights(server)), 4)
    buf = bytearray(8)
    count, ancdata, flags, _ = net.zsock_recvmsg(b, [buf], ROOM)
    eq((count, flags & net.MSG_CTRUNC), (4, 0))
    (copy,) = received_fds(ancdata)
    true(copy not in (a, b, client, server), "a received fd is a new one")
    # It knows what it is: a receive of nothing waits for a datagram, and not on a stream of TCP.
    net.zsock_setsockopt(copy, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.05)
    eq(net.zsock_recv(copy, 0), b"")
    net.zsock_setsockopt(copy, net.SOL_SOCKET, net.SO_RCVTIMEO, 0)
    # Both stand for one connection: closing one leaves the other, the peer sees no EOF.
    sendall(client, b"12")
    eq(recv_exactly(copy, 1), b"1")
    eq(recv_exactly(server, 1), b"2")
    close(server)
    sendall(copy, b"still here")
    eq(recv_exactly(client, 10), b"still here")
    nonblocking(client)
    raises("EAGAIN", net.zsock_recv, client, 1)
    close(copy)
    nonblocking(client, False)
    eq(net.zsock_recv(client, 1), b"")
    close(a, b, client)


@needs("scm_rights")
def test_rights_carry_several_and_any_kind():
    a, b = net.zsock_socketpair()
    datagram, addr = udp()
    listening = net.zsock_socket(V4, net.SOCK_STREAM)
    ints = struct.pack("2i", datagram, listening)
    eq(net.zsock_sendmsg(a, [b"x"], [(net.SOL_SOCKET, net.SCM_RIGHTS, ints)]), 1)
    _, ancdata, _, _ = net.zsock_recvmsg(b, [bytearray(1)], ROOM)
    copies = received_fds(ancdata)
    eq(len(copies), 2)
    close(datagram)
    # The copy knows what it is: it receives datagrams with their addresses.
    sender, sender_addr = udp()
    net.zsock_sendto(sender, b"hello", 0, addr)
    eq(net.zsock_recvfrom(copies[0], 10), (b"hello", sender_addr))
    eq(net.zsock_getsockopt(copies[1], net.SOL_SOCKET, net.SO_TYPE), net.SOCK_STREAM)
    close(a, b, listening, sender, *copies)


@needs("scm_rights")
def test_a_received_nonblocking_socket_does_not_block():
    # O_NONBLOCK belongs to what both fds stand for.
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    nonblocking(c)
    net.zsock_sendmsg(a, [b"x"], rights(c))
    _, ancdata, _, _ = net.zsock_recvmsg(b, [bytearray(1)], ROOM)
    (copy,) = received_fds(ancdata)
    eq(net.zsock_fcntl(copy, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    raises("EAGAIN", net.zsock_recv, copy, 1)
    close(a, b, c, d, copy)


# rows: MSG_CTRUNC
@needs("scm_rights")
def test_rights_without_room():
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    for room in (0, 4):
        net.zsock_sendmsg(a, [b"x"], rights(c))
        count, ancdata, flags, _ = net.zsock_recvmsg(b, [bytearray(1)], room)
        eq((count, received_fds(ancdata)), (1, []))
        eq(flags & net.MSG_CTRUNC, net.MSG_CTRUNC)
    # Plain recv drops them too.
    net.zsock_sendmsg(a, [b"x"], rights(c))
    eq(net.zsock_recv(b, 1), b"x")
    # Nothing of c is left over there: closing it ends the connection.
    close(c)
    eq(net.zsock_recv(d, 1), b"")
    close(a, b, d)


@needs("scm_rights")
def test_rights_of_what_is_no_socket():
    a, b = net.zsock_socketpair()
    for fd in (-1, 200):
        raises("EBADF", net.zsock_sendmsg, a, [b"x"], rights(fd))
    raises(TypeError, net.zsock_sendmsg, a, [b"x"], [(net.SOL_SOCKET, net.SCM_RIGHTS, "fd")])
    raises(TypeError, net.zsock_sendmsg, a, [b"x"], [(net.SOL_SOCKET, net.SCM_RIGHTS)])
    raises(TypeError, net.zsock_sendmsg, a, [b"x"], [1])
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 1)
    close(a, b)


@needs("scm_rights")
def test_rights_on_a_stream_keep_their_place():
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    net.zsock_send(a, b"plain")
    net.zsock_sendmsg(a, [b"with"], rights(c))
    net.zsock_send(a, b"after")
    # A receive never reads past the bytes that carry descriptors.
    buf = bytearray(100)
    got = []
    for _ in range(3):
        count, ancdata, _, _ = net.zsock_recvmsg(b, [buf], ROOM)
        got.append((bytes(buf[:count]), len(received_fds(ancdata))))
        close(*received_fds(ancdata))
        if b"".join(g[0] for g in got) == b"plainwithafter":
            break
    eq(sum(g[1] for g in got), 1)
    eq(b"".join(g[0] for g in got), b"plainwithafter")
    close(a, b, c, d)


@needs("scm_rights")
def test_rights_end_a_receive_that_waits_for_all():
    a, b = net.zsock_socketpair()
    for part, anc in ((b"x", ()), (b"ab", rights(a)), (b"cd", ()), (b"efg", ())):
        net.zsock_sendmsg(a, [part], anc)
    # As Linux: up to the bytes that carry descriptors, and not beyond.
    eq(net.zsock_recv(b, 5, net.MSG_WAITALL), b"xab")
    eq(net.zsock_recv(b, 5, net.MSG_WAITALL), b"cdefg")
    for part, anc in ((b"ab", rights(a)), (b"cd", ())):
        net.zsock_sendmsg(a, [part], anc)
    buf = bytearray(4)
    count, ancdata, _, _ = net.zsock_recvmsg(b, [buf], ROOM, net.MSG_WAITALL)
    fds = received_fds(ancdata)
    eq((bytes(buf[:count]), len(fds)), (b"ab", 1))
    eq(net.zsock_recv(b, 2, net.MSG_WAITALL), b"cd")
    close(a, b, *fds)


@needs("scm_rights", "threads")
def test_rights_of_a_message_sent_in_parts_arrive_once():
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    size = 600000  # more than a pair holds
    half = bytes(size // 2)
    thread = Thread(net.zsock_sendmsg, a, [half, half], rights(c))
    sleep_ms(STALL)
    buf = bytearray(65536)
    got, fds = 0, []
    while got < size:
        count, ancdata, _, _ = net.zsock_recvmsg(b, [buf], ROOM)
        true(count, "EOF at %d" % got)
        got += count
        fds += received_fds(ancdata)
    eq((thread.join(), got, len(fds)), (size, size, 1))
    close(a, b, c, d, *fds)


def enabled(fd, level, option):
    net.zsock_setsockopt(fd, level, option, 1)


def only(ancdata, level, kind):
    found = [data for lv, kd, data in ancdata if (lv, kd) == (level, kind)]
    eq(len(found), 1, "control messages of that kind")
    return found[0]


# rows: IP_PKTINFO MSG_CTRUNC
@needs("pktinfo")
def test_recvmsg_ancillary_ipv4_pktinfo_data_user():
    a, a_addr = udp()
    b, b_addr = udp()
    enabled(b, net.IPPROTO_IP, net.IP_PKTINFO)
    net.zsock_sendto(a, b"x", 0, b_addr)
    count, ancdata, flags, addr = net.zsock_recvmsg(b, [bytearray(4)], ROOM)
    eq((count, flags & net.MSG_CTRUNC, addr), (1, 0, a_addr))
    data = only(ancdata, net.IPPROTO_IP, net.IP_PKTINFO)
    eq(len(data), 12)
    true(struct.unpack("i", data[:4])[0] > 0, "the interface")
    eq(data[8:], net.inet_aton(b_addr[0]), "the destination")
    # Too small a buffer is told; the next message is whole again.
    net.zsock_sendto(a, b"y", 0, b_addr)
    count, _, flags, _ = net.zsock_recvmsg(b, [bytearray(4)], 4)
    eq((count, flags & net.MSG_CTRUNC), (1, net.MSG_CTRUNC))
    close(a, b)


# rows: IP_PKTINFO
@needs("pktinfo")
def test_sendmsg_pktinfo_chooses_the_source():
    a = net.zsock_socket(V4, net.SOCK_DGRAM)
    b, b_addr = udp()
    info = struct.pack("i", 0) + net.inet_aton("127.0.0.3") + bytes(4)
    ancdata = [(net.IPPROTO_IP, net.IP_PKTINFO, info)]
    eq(net.zsock_sendmsg(a, [b"x"], ancdata, 0, b_addr), 1)
    eq(net.zsock_recvfrom(b, 4)[1][0], "127.0.0.3")
    close(a, b)


# rows: IPV6_PKTINFO IPV6_RECVPKTINFO
@needs("pktinfo", "AF_INET6")
def test_recvmsg_ancillary_ipv6_pktinfo_data_user():
    a, _ = udp(V6)
    b, b_addr = udp(V6)
    enabled(b, net.IPPROTO_IPV6, net.IPV6_RECVPKTINFO)
    net.zsock_sendto(a, b"x", 0, b_addr)
    _, ancdata, flags, _ = net.zsock_recvmsg(b, [bytearray(4)], ROOM)
    eq(flags & net.MSG_CTRUNC, 0)
    data = only(ancdata, net.IPPROTO_IPV6, net.IPV6_PKTINFO)
    eq((len(data), data[:16]), (20, net.zsock_inet_pton(V6, LOOPBACK[V6])))
    net.zsock_sendto(a, b"y", 0, b_addr)
    flags = net.zsock_recvmsg(b, [bytearray(4)], 4)[2]
    eq(flags & net.MSG_CTRUNC, net.MSG_CTRUNC)
    close(a, b)


# rows: IP_RECVTTL
@needs("ancillary", "IP_RECVTTL", "IP_TTL")
def test_recvmsg_ancillary_ipv4_hoplimit_data_user():
    a, b = udp_pair()
    enabled(b, net.IPPROTO_IP, net.IP_RECVTTL)
    net.zsock_setsockopt(a, net.IPPROTO_IP, net.IP_TTL, 37)
    net.zsock_send(a, b"x")
    ancdata = net.zsock_recvmsg(b, [bytearray(4)], ROOM)[1]
    eq(array_of_ints(only(ancdata, net.IPPROTO_IP, net.IP_TTL)), [37])
    close(a, b)


# rows: IPV6_HOPLIMIT IPV6_RECVHOPLIMIT
@needs("ancillary", "IPV6_RECVHOPLIMIT", "IPV6_UNICAST_HOPS")
def test_recvmsg_ancillary_ipv6_hoplimit_data_user():
    a, b = udp_pair(V6)
    enabled(b, net.IPPROTO_IPV6, net.IPV6_RECVHOPLIMIT)
    net.zsock_setsockopt(a, net.IPPROTO_IPV6, net.IPV6_UNICAST_HOPS, 37)
    net.zsock_send(a, b"x")
    ancdata = net.zsock_recvmsg(b, [bytearray(4)], ROOM)[1]
    eq(array_of_ints(only(ancdata, net.IPPROTO_IPV6, net.IPV6_HOPLIMIT)), [37])
    close(a, b)


@needs("pktinfo", "IP_RECVTTL")
def test_recvmsg_msg_controllen_update():
    # Two messages at once; then none; then with no room asked for.
    a, b = udp_pair()
    enabled(b, net.IPPROTO_IP, net.IP_PKTINFO)
    enabled(b, net.IPPROTO_IP, net.IP_RECVTTL)
    net.zsock_send(a, b"x")
    eq(len(net.zsock_recvmsg(b, [bytearray(4)], ROOM)[1]), 2)
    for option in (net.IP_PKTINFO, net.IP_RECVTTL):
        net.zsock_setsockopt(b, net.IPPROTO_IP, option, 0)
    net.zsock_send(a, b"x")
    eq(net.zsock_recvmsg(b, [bytearray(4)], ROOM)[1], [])
    net.zsock_send(a, b"x")
    _, ancdata, flags, _ = net.zsock_recvmsg(b, [bytearray(4)])
    eq((ancdata, flags & net.MSG_CTRUNC), ([], 0))
    close(a, b)


@needs("scm_rights", "eventfd")
def test_rights_of_an_eventfd():
    """What is received is one, and shares the counter; passed on once more, too."""
    a, b = net.zsock_socketpair()
    for flags in (0, net.EFD_NONBLOCK, net.EFD_SEMAPHORE):
        first = net.zvfs_eventfd(0, flags)
        fds = [first]
        for _ in range(2):
            net.zsock_sendmsg(a, [b"x"], rights(fds[-1]))
            fds += received_fds(net.zsock_recvmsg(b, [bytearray(1)], ROOM)[1])
        for fd in fds:
            got = net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK
            eq(bool(got), flags == net.EFD_NONBLOCK)
        for fd, other in ((fds[0], fds[2]), (fds[2], fds[1])):
            eq(ready(other, net.POLLIN | net.POLLOUT, 0), net.POLLOUT)
            net.zvfs_eventfd_write(fd, 3)
            eq(ready(other, net.POLLIN, 0), net.POLLIN)
            for _ in range(3 if flags == net.EFD_SEMAPHORE else 1):
                eq(net.zvfs_eventfd_read(other), 1 if flags == net.EFD_SEMAPHORE else 3)
        if flags == net.EFD_NONBLOCK:
            raises("EAGAIN", net.zvfs_eventfd_read, fds[2])
        for fd in fds:
            raises("ENOTSOCK", net.zsock_send, fd, b"x")
            raises("ENOTSOCK", net.zsock_recv, fd, 1)
        close(*fds)
    close(a, b)


@needs("scm_rights", "eventfd", "threads")
def test_a_received_eventfd_waits():
    a, b = net.zsock_socketpair()
    fd = net.zvfs_eventfd()
    net.zsock_sendmsg(a, [b"x"], rights(fd))
    (copy,) = received_fds(net.zsock_recvmsg(b, [bytearray(1)], ROOM)[1])
    for mine, other in ((fd, copy), (copy, fd)):
        thread = Thread(net.zvfs_eventfd_read, mine)
        sleep_ms(STALL)
        true(not thread.done)
        net.zvfs_eventfd_write(other, 9)
        eq(thread.join(), 9)
    for mine in (fd, copy):
        thread = Thread(net.zvfs_eventfd_read, mine)
        sleep_ms(STALL)
        close(mine)
        raises("EBADF", thread.join)
    close(a, b)


@needs("scm_rights")
def test_rights_for_which_there_is_no_memory():
    # What has come is closed, all of it: nobody has its numbers.
    def fail(*args):
        raise MemoryError

    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    net.zsock_sendmsg(a, [b"x"], rights(c, c, c))
    before = net.fds()
    zmsg = sys.modules["usocket_compat.zmsg"]
    zmsg.bytes = fail
    try:
        raises(MemoryError, net.zsock_recvmsg, b, [bytearray(1)], ROOM)
    finally:
        del zmsg.bytes
    eq(net.fds(), before)
    close(a, b, c, d)
