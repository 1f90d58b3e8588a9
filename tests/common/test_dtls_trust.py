# DTLS sockets: who is trusted.
import dtls
from dtls import NEEDED, roomy, shake
from secure import CA, OTHER, option

import usocket_compat as net
from check import close, eq, needs, nonblocking, raises, ready, true

QUIET = 60  # ms in which nothing is to happen


def text_of(e):
    return str(e.args[1]) if len(e.args) > 1 else ""


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_who_is_not_trusted():
    sfd, addr = dtls.server()
    for words, args in (
        (("mismatch", "does not match"), {"name": "other.test"}),
        (("issuer", "not correctly signed", "unable to get"), {"tags": (OTHER,)}),
    ):
        fd = dtls.client(**args)
        true(shake(fd, sfd, addr) & net.POLLERR)
        e = raises("ECONNABORTED", net.zsock_connect, fd, addr)
        true([w for w in words if w in text_of(e).lower()], repr(e))
        raises("ECONNABORTED", net.zsock_send, fd, b"secret")
        raises("ECONNABORTED", net.zsock_recv, fd, 1)
        close(fd)
        # The server is told of nothing, and is there for the next.
        eq(ready(sfd, net.POLLIN, QUIET), 0)
    fd = dtls.client()
    eq(shake(fd, sfd, addr), net.POLLOUT)
    net.zsock_send(fd, b"good")
    eq(net.zsock_recv(sfd, 9), b"good")
    close(fd, sfd)


@needs("IPPROTO_DTLS_1_2")
def test_without_credentials_or_a_name():
    for args in {"tags": ()}, {"name": False}:
        fd = dtls.client(**args)
        e = raises("ECONNABORTED", net.zsock_connect, fd, ("127.0.0.1", 9))
        true("TLS_" in text_of(e), e)
        close(fd)


@needs(NEEDED)
@roomy
def test_a_server_without_a_certificate():
    sfd, addr = dtls.server(tags=(CA,))
    # Whoever calls could agree with it on nothing.
    for _ in range(2):
        fd = dtls.client()
        nonblocking(fd)
        raises("EINPROGRESS", net.zsock_connect, fd, addr)
        true("TLS_SEC_TAG_LIST" in text_of(raises("EINVAL", net.zsock_recvfrom, sfd, 10)))
        close(fd)
    close(sfd)


@needs(NEEDED)
@roomy
def test_client_certificates():
    for tags, name in (((CA, dtls.secure.CLIENT), "good"), ((CA,), "none")):
        sfd = dtls.dtls()
        option(sfd, "TLS_SEC_TAG_LIST", [dtls.OWN, CA])
        option(sfd, "TLS_PEER_VERIFY", net.TLS_PEER_VERIFY_REQUIRED)
        option(sfd, "TLS_DTLS_ROLE", net.TLS_DTLS_ROLE_SERVER)
        addr = dtls.bind_free(sfd, "127.0.0.1")
        fd = dtls.client(tags=tags)
        if name == "good":
            eq(shake(fd, sfd, addr), net.POLLOUT)
            net.zsock_send(fd, b"good")
            eq(net.zsock_recv(sfd, 9), b"good")
        else:
            true(shake(fd, sfd, addr) & net.POLLERR)
            raises("ECONNABORTED", net.zsock_connect, fd, addr)
            eq(ready(sfd, net.POLLIN, QUIET), 0)
        close(fd, sfd)
