# CONFIG_NET_SOCKETS_POSIX_NAMES=y, the default. With n: test_names_off.py.
from names import CALLS, PLAIN, long

import usocket_compat as net
from check import BOARD, close, eq, raises, row, true


def test_prefixed_names():
    eq([name for name in CALLS if not hasattr(net, long(name))], [])
    eq([name for name in PLAIN if not hasattr(net, name)], [])


def same(name):
    true(getattr(net, name) is getattr(net, long(name)), name)
    return "there"


# rows: E14
# rows: each
def test_posix_names_are_the_same_objects():
    for name in CALLS:
        row(name, same, name)


def test_star_import():
    names = {}
    wanted = "socket close shutdown bind connect listen accept send sendto recv recvfrom".split()
    if BOARD:
        # Only what is loaded, which is all on hosts. MicroPython asks for __all__ from 1.28 on.
        for name in wanted:
            true(getattr(net, name) is getattr(net, long(name)))
        eq([name for name in net.__all__ if name[0] == "_" or not hasattr(net, name)], [])
        eq("zsock_socket" in net.__all__, True)
    exec("from usocket_compat import *", names)
    if not BOARD:
        wanted = CALLS + PLAIN
        wanted += "AF_INET SOCK_STREAM SOL_SOCKET SO_REUSEADDR POLLIN EAI_NONAME".split()
    wanted = wanted + [long(name) for name in wanted if name in CALLS]
    eq([name for name in wanted if name not in names], [])
    true(names["recv"] is net.zsock_recv)


def test_a_program_with_posix_names():
    fd = net.socket(net.AF_INET, net.SOCK_STREAM)
    net.bind(fd, ("127.0.0.1", 0))
    net.listen(fd, 1)
    p = net.pollfd(fd, net.POLLIN)
    eq(net.poll([p], 0), 0)
    net.close(fd)
    raises("EBADF", net.close, fd)


def test_from_import():
    from usocket_compat import AF_INET, SOCK_DGRAM, errno, recvfrom, zsock_recvfrom, zsock_socket

    true(recvfrom is zsock_recvfrom)
    fd = zsock_socket(AF_INET, SOCK_DGRAM)
    close(fd)
    raises("EBADF", recvfrom, fd, 1)
    true(errno.EBADF)
