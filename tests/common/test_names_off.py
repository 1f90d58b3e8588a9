# CONFIG_NET_SOCKETS_POSIX_NAMES=n: no bare function, in no way of asking.
from names import CALLS, PLAIN, long

import usocket_compat as net
from check import close, eq, pair, raises, recv_exactly, sendall


# rows: E1 E14
def test_posix_names_are_absent():
    for name in CALLS:
        raises(AttributeError, getattr, net, name)
    eq([name for name in CALLS if name in net.__dict__], [])


def test_prefixed_names_are_there():
    eq([name for name in CALLS if not hasattr(net, long(name))], [])
    eq([name for name in PLAIN if not hasattr(net, name)], [])


def test_still_absent_after_use():
    # The lazy modules are loaded now; none of them may bring its bare name along.
    client, server = pair()
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    net.zsock_poll([net.zsock_pollfd(client, net.POLLOUT)], 0)
    close(client, server)
    test_posix_names_are_absent()


def test_star_import_brings_no_bare_function():
    net.zsock_socket, net.zsock_recv  # a board has the names of what is loaded
    names = {}
    exec("from usocket_compat import *", names)
    eq([name for name in CALLS if name in names], [])
    eq("zsock_socket" in names and "zsock_recv" in names, True)


def test_from_import_fails():
    for name in ("socket", "recv", "poll", "getaddrinfo"):
        raises((ImportError, AttributeError), exec, "from usocket_compat import " + name, {})


def test_constants_and_errno_are_there():
    eq(
        [name for name in "AF_INET SO_LINGER POLLIN MSG_PEEK".split() if not hasattr(net, name)],
        [],
    )
    eq(hasattr(net.errno, "EISCONN"), True)
