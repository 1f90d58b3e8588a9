# SPDX-License-Identifier: MIT
# The contexts of CPython's ssl: what sockets with the same options and credentials share.

import base64
import os
import ssl
import tempfile
from sys import modules

from .zbase import fail, p

tls = modules[__name__[: -len("hostctx")]]
of = tls.load("tlscheck").values
_number = p.number
_V12, _V13 = _number("IPPROTO_TLS_1_2"), _number("IPPROTO_TLS_1_3")
PSK = hasattr(ssl.SSLContext, "set_psk_client_callback")
# TLS_CREDENTIAL_CA_CERTIFICATE and the others, on every system
_CA, _CERTIFICATE, _KEY, _PSK, _PSK_ID = 1, 2, 3, 4, 5

# What made one -> it; sessions belong to their context.
_contexts = {}
KEPT = 32


def context(t, every=False):
    """every: with all cipher suites, whichever the program has chosen."""
    rare = dict(t.rare or {})
    if every:
        rare.pop("ciphers", None)
    key = (t.server, t.proto, t.verify, t.name is None, tuple(t.tags), tls.changes[0])
    key += (tuple(rare.get("alpn", ())), tuple(rare.get("ciphers", ())))
    found = _contexts.get(key)
    if found is None:
        found = _make(t, rare)
        while len(_contexts) >= KEPT:
            _contexts.pop(next(iter(_contexts)), None)
        _contexts[key] = found
    return found


def _make(t, rare):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if t.server else ssl.PROTOCOL_TLS_CLIENT)
    version = ssl.TLSVersion.TLSv1_3 if t.proto == _V13 else ssl.TLSVersion.TLSv1_2
    made.maximum_version = made.minimum_version = version
    verify = t.verify
    if verify is None:
        verify = 0 if t.server else 2
    if not t.server and (verify < 2 or t.name is None):
        made.check_hostname = False
    if t.server:
        made.verify_mode = (ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)[verify]
    elif verify < 2:
        # To OpenSSL's clients optional is required.
        made.verify_mode = ssl.CERT_NONE
    try:
        for data in of(t.tags, _CA):
            made.load_verify_locations(cadata=data.decode() if b"-----" in data else data)
        # Each tag's own chain with its own key.
        for tag in t.tags:
            chain, key = (of((tag,), kind) for kind in (_CERTIFICATE, _KEY))
            if chain and key:
                _load_chain(made, chain[0], key[0])
            elif chain or key:
                words = "a certificate without its key, or the other way round"
                raise OSError(_number("EINVAL"), words)
        lacks = t.server and tls.load("tlscheck").missing(t)
        if lacks:
            raise OSError(_number("EINVAL"), lacks)
        if PSK:
            _set_psk(made, t)
    except (ssl.SSLError, UnicodeDecodeError, ValueError) as e:
        raise OSError(_number("EINVAL"), "a credential that is none: %s" % e) from None
    if "ciphers" in rare:
        chosen = [c["name"] for c in _suites(made, t) if c["id"] & 0xFFFF in rare["ciphers"]]
        call = "set_ciphers" if t.proto == _V12 else "set_ciphersuites"
        getattr(made, call)(":".join(chosen))
    if "alpn" in rare:
        made.set_alpn_protocols([name.decode() for name in rare["alpn"]])
    return made


def _suites(made, t):
    """Those of its version: OpenSSL has them all in one list."""
    new = t.proto == _V13
    return [each for each in made.get_ciphers() if (each["protocol"] == "TLSv1.3") == new]


def ciphers(t, choose):
    """IANA's numbers of the suites; or of those of which the program can choose."""
    if choose:
        if t.proto == _V13 and not hasattr(ssl.SSLContext, "set_ciphersuites"):
            return []  # CPython before 3.15
        return [each["id"] & 0xFFFF for each in _suites(context(t, True), t)]
    return [each["id"] & 0xFFFF for each in _suites(context(t), t)]


def _set_psk(made, t):
    keys = {}
    for tag in t.tags:
        psk, name = (of((tag,), kind) for kind in (_PSK, _PSK_ID))
        if psk and name:
            keys[name[0].decode()] = psk[0]
        elif psk or name:
            fail("EINVAL")
    if not keys:
        return
    if t.server:
        # A name that nobody has is no key, which ends the handshake.
        made.set_psk_server_callback(lambda name: keys.get(name, b""))
    else:
        first = next(iter(keys.items()))
        made.set_psk_client_callback(lambda hint: first)
    if t.proto == _V12:
        made.set_ciphers("DEFAULT:PSK")


def _pem(data, key):
    if b"-----BEGIN" in data:
        return data if data.endswith(b"\n") else data + b"\n"
    if not key:
        return ssl.DER_cert_to_PEM_cert(data).encode()
    # The version, and what follows it, tells the three forms of a key apart.
    at = 2 + (data[1] & 127 if data[1] > 127 else 0)
    label = {b"\2\1\0\x30": b"PRIVATE KEY", b"\2\1\0\2": b"RSA PRIVATE KEY"}.get(
        data[at : at + 4], b"EC PRIVATE KEY"
    )
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(data), label)


def _load_chain(made, chain, key):
    """CPython takes these from files alone: one without a name where the system has such."""
    text = _pem(key, True) + _pem(chain, False)
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("key", os.MFD_CLOEXEC)
        name = "/proc/self/fd/%d" % file
    else:
        file, name = tempfile.mkstemp()
    try:
        os.write(file, text)
        # A key that is locked is an error, not a question to whoever sits at the terminal.
        made.load_cert_chain(name, password=lambda: b"")
    finally:
        os.close(file)
        if name[0:6] != "/proc/":
            os.unlink(name)
