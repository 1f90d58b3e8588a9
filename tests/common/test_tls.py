# TLS sockets as Zephyr has them: credentials and options; data is in test_tls_data.py, how they
# end in test_tls_trust.py.
# What it does against the servers and clients of others is in tests/peers/test_tls_peers.py.
import certs
import secure
from secure import (
    CA,
    LONG,
    OWN,
    V12,
    client,
    listener,
    option,
    tls,
)

import usocket_compat as net
from check import (
    BOARD,
    Thread,
    close,
    eq,
    has,
    needs,
    raises,
    tcp,
    true,
)

S = net.SOL_TLS
NEEDED = "IPPROTO_TLS_1_2"


# -- credentials and options ------------------------------------------------------------


# rows: tls_credential_add tls_credential_get tls_credential_delete
@needs(NEEDED)
def test_credentials():
    secure.credentials()
    kind = net.TLS_CREDENTIAL_CA_CERTIFICATE
    eq(net.TLS_CREDENTIAL_SERVER_CERTIFICATE, net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE)
    raises("EEXIST", net.tls_credential_add, CA, kind, certs.CA)
    eq(net.tls_credential_get(CA, kind), certs.CA)
    raises("ENOENT", net.tls_credential_get, 99, kind)
    raises("ENOENT", net.tls_credential_get, CA, net.TLS_CREDENTIAL_PRIVATE_KEY)
    raises("ENOENT", net.tls_credential_delete, 99, kind)
    for data in (b"rubbish", b"", b"\x30\x03\1\2\3", certs.CA[:-1], b"-----BEGIN X-----"):
        raises("EINVAL", net.tls_credential_add, 99, kind, data)
    raises("EINVAL", net.tls_credential_add, 99, 17, certs.CA)
    # sec_tag_t is an int of C.
    for tag in (-1, 1 << 31, 1 << 40):
        raises("EINVAL", net.tls_credential_add, tag, kind, certs.CA)
    for args in (("x", kind, certs.CA), (1, None, certs.CA), (99, kind, 17)):
        raises(TypeError, net.tls_credential_add, *args)
    net.tls_credential_add(99, kind, bytearray(certs.CA))
    net.tls_credential_delete(99, kind)
    raises("ENOENT", net.tls_credential_get, 99, kind)


@needs(NEEDED, "threads")
def test_files_with_more_than_one_block():
    """As `openssl ecparam -genkey` makes them, and as programs that want both in one file."""
    params = secure.pem(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", b"EC PARAMETERS")
    cert, key = secure.pem(certs.SERVER), secure.pem(certs.SERVER_KEY, b"PRIVATE KEY")
    own, private = net.TLS_CREDENTIAL_SERVER_CERTIFICATE, net.TLS_CREDENTIAL_PRIVATE_KEY
    raises("EINVAL", net.tls_credential_add, 99, private, params)
    raises("EINVAL", net.tls_credential_add, 99, private, cert)
    raises("EINVAL", net.tls_credential_add, 99, own, params + key)
    for chain, secret in (
        (cert, params + key),
        (key + cert, cert + key),
        (b"0 s:x\n" + cert, key),
    ):
        net.tls_credential_add(99, own, chain)
        net.tls_credential_add(99, private, secret)
        if not BOARD:
            lfd, addr = secure.listener(tags=(99,))
            accepting = Thread(net.zsock_accept, lfd)
            fd = secure.client()
            net.zsock_connect(fd, addr)
            close(fd, accepting.join(secure.LONG)[0], lfd)
        net.tls_credential_delete(99, own)
        net.tls_credential_delete(99, private)


# rows: TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_PEER_VERIFY
@needs(NEEDED)
def test_options():
    fd = tls()
    for value in ([CA], (CA, OWN), bytes(net.zsock_getsockopt(fd, S, net.TLS_SEC_TAG_LIST, 8))):
        option(fd, "TLS_SEC_TAG_LIST", value)
    option(fd, "TLS_SEC_TAG_LIST", [CA, OWN])
    eq(net.zsock_getsockopt(fd, S, net.TLS_SEC_TAG_LIST), [CA, OWN])
    packed = net.zsock_getsockopt(fd, S, net.TLS_SEC_TAG_LIST, 8)
    eq(len(packed), 8)
    option(fd, "TLS_SEC_TAG_LIST", [])
    option(fd, "TLS_SEC_TAG_LIST", packed)
    eq(net.zsock_getsockopt(fd, S, net.TLS_SEC_TAG_LIST), [CA, OWN])
    raises("ENOENT", option, fd, "TLS_SEC_TAG_LIST", [CA, 98])
    raises("EINVAL", option, fd, "TLS_SEC_TAG_LIST", b"123")
    for value in ("x", ["x"], None, 5):
        raises(TypeError, option, fd, "TLS_SEC_TAG_LIST", value)
    for value in ("host", b"host", b"host\0"):
        option(fd, "TLS_HOSTNAME", value)
    # No name is longer (RFC 1035), and a str has UTF-8.
    for value in ("", "a" * 256, b"\xff", "a\0b"):
        raises("EINVAL", option, fd, "TLS_HOSTNAME", value)
    for name, value, takes in (
        ("TLS_SEC_TAG_LIST", 3, "a list of ints"),
        ("TLS_PEER_VERIFY", 1.5, "an int"),
        ("TLS_PEER_VERIFY", None, "an int"),
        ("TLS_HOSTNAME", 5, "str or bytes"),
    ):
        text = str(raises(TypeError, option, fd, name, value))
        true(takes in text and text.endswith("not " + type(value).__name__), text)
    for value in (net.TLS_PEER_VERIFY_NONE, net.TLS_PEER_VERIFY_OPTIONAL, b"\2\0\0\0"):
        option(fd, "TLS_PEER_VERIFY", value)
    raises("EINVAL", option, fd, "TLS_PEER_VERIFY", 3)
    raises("EINVAL", option, fd, "TLS_PEER_VERIFY", b"\0")
    for name in ("TLS_HOSTNAME", "TLS_PEER_VERIFY"):
        raises("ENOPROTOOPT", net.zsock_getsockopt, fd, S, getattr(net, name))
    for name in (
        "TLS_NATIVE",
        "TLS_CERT_NOCOPY",
        "TLS_DTLS_ROLE",
        "TLS_DTLS_CID",
        "TLS_CERT_VERIFY_RESULT",
    ):
        raises("ENOPROTOOPT", option, fd, name, 1)
        raises("ENOPROTOOPT", net.zsock_getsockopt, fd, S, getattr(net, name))
    if has("getsockopt"):
        eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_PROTOCOL), V12)
        eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_TYPE), net.SOCK_STREAM)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    close(fd)
    plain = tcp()
    raises("ENOPROTOOPT", option, plain, "TLS_PEER_VERIFY", 1)
    close(plain)


# rows: TLS_CIPHERSUITE_LIST TLS_CIPHERSUITE_USED; on cpython
@needs(NEEDED, "TLS_CIPHERSUITE_LIST", "threads")
def test_cipher_suites():
    """One that was chosen can be chosen again, of its own version alone; it is the one in use."""
    lfd, addr = listener()
    fd = client()
    known = net.zsock_getsockopt(fd, S, net.TLS_CIPHERSUITE_LIST, 400)
    true(b"\x2c\xc0\0\0" in known and b"\1\x13\0\0" not in known)
    for number in (0xC02C, 0xC02B):  # RFC 5289
        option(fd, "TLS_CIPHERSUITE_LIST", [number])
        eq(
            net.zsock_getsockopt(fd, S, net.TLS_CIPHERSUITE_LIST, 400),
            bytes([number & 255, 192, 0, 0]),
        )
    for value in ([0x1301], [0xC02C, 1], []):  # RFC 8446
        raises("EINVAL", option, fd, "TLS_CIPHERSUITE_LIST", value)
    accepting = Thread(net.zsock_accept, lfd)
    net.zsock_connect(fd, addr)
    eq(net.zsock_getsockopt(fd, S, net.TLS_CIPHERSUITE_USED), 0xC02B)
    close(fd, accepting.join(LONG)[0], lfd)
    fd = tls(net.IPPROTO_TLS_1_3)
    true(0x1301 in net.zsock_getsockopt(fd, S, net.TLS_CIPHERSUITE_LIST))
    raises("EINVAL", option, fd, "TLS_CIPHERSUITE_LIST", [0xC02C])
    import ssl

    if not hasattr(ssl.SSLContext, "set_ciphersuites"):
        # OpenSSL chooses among those of 1.3.
        raises("EINVAL", option, fd, "TLS_CIPHERSUITE_LIST", [0x1301])
    close(fd)


# rows: TLS_ALPN_LIST; on cpython
@needs(NEEDED, "TLS_ALPN_LIST")
def test_protocols_that_are_no_names():
    fd = tls()
    for value in ([], ["h2", b"http/1.1"], ("a" * 255,)):
        option(fd, "TLS_ALPN_LIST", value)
    for value in ("h2", b"h2", 5, None, [5], [None], [1 << 40]):
        raises(TypeError, option, fd, "TLS_ALPN_LIST", value)
    for value in ([""], ["a" * 256], [b"\xff"]):
        raises("EINVAL", option, fd, "TLS_ALPN_LIST", value)
    close(fd)


@needs(NEEDED)
def test_sockets_that_are_none():
    for kind in (net.SOCK_DGRAM, net.SOCK_RAW):
        raises("EPROTOTYPE", net.zsock_socket, net.AF_INET, kind, V12)
    raises("EAFNOSUPPORT", net.zsock_socket, net.AF_UNIX, net.SOCK_STREAM, V12)
    for name in ("TLS_1_0", "TLS_1_1", "DTLS_1_0", "DTLS_1_2"):
        proto = getattr(net, "IPPROTO_" + name)
        there = name == "DTLS_1_2" and has("IPPROTO_DTLS_1_2")
        what = "EPROTOTYPE" if there else "EPROTONOSUPPORT"
        raises(what, net.zsock_socket, net.AF_INET, net.SOCK_STREAM, proto)
    if not has("IPPROTO_TLS_1_3"):
        proto = net.IPPROTO_TLS_1_3
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_STREAM, proto)
    fd = tls()
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    raises("EPIPE", net.zsock_send, fd, b"x")
    raises("ENOTCONN", net.zsock_shutdown, fd, net.SHUT_RDWR)
    close(fd)
    raises("EBADF", net.zsock_recv, fd, 1)
    raises("EBADF", net.zsock_close, fd)
