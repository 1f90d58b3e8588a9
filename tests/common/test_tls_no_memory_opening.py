# With little or no heap left a TLS socket is made, or MemoryError raised and nothing lost. A
# handshake that found no room goes on, or has failed for good and says so. As test_no_memory.py.
from sys import modules

import certs
from secure import CA, OWN, client, credentials, option
from starvetls import LONG, NEEDED, begun, ended, pair, starved, swept

import usocket_compat as net
from check import MICROPYTHON, close, eq, needs, raises, ready, true
from usocket_compat import errno


class Interruption(Exception):
    """As Ctrl-C, which the suite itself does not catch."""


def opened():
    net.closeall()
    return net.fds()


@needs(NEEDED)
@swept
def test_socket(free):
    eq(opened(), [])
    got = starved(free, net.zsock_socket, net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    eq(net.fds(), [] if got is None else [got])
    close(*net.fds())
    return got


@needs(NEEDED)
@swept
def test_options(free):
    credentials()
    fd = client()
    made = starved(free, tagged, fd)
    tags = net.zsock_getsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST)
    true(tags == [CA, OWN] if made else tags in ([CA], [CA, OWN]), tags)
    option(fd, "TLS_SEC_TAG_LIST", [OWN])
    eq(net.zsock_getsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST), [OWN])
    close(fd)
    return made


def tagged(fd):
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, (CA, OWN))
    return True


@needs(NEEDED)
@swept
def test_a_credential(free):
    made = starved(free, added)
    if made:
        eq(net.tls_credential_get(99, net.TLS_CREDENTIAL_CA_CERTIFICATE), certs.CA)
    else:
        raises("ENOENT", net.tls_credential_get, 99, net.TLS_CREDENTIAL_CA_CERTIFICATE)
        added()
    net.tls_credential_delete(99, net.TLS_CREDENTIAL_CA_CERTIFICATE)
    return made


def added():
    net.tls_credential_add(99, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
    return True


def shortly(which, steps):
    """A handshake in which one side finds so little memory after so many steps."""

    def test(free):
        opened()
        a, b = begun()
        fds = [net.zsock_pollfd(a, net.POLLOUT), net.zsock_pollfd(b, net.POLLOUT)]
        for _ in range(steps):
            net.zsock_poll(fds, 2)
        fd = (a, b)[which]
        made = None
        try:
            made = starved(free, net.zsock_send, fd, b"secret")
        except OSError as e:
            if e.errno == errno.EAGAIN:
                made = True
            else:
                # mbedTLS has a heap of its own there, which is as full.
                true(e.errno in (errno.ENOMEM, errno.ECONNABORTED, errno.ECONNRESET), e)
        if ended(a, b):
            # Of what went out meanwhile there is nothing half.
            net.zsock_send(a, b"from a")
            net.zsock_send(b, b"from b")
            for to, word in ((a, b"from b"), (b, b"from a")):
                got = b""
                while not got.endswith(word):
                    eq(ready(to, net.POLLIN, LONG), net.POLLIN)
                    got += net.zsock_recv(to, 20)
                # Of what was refused for want of memory there may be all, and nothing else.
                true(got in (word, b"secret" + word), got)
        else:
            # It is dead, and stays so.
            dead = a if ready(a, net.POLLOUT, 0) & net.POLLERR else b
            for _ in range(2):
                raises(("ECONNABORTED", "ECONNRESET", "ENOMEM"), net.zsock_send, dead, b"secret")
        close(a, b)
        eq(net.fds(), [])
        return made

    return test


@needs(NEEDED)
@swept
def test_a_handshake_of_a_client(free):
    return shortly(0, 1)(free)


@needs(NEEDED)
@swept
def test_a_handshake_of_a_server(free):
    return shortly(1, 0)(free)


@needs(NEEDED)
def test_interrupted_where_a_handshake_ends():
    """It is over then, as for each that asks later, or goes on."""
    if not MICROPYTHON:
        return "not MicroPython's tls"
    opened()
    a, b = begun()
    driver = modules["usocket_compat.tlsmake"]
    discard = driver.discard

    def interrupted(*names):
        if "tlshake" in names:
            driver.discard = discard
            raise Interruption
        discard(*names)

    driver.discard = interrupted
    raises(Interruption, ended, a, b)
    true(ended(a, b))
    net.zsock_send(a, b"from a")
    eq(ready(b, net.POLLIN, LONG), net.POLLIN)
    eq(net.zsock_recv(b, 20), b"from a")
    close(a, b)


@needs(NEEDED)
@swept
def test_close(free):
    """It needs no memory."""
    opened()
    for fd in pair():
        eq(starved(free, closed, fd), True)
    eq(net.fds(), [])
    return True


def closed(fd):
    net.zsock_close(fd)
    return True
