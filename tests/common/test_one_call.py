# Rows of docs/matrix.md of the conveniences that no other file shows one by one. Expected values:
# the Linux kernel's, Hare's and LuaSocket's documentation.
import usocket_compat as net
from check import (
    SOON,
    close,
    closed_port,
    drain,
    eq,
    has,
    needs,
    nonblocking,
    pair,
    raises,
    row,
    tcp,
    true,
)


# rows: B5
def test_a_backlog_of_10_if_none_is_given():
    given = []
    real = net.zsock_listen

    def listen(fd, backlog):
        given.append(backlog)
        real(fd, backlog)

    net.zsock_listen = listen
    try:
        close(net.create_server(closed_port()), net.create_server(closed_port(), backlog=3))
    finally:
        net.zsock_listen = real
    eq(given, [10, 3])


# rows: B6 B7 B8
def test_what_a_server_is_made_with():
    row("B6", made_with, "SO_KEEPALIVE", "keepalive")
    row("B7", made_with, "SO_REUSEADDR", "reuse_addr")
    row("B8", made_with, "SO_REUSEPORT", "reuse_port")


def made_with(option, argument):
    more = {argument: True}
    addr = closed_port()
    if not has(option):
        raises(("ENOPROTOOPT", "EOPNOTSUPP"), lambda: net.create_server(addr, **more))
        eq(net.fds(), [])
        return "refused"
    fd = net.create_server(addr, **more)
    if has("getsockopt"):
        true(net.zsock_getsockopt(fd, net.SOL_SOCKET, getattr(net, option)))
    close(fd)


# rows: B13
def test_errnos_as_values():
    style = net.errnostyle
    client, server = pair()
    nonblocking(server)
    eq(style.recv(server, 9), (net.errno.EAGAIN, None))
    eq(style.send(client, b"abc"), (0, 3))
    close(client, server)
    fd = tcp()
    eq(style.connect_ex(fd, closed_port()), net.errno.ECONNREFUSED)
    close(fd)
    eq(style.close(fd), (net.errno.EBADF, None))


# rows: C4 C5
def test_nil_and_a_message():
    client, server = pair()
    lua = net.luastyle.Tcp(server)
    lua.settimeout(0.05)
    net.zsock_send(client, b"half")
    eq(lua.receive("*l"), (None, "timeout", b"half"))
    lua.settimeout(SOON / 1000)
    net.zsock_send(client, b"line\n")
    eq(lua.receive("*l")[0], b"line")
    close(client)
    eq(lua.receive("*l"), (None, "closed", b""))
    eq(lua.close(), 1)
    eq(lua.accept(), (None, "closed"))
    eq(lua.connect("127.0.0.1", 1), (None, "closed"))
    eq(lua.receive("*l"), (None, "closed", b""))
    eq(lua.send(b"x"), (None, "closed", 0))


def test_options_by_luasockets_names():
    """Their values as LuaSocket gives them; a wrong argument raises, as there."""
    lua = net.luastyle.Tcp()
    eq(lua.gettimeout(), (-1, -1))
    lua.settimeout(2)
    lua.settimeout(3, "t")
    eq(lua.gettimeout(), (2, 3))
    raises(ValueError, lua.settimeout, 1, "x")
    eq(lua.gettimeout(), (2, 3))
    for value in (True, False):
        eq(lua.setoption("tcp-nodelay", value), (1, None))
        told = (value, None) if has("getsockopt") else (None, "ENOPROTOOPT")
        eq(lua.getoption("tcp-nodelay"), told)
    eq(lua.getoption("error"), (None, None if has("getsockopt") else "ENOPROTOOPT"))
    linger = has("SO_LINGER") and has("getsockopt")
    for given in ({"on": True, "timeout": 5}, {"on": False, "timeout": 0}):
        done = (1, None) if has("SO_LINGER") else (None, "ENOPROTOOPT")
        eq(lua.setoption("linger", given), done)
        eq(lua.getoption("linger"), (given, None) if linger else (None, "ENOPROTOOPT"))
        if linger:
            eq(net.get_linger(lua.fd), given["timeout"] or None)
    for name in ("nonsense", "x-nonsense", "nonsense-buffer-size"):
        raises(ValueError, lua.setoption, name, 1)
        raises(ValueError, lua.getoption, name)
    raises(ValueError, lua.receive, "*x")
    raises(TypeError, lua.send, "no bytes")
    lua.close()


def test_a_shutdown_that_the_peer_is_not_told_of():
    """LuaSocket gives 1 whatever becomes of it; here not where the platform has no such thing."""
    client, server = pair()
    lua = net.luastyle.Tcp(client)
    raises(ValueError, lua.shutdown, "x")
    if has("shutdown"):
        eq(lua.shutdown("send"), 1)
        eq(net.zsock_recv(server, 9), b"")
    else:
        raises("EOPNOTSUPP", lua.shutdown, "send")
    lua.close()
    close(server)


def test_dial_takes_a_text():
    for wrong in (("127.0.0.1", 80), b"127.0.0.1:80", None):
        raises(TypeError, net.dial, wrong)
    for wrong in ("127.0.0.1", "127.0.0.1:", ":80", "::1:80"):
        raises(ValueError, net.dial, wrong)


# rows: D24
def test_a_stream_says_what_it_is():
    client, server = pair()
    text = repr(net.Stream(server))
    true("fd=%d" % server in text, text)
    if has("getsockname") and has("getpeername"):
        true(repr(net.zsock_getsockname(server)) in text, text)
        true(repr(net.zsock_getpeername(server)) in text, text)
    close(client, server)


# rows: zsock_sendmsg_all
@needs("sendmsg")
def test_sendmsg_all():
    client, server = pair()
    eq(net.zsock_sendmsg_all(client, [b"ab", bytearray(b"c"), b"d"]), 4)
    drain(server, 4)
    close(client, server)
