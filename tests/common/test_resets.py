# A connection that its peer reset, and a connect that was refused: what every call says then.
import usocket_compat as net
from check import (
    SOON,
    close,
    closed_port,
    eq,
    has,
    listener,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    sendall,
    take_error,
    tcp,
)

IN, OUT, ERR, HUP = net.POLLIN, net.POLLOUT, net.POLLERR, net.POLLHUP


def was_reset():
    """A socket whose peer closed with data that it had not read: that is a reset everywhere."""
    fd, peer = pair()
    sendall(fd, b"unread")
    ready(peer, IN)
    reset_by_closing(peer, fd)
    return fd


def reset_by_closing(peer, fd):
    close(peer)
    eq(ready(fd, IN), IN | ERR | HUP)


def reset_after_the_end():
    """A socket whose peer closed first and then answered data with a reset."""
    fd, peer = pair()
    close(peer)
    eq(ready(fd, IN), IN)
    sendall(fd, b"x")
    p = net.zsock_pollfd(fd, 0)
    eq(net.zsock_poll([p], SOON), 1)
    eq(p.revents, ERR | HUP)
    return fd


# rows: D16 SO_ERROR
@needs("SO_ERROR")
def test_so_error_tells_of_a_reset():
    fd = was_reset()
    eq(ready(fd, IN | OUT), IN | OUT | ERR | HUP)
    eq(take_error(fd), "ECONNRESET")
    # It is told once.
    eq(take_error(fd), None)
    eq(ready(fd, IN | OUT), IN | OUT | HUP)
    eq(net.zsock_recv(fd, 1), b"")
    raises("EPIPE", net.zsock_send, fd, b"x")
    close(fd)


@needs("SO_ERROR")
def test_so_error_leaves_the_data_in_front_of_the_reset():
    fd, peer = pair()
    sendall(fd, b"unread")
    ready(peer, IN)
    sendall(peer, b"last words")
    ready(fd, IN)
    close(peer)
    ready(fd, 0)
    eq(take_error(fd), "ECONNRESET")
    eq(net.zsock_recv(fd, 20), b"last words")
    eq(net.zsock_recv(fd, 20), b"")
    close(fd)


@needs("SO_ERROR")
def test_so_error_tells_of_a_broken_pipe():
    fd = reset_after_the_end()
    eq(take_error(fd), "EPIPE")
    eq(take_error(fd), None)
    eq(net.zsock_recv(fd, 1), b"")
    close(fd)


@needs("getpeername", "getsockname")
def test_names_after_a_reset():
    fd = was_reset()
    raises("ENOTCONN", net.zsock_getpeername, fd)
    own = net.zsock_getsockname(fd)
    eq(own[0], "127.0.0.1")
    raises("ECONNRESET", net.zsock_recv, fd, 1)
    raises("ENOTCONN", net.zsock_getpeername, fd)
    eq(net.zsock_getsockname(fd), own)
    close(fd)


def test_a_reset_socket_does_not_connect_again():
    server, addr = listener()
    fd = was_reset()
    raises("ECONNRESET", net.zsock_recv, fd, 1)
    raises("EISCONN", net.zsock_connect, fd, addr)
    raises("EPIPE", net.zsock_send, fd, b"x")
    nonblocking(server)
    raises("EAGAIN", net.zsock_accept, server)
    close(fd, server)


def test_sending_nothing_meets_the_reset():
    fd = was_reset()
    raises("ECONNRESET", net.zsock_send, fd, b"")
    close(fd)
    fd = reset_after_the_end()
    raises("EPIPE", net.zsock_send, fd, b"")
    close(fd)


@needs("MSG_PEEK")
def test_peeked_at_is_unread():
    # Closing with data that was only looked at is a reset.
    fd, peer = pair()
    sendall(fd, b"unread")
    eq(net.zsock_recv(peer, 1, net.MSG_PEEK), b"u")
    reset_by_closing(peer, fd)
    eq(ready(fd, IN | OUT), IN | OUT | ERR | HUP)
    raises("ECONNRESET", net.zsock_recv, fd, 1)
    close(fd)


def test_a_refused_socket_is_as_a_fresh_one():
    fd = tcp()
    raises("ECONNREFUSED", net.zsock_connect, fd, closed_port())
    eq(ready(fd, IN | OUT), OUT | HUP)
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    raises("EPIPE", net.zsock_send, fd, b"x")
    if has("SO_ERROR"):
        eq(take_error(fd), None)
    net.zsock_bind(fd, ("127.0.0.1", 0))
    net.zsock_listen(fd, 1)
    eq(net.zsock_poll([net.zsock_pollfd(fd, IN | OUT)], 0), 0)
    close(fd)


def test_a_refused_connect_that_did_not_block():
    fd = tcp()
    nonblocking(fd)
    addr = closed_port()
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    eq(ready(fd, OUT), OUT | ERR | HUP)
    raises("ECONNREFUSED", net.zsock_connect, fd, addr)
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    close(fd)


def test_polling_through_a_second_connect():
    # The same list of pollfds all the time, as a client that waits for its server has it.
    server, addr = listener()
    fd = tcp()
    fds = [net.zsock_pollfd(fd, IN | OUT)]
    eq(net.zsock_poll(fds, 0), 1)
    raises("ECONNREFUSED", net.zsock_connect, fd, closed_port())
    eq(net.zsock_poll(fds, 0), 1)
    net.zsock_connect(fd, addr)
    eq(net.zsock_poll(fds, SOON), 1)
    eq(fds[0].revents, OUT)
    peer, _ = net.zsock_accept(server)
    sendall(peer, b"x")
    fds[0].events = IN
    eq(net.zsock_poll(fds, SOON), 1)
    eq(fds[0].revents, IN)
    close(fd, peer, server)
