# DTLS for the behaviour suite: ends of a session.
import secure
from secure import CA, LONG, NAME, OWN, option

import usocket_compat as net
from check import bind_free, nonblocking, now, raises, since, true

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
