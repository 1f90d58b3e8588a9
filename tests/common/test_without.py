# What a configuration leaves out is refused and said to be.
import usocket_compat as net
from check import close, eq, has, pair, raises, recv_exactly, sendall


# rows: E1
def test_socketpair():
    eq(has("socketpair"), False)
    raises("EOPNOTSUPP", net.zsock_socketpair)
    raises("EOPNOTSUPP", net.zsock_socketpair, net.AF_UNIX, net.SOCK_STREAM, 0)


def test_threads():
    eq(has("threads"), False)
    client, server = pair()
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.05)
    raises("EAGAIN", net.zsock_recv, server, 1)
    close(client, server)
