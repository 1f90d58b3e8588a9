# TLS sockets with several tags: whose authorities count, and which certificate is its own.
import certs
import secure
from secure import CA, CLIENT, NAME, OTHER, OWN, client, listener

import usocket_compat as net
from check import MICROPYTHON, close, eq, needs, nonblocking, now, raises, ready, true

NEEDED = "IPPROTO_TLS_1_2"
LONG = 30000
BOTH = 17


def shaken(tags, own=(OWN,)):
    """A handshake of a client with these tags: the client, the server, whether it was made."""
    lfd, addr = listener(tags=own)
    nonblocking(lfd)
    fd = client(tags=tags)
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
    server, _ = net.zsock_accept(lfd)
    nonblocking(server)
    close(lfd)
    fds = [net.zsock_pollfd(fd, net.POLLOUT), net.zsock_pollfd(server, net.POLLOUT)]
    begin = now()
    while not (fds[0].revents and fds[1].revents):
        net.zsock_poll(fds, 2)
        true(now() - begin < LONG)
    return fd, server, fds[0].revents == fds[1].revents == net.POLLOUT


@needs(NEEDED)
def test_the_authorities_of_all_tags_count():
    for tags in ((CA, OTHER), (OTHER, CA)):
        fd, server, made = shaken(tags)
        true(made, tags)
        close(fd, server)
    fd, server, made = shaken((OTHER,))
    eq(made, False)
    close(fd, server)


@needs(NEEDED)
def test_several_authorities_in_one():
    secure.credentials()
    for each in ((certs.CA, certs.OTHER_CA), (certs.OTHER_CA, certs.CA)):
        net.tls_credential_add(
            BOTH, net.TLS_CREDENTIAL_CA_CERTIFICATE, b"".join([secure.pem(data) for data in each])
        )
        try:
            fd, server, made = shaken((BOTH,))
            true(made)
            close(fd, server)
        finally:
            net.tls_credential_delete(BOTH, net.TLS_CREDENTIAL_CA_CERTIFICATE)


@needs(NEEDED)
def test_one_certificate_of_its_own():
    """With one beside authorities it is found; two are refused where tls has room for one."""
    fd, server, made = shaken((CA,), own=(OTHER, OWN))
    true(made)
    close(fd, server)
    if not MICROPYTHON:
        return "OpenSSL takes one of each kind of key"
    lfd, addr = listener(tags=(OWN, CLIENT))
    fd = client()
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
    e = raises("EINVAL", net.zsock_accept, lfd)
    true("more than one" in str(e.args[1]), e)
    close(fd, lfd)


@needs(NEEDED)
def test_a_certificate_without_its_key():
    """They are of one tag, as Zephyr wants it."""
    net.tls_credential_add(BOTH, net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE, certs.SERVER)
    try:
        lfd, addr = listener(tags=(BOTH,))
        fd = client(name=NAME)
        nonblocking(fd)
        raises("EINPROGRESS", net.zsock_connect, fd, addr)
        eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
        e = raises("EINVAL", net.zsock_accept, lfd)
        true("without its key" in str(e.args[1]), e)
        close(fd, lfd)
    finally:
        net.tls_credential_delete(BOTH, net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE)
