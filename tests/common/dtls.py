# DTLS for the behaviour suite: ends of a session.
import gc

import secure
from secure import CA, LONG, NAME, OWN, option

import usocket_compat as net
from check import BOARD, bind_free, nonblocking, now, raises, since, true

# What a session receives needs 1.5 KB in one piece, which a bare ESP32 may not have with both ends
# and what stands between them.
BARE = BOARD and gc.mem_free() + gc.mem_alloc() < 160 * 1024
NEEDED = "TLS_DTLS_ROLE"  # a server: from MicroPython 1.26 on
V12 = net.IPPROTO_DTLS_1_2


def dtls(family=net.AF_INET):
    secure.credentials()
    return net.zsock_socket(family, net.SOCK_DGRAM, V12)


def server(tags=(OWN,)):
    fd = dtls()
    option(fd, "TLS_SEC_TAG_LIST", list(tags))
    option(fd, "TLS_DTLS_ROLE", net.TLS_DTLS_ROLE_SERVER)
    return fd, bind_free(fd, "127.0.0.1")


def client(tags=(CA,), name=NAME):
    fd = dtls()
    option(fd, "TLS_SEC_TAG_LIST", list(tags))
    if name is not False:
        option(fd, "TLS_HOSTNAME", name)
    return fd


def shake(fd, sfd, addr, between=None, ms=LONG):
    """A client's handshake, while its server is polled: the client's revents."""
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    fds = [net.zsock_pollfd(fd, net.POLLOUT), net.zsock_pollfd(sfd, net.POLLIN)]
    begin = now()
    while not fds[0].revents:
        net.zsock_poll(fds, 2)
        if between:
            between.move()
        true(since(now(), begin) < ms, "no handshake in time")
    return fds[0].revents


def pair():
    """The client, the server, the server's address."""
    sfd, addr = server()
    fd = client()
    shake(fd, sfd, addr)
    net.zsock_connect(fd, addr)
    nonblocking(fd, False)
    return fd, sfd, addr


def roomy(test):
    """No test of a bare ESP32, whose heap it fills: tests/peers/test_dtls_board.py has one end."""

    def run():
        return "no room for both ends on a bare ESP32" if BARE else test()

    return run
