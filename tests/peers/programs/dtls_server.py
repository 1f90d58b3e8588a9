"""A DTLS server on OpenSSL's library, which says b"last" and tells its end: PORT CERT KEY."""

import ctypes
import ctypes.util
import socket
import sys

ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))


def call(library, name, *args):
    function = getattr(library, name)
    function.restype = ctypes.c_void_p
    return function(*[ctypes.c_void_p(a) if isinstance(a, int) else a for a in args])


def main():
    port, cert, key = sys.argv[1:]
    context = call(ssl, "SSL_CTX_new", call(ssl, "DTLS_server_method"))
    assert call(ssl, "SSL_CTX_use_certificate_file", context, cert.encode(), 1) == 1
    assert call(ssl, "SSL_CTX_use_PrivateKey_file", context, key.encode(), 1) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", int(port)))
        print("ready", flush=True)
        s.recv(1, socket.MSG_PEEK)
        session = call(ssl, "SSL_new", context)
        bio = call(crypto, "BIO_new_dgram", s.fileno(), 0)
        call(ssl, "SSL_set_bio", session, bio, bio)
        assert call(ssl, "SSL_accept", session) == 1
        line = ctypes.create_string_buffer(100)
        print(call(ssl, "SSL_read", session, line, 100), line.value, flush=True)
        call(ssl, "SSL_write", session, b"last", 4)
        print("shutdown", call(ssl, "SSL_shutdown", session), flush=True)
        s.recv(1, socket.MSG_PEEK)  # until somebody ends it


main()
