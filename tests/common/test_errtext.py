# From an error's number back to its name, the same on every target (errno.errorcode, strerror).
import gc

import usocket_compat as net
from check import BOARD, EAIS, ERRNOS, closed_port, eq, listener, raises, tcp, true
from usocket_compat import errno


def test_errorcode_has_every_name():
    found = errno.errorcode
    true(isinstance(found, dict))
    # POSIX: distinct, but for EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP.
    for name in ERRNOS:
        eq(found[getattr(errno, name)], name)
    eq(found[errno.EWOULDBLOCK], "EAGAIN")
    true(found[errno.ENOTSUP] in ("ENOTSUP", "EOPNOTSUPP"))
    eq([name for number, name in found.items() if getattr(errno, name) != number], [])
    eq([name for name in found.values() if name[:4] in ("EAI_", "EFD_")], [])
    eq(errno.errorcode, found)


def test_errorcode_agrees_with_the_platform():
    import errno as own

    shared = [(n, name) for n, name in errno.errorcode.items() if hasattr(own, name)]
    true(len(shared) > 15, repr(shared))
    eq([(n, name) for n, name in shared if getattr(own, name) != n], [])


def test_strerror_of_numbers():
    for name in ERRNOS:
        eq(net.strerror(getattr(errno, name)), name)
    for name in EAIS:
        eq(net.strerror(getattr(net, name)), name)
    eq(net.strerror(99999), "Unknown error 99999")
    eq(net.strerror(0), "Unknown error 0")
    eq(net.strerror(-99999), "Unknown error -99999")


def test_strerror_of_what_calls_raise():
    fd, addr = listener()
    client = tcp()
    e = raises("ECONNREFUSED", net.zsock_connect, client, closed_port())
    eq(net.strerror(e), "ECONNREFUSED")
    net.zsock_connect(client, addr)
    eq(net.strerror(raises("EISCONN", net.zsock_connect, client, addr)), "EISCONN")
    eq(net.strerror(raises("EADDRINUSE", net.zsock_bind, tcp(), addr)), "EADDRINUSE")
    e = raises("EAGAIN", net.zsock_recv, client, 1, net.MSG_DONTWAIT)
    eq((net.strerror(e), net.strerror(e.errno)), ("EAGAIN", "EAGAIN"))
    net.closeall()
    eq(net.strerror(raises("EBADF", net.zsock_close, fd)), "EBADF")


def test_strerror_of_a_failed_lookup():
    e = raises("EAI_NONAME", net.zsock_getaddrinfo, "no host", 80, 0, 0, 0, net.AI_NUMERICHOST)
    eq((net.strerror(e), net.strerror(e.errno)), ("EAI_NONAME", "EAI_NONAME"))
    eq(net.strerror(e), net.zsock_gai_strerror(e.errno))


def test_strerror_of_errors_of_the_platform():
    try:
        open("no/such/file")
    except OSError as e:
        eq(net.strerror(e), "ENOENT")


def test_strerror_of_what_has_no_errno():
    eq(net.strerror(OSError("lost")), "lost")
    eq(net.strerror(OSError()), str(OSError()))
    for bad in (None, "EBADF", 1.0, ValueError("no"), b"9"):
        raises(TypeError, net.strerror, bad)


def test_names_of_errors_need_no_large_piece():
    if not BOARD:
        return "a host has room"
    # Pieces of 1000 bytes that are free, between others that are not.
    pieces = None
    try:
        while True:
            pieces = [pieces, bytearray(1000)]
    except MemoryError:
        pass
    piece = pieces
    while piece and piece[0]:
        piece[1] = None
        piece = piece[0][0]
    piece = None
    gc.collect()
    name = net.strerror(errno.ECONNREFUSED)
    pieces = None
    eq(name, "ECONNREFUSED")
