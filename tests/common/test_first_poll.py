# The first entry for poll that a program makes: a file of its own, as that is once in a program.
import usocket_compat as net
from check import close, eq, udp_pair


def test_the_first_entry_may_change():
    a, b = udp_pair()
    p = net.zsock_pollfd(a, net.POLLIN)
    fds = [p]
    eq(net.zsock_poll(fds, 0), 0)
    p.fd, p.events = b, net.POLLOUT
    eq((net.zsock_poll(fds, 0), p.revents), (1, net.POLLOUT))
    close(a, b)
