# Bad input that the files of single features do not have: sizes, calls with the wrong number or
# kind of arguments; the layer is usable afterwards. Addresses: test_addresses.py, test_unix.py;
# fds: test_fds.py; options: test_options.py; names: test_getaddrinfo.py.
import usocket_compat as net
from check import (
    close,
    eq,
    has,
    listener,
    pair,
    raises,
    recv_exactly,
    sendall,
    tcp,
    true,
    udp,
    udp_pair,
)

HUGE = (1 << 62, (1 << 63) - 1, 1 << 63, 1 << 100)


def still_works(client, server):
    sendall(client, b"fine")
    eq(recv_exactly(server, 4), b"fine")
    close(client, server)


def test_negative_sizes():
    client, server = pair()
    sendall(client, b"x")
    for size in (-1, -(1 << 31), -(1 << 40)):
        raises(ValueError, net.zsock_recv, server, size)
        raises(ValueError, net.zsock_recvfrom, server, size)
        if has("recvmsg"):
            raises(ValueError, net.zsock_recvmsg, server, [bytearray(1)], size)
    raises((ValueError, OverflowError), net.zsock_recv, server, -(1 << 100))
    eq(net.zsock_recv(server, 9), b"x")
    still_works(client, server)


def test_huge_sizes():
    client, server = pair()
    sendall(client, b"x")
    for size in HUGE:
        raises((MemoryError, OverflowError), net.zsock_recv, server, size)
        raises((MemoryError, OverflowError), net.zsock_recvfrom, server, size)
    eq(net.zsock_recv(server, 9), b"x")
    still_works(client, server)


def test_the_error_names_what_was_given():
    fd = tcp()
    calls = [(net.zsock_close, (1.5,)), (net.zsock_shutdown, (fd, 1.5))]
    if has("eventfd"):
        calls.append((net.zvfs_eventfd, (1.5,)))
    for call, args in calls:
        text = str(raises(TypeError, call, *args))
        true(text.endswith("not float"), text)
    close(fd)


def test_sizes_of_wrong_types():
    client, server = pair()
    for size in (1.0, "1", None, (), {}):
        raises(TypeError, net.zsock_recv, server, size)
        raises(TypeError, net.zsock_recvfrom, server, size)
        if has("recvmsg"):
            raises(TypeError, net.zsock_recvmsg, server, [bytearray(1)], size)
    still_works(client, server)


def test_flags():
    client, server = pair()
    for flags in ("0", None, 1.0, []):
        raises(TypeError, net.zsock_send, client, b"x", flags)
        raises(TypeError, net.zsock_recv, server, 1, flags)
        raises(TypeError, net.zsock_recvfrom, server, 1, flags)
        raises(TypeError, net.zsock_sendto, client, b"x", flags, ("127.0.0.1", 9))
    for flags in (1 << 31, 1 << 40, -(1 << 40)):
        raises(OverflowError, net.zsock_send, client, b"x", flags)
        raises(OverflowError, net.zsock_recv, server, 1, flags)
    still_works(client, server)


def test_numbers_of_arguments():
    fd = tcp()
    for call, args in (
        (net.zsock_socket, (2, 1, 0, 0)),
        (net.zsock_close, ()),
        (net.zsock_bind, (fd,)),
        (net.zsock_connect, (fd,)),
        (net.zsock_accept, ()),
        (net.zsock_send, (fd,)),
        (net.zsock_sendto, (fd, b"x")),
        (net.zsock_recv, (fd,)),
        (net.zsock_recvfrom, ()),
        (net.zsock_fcntl, (fd,)),
        (net.zsock_poll, ()),
        (net.zsock_select, ([],)),
        (net.zsock_setsockopt, (fd, net.SOL_SOCKET, net.SO_REUSEADDR)),
    ):
        raises(TypeError, call, *args)
    close(fd)


def test_keywords():
    # The names of the API table are usable as keywords.
    fd = net.zsock_socket(family=net.AF_INET, type=net.SOCK_STREAM, proto=0)
    net.zsock_bind(fd, ("127.0.0.1", 0))
    net.zsock_listen(fd, backlog=3)
    close(fd)
    a, b = udp_pair()
    eq(net.zsock_send(a, b"x", flags=0), 1)
    eq(net.zsock_recv(b, 9, flags=0), b"x")
    close(a, b)


def test_backlogs():
    fd, _ = listener()
    for backlog in ("1", None, 1.5):
        raises(TypeError, net.zsock_listen, fd, backlog)
    net.zsock_listen(fd, 5)
    close(fd)


def test_shutdown_how():
    if not has("shutdown"):
        return "refused: shutdown"
    client, server = pair()
    for how in (3, -1, 99):
        raises("EINVAL", net.zsock_shutdown, client, how)
    for how in (None, "0", 1.5):
        raises(TypeError, net.zsock_shutdown, client, how)
    still_works(client, server)


def test_what_is_nearly_an_int():
    """A bool is an int or no int, as the interpreter has it; a float is none."""
    client, server = pair()
    for call, args in (
        (net.zsock_send, (client, b"x", False)),
        (net.zsock_send, (client, bytearray(1), False)),
        (net.zsock_recv, (server, 1, False)),
        (net.zsock_recv, (server, bytearray(1), False)),
    ):
        net.zsock_send(client, b"y")
        try:
            call(*args)
        except TypeError:
            pass
    for args in ((2.0,), (net.AF_INET, 1.0), (net.AF_INET, net.SOCK_STREAM, 0.0)):
        raises(TypeError, net.zsock_socket, *args)
    before = net.fds()
    for call in (net.zsock_close, net.zsock_dup, net.zsock_accept):
        raises((TypeError, OSError), call, True)
        raises(TypeError, call, 1.0)
    try:
        net.zsock_close(net.zsock_socket(net.AF_INET, net.SOCK_STREAM, False))
    except TypeError:
        pass
    eq(net.fds(), before)
    close(client, server)


def test_a_failing_buffer_changes_nothing():
    # The bad one among several: nothing is sent, nothing is taken.
    if not has("sendmsg"):
        return "refused: sendmsg"
    a, b = udp_pair()
    raises(TypeError, net.zsock_sendmsg, a, [b"good", "bad"])
    net.zsock_send(a, b"next")
    raises(TypeError, net.zsock_recvmsg, b, [bytearray(2), b"bad"])
    eq(net.zsock_recv(b, 9), b"next")
    close(a, b)


def test_usable_after_everything():
    # One table of what must fail, then the layer works as on the first day.
    fd, addr = udp()
    for call, args in (
        (net.zsock_socket, (99,)),
        (net.zsock_socket, (net.AF_INET, 99)),
        (net.zsock_close, (99,)),
        (net.zsock_bind, (fd, addr)),
        (net.zsock_connect, (fd, ("127.0.0.1", -1))),
        (net.zsock_accept, (fd,)),
        (net.zsock_send, (fd, "text")),
        (net.zsock_recv, (fd, -1)),
        (net.zsock_fcntl, (fd, 12345)),
        (net.zsock_ioctl, (fd, 12345)),
        (net.zsock_setsockopt, (fd, 12345, 1, 1)),
        (net.zsock_select, ([99], [], [], 0)),
    ):
        raises((OSError, TypeError, ValueError, OverflowError), call, *args)
    eq(len(net.fds()), 1)
    net.zsock_sendto(fd, b"x", 0, addr)
    eq(net.zsock_recvfrom(fd, 9), (b"x", addr))
    close(fd)
