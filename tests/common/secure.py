# TLS for the behaviour suite: credentials, and pairs of sockets that are connected by TLS.
import certs

import usocket_compat as net
from check import Thread, bind_free, close, has, stack_of_threads

# A handshake takes more.
stack_of_threads(16384)

try:
    from usocket_compat.tls import credentials as added
except ImportError:
    added = ()  # no TLS here

CA, OTHER, OWN, CLIENT = 11, 12, 13, 14  # tags
NAME = "server.test"
KINDS = (
    (CA, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA),
    (OTHER, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.OTHER_CA),
    (OWN, net.TLS_CREDENTIAL_SERVER_CERTIFICATE, certs.SERVER),
    (OWN, net.TLS_CREDENTIAL_PRIVATE_KEY, certs.SERVER_KEY),
    (CLIENT, net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE, certs.CLIENT),
    (CLIENT, net.TLS_CREDENTIAL_PRIVATE_KEY, certs.CLIENT_KEY),
)
V12 = net.IPPROTO_TLS_1_2
VERSIONS = [V12, net.IPPROTO_TLS_1_3] if has("IPPROTO_TLS_1_3") else [V12]
# How long a handshake and its thread may take (ms): a board's virtual processor is slow.
LONG = 20000


def credentials():
    for tag, kind, data in KINDS:
        # Not by EEXIST, for whose number a board loads a file that fills what heap is left.
        if (tag, kind) not in added:
            net.tls_credential_add(tag, kind, data)


def pem(data, label=b"CERTIFICATE"):
    """A block of it, of DER."""
    from binascii import b2a_base64

    text = b"-----BEGIN " + label + b"-----\n"
    for at in range(0, len(data), 48):
        text += b2a_base64(data[at : at + 48])
    return text + b"-----END " + label + b"-----\n"


def option(fd, name, value):
    net.zsock_setsockopt(fd, net.SOL_TLS, getattr(net, name), value)


def tls(proto=V12):
    credentials()
    return net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)


def listener(proto=V12, tags=(OWN,), verify=None):
    fd = tls(proto)
    option(fd, "TLS_SEC_TAG_LIST", list(tags))
    if verify is not None:
        option(fd, "TLS_PEER_VERIFY", verify)
    addr = bind_free(fd, "127.0.0.1")
    net.zsock_listen(fd, 4)
    return fd, addr


def client(proto=V12, tags=(CA,), name=NAME):
    fd = tls(proto)
    option(fd, "TLS_SEC_TAG_LIST", list(tags))
    if name is not False:
        option(fd, "TLS_HOSTNAME", name)
    return fd


def pair(proto=V12):
    """Two ends of a TLS connection: the client, the server."""
    lfd, addr = listener(proto)
    accepting = Thread(net.zsock_accept, lfd)
    fd = client(proto)
    net.zsock_connect(fd, addr)
    server, _ = accepting.join(LONG)
    close(lfd)
    return fd, server
