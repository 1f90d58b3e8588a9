# DTLS sockets: what anybody can send in plain.
import gc

import dtls
from between import Between
from dtls import NEEDED, roomy

import usocket_compat as net
from check import close, eq, needs, nonblocking, raises, ready

QUIET = 60  # ms in which nothing is to happen


@needs(NEEDED)
@roomy
def test_the_peer_ends_a_handshake():
    """With close_notify, in plain: that is no error of the server's, which waits on."""
    told = []

    def times(out, data):
        if not out and data[0] == 22 and data[13] == 2:
            told.append(1)  # ServerHello
        return not told

    sfd, addr = dtls.server()
    network = Between(addr, times)
    fd = dtls.client()
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, network.addr)
    while not told:
        for each in fd, sfd:
            eq(ready(each, net.POLLIN, 5), 0)
            network.move()
    close(fd)
    gc.collect()  # a board's heap is in pieces
    for seq in range(2):
        alert = b"\x15\xfe\xfd" + bytes(7) + bytes([200 + seq, 0, 2, 1, 0])
        net.zsock_sendto(network.far, alert, 0, addr)
        eq(ready(sfd, net.POLLIN, QUIET), 0)
        raises("EAGAIN", net.zsock_recv, sfd, 9, net.MSG_DONTWAIT)
    network.close()
    close(sfd)
