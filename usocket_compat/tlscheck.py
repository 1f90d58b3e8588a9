# SPDX-License-Identifier: MIT
# What comes before a connection: credentials, by tag and type as in Zephyr, which are kept in
# memory alone; new sockets; SOL_TLS, whose numbers are the same on every system. A board drops
# this file when the connection is made.

from _thread import allocate_lock
from sys import modules

from ._config import USOCKET_LAZY
from .tls import Tls, changes, credentials, load
from .zbase import closed, fail, p

_number = p.number


# -- credentials ------------------------------------------------------------------------

# TLS_CREDENTIAL_CA_CERTIFICATE is 1, _PUBLIC_CERTIFICATE 2, _PRIVATE_KEY 3, _PSK 4, _PSK_ID 5.


def tls_credential_add(tag, type, data):
    """Keeps a credential under a tag: an int of the program's choice, 0 or more.

    type: TLS_CREDENTIAL_CA_CERTIFICATE, TLS_CREDENTIAL_PUBLIC_CERTIFICATE (or _SERVER_CERTIFICATE,
    the same), TLS_CREDENTIAL_PRIVATE_KEY, TLS_CREDENTIAL_PSK, TLS_CREDENTIAL_PSK_ID; data: bytes,
    or str of PEM. Certificates and keys are PEM or DER; of PEM there may be several in one.
    Raises OSError: EEXIST where the tag has one of this type; EINVAL for what is no certificate or
    key, or another type; EOPNOTSUPP for a PSK where the platform's TLS takes none;
    EPROTONOSUPPORT where the platform has no TLS. Source: Zephyr's tls_credential_add().
    """
    _check(tag, type)
    if data.__class__ is not bytes:
        data = data.encode() if isinstance(data, str) else _raw(data, "str or bytes")
    if not data or type < 4 and not _asn1(data, type == 3):
        fail("EINVAL")
    # All of TLS is loaded by a program's first call of it.
    if type > 3 and not driver().PSK or not driver():
        fail("EOPNOTSUPP")
    if (tag, type) in credentials:
        fail("EEXIST")
    credentials[tag, type] = data
    changes[0] += 1


def tls_credential_get(tag, type):
    """The bytes of a credential. Raises OSError: ENOENT. Source: Zephyr's tls_credential_get()."""
    _check(tag, type)
    data = credentials.get((tag, type))
    if data is None:
        fail("ENOENT")
    return data


def tls_credential_delete(tag, type):
    """Forgets a credential; connections that are there keep what they have of it.

    Raises OSError: ENOENT. Source: Zephyr's tls_credential_delete().
    """
    _check(tag, type)
    if (tag, type) not in credentials:
        fail("ENOENT")
    changes[0] += 1
    del credentials[tag, type]


def find(name):
    """The call of that name; AttributeError. A board does not keep it, and this file with it."""
    if name[4:15] != "credential_":
        raise AttributeError(name)
    value = globals()[name]
    if not USOCKET_LAZY:
        setattr(modules[__name__[:-9]], name, value)
    return value


def _check(tag, type):
    for arg in tag, type:
        if not isinstance(arg, int):
            raise TypeError("a tag and a type are ints")
    if not 0 <= tag < 1 << 31 or not 0 < type < 6:
        fail("EINVAL")


def _asn1(data, key):
    """Whether it looks like PEM or DER; what it is the platform says when it is used."""
    at = data.find(b"-----BEGIN ")
    if at >= 0:
        # `openssl ecparam -genkey` has a block before the key, and many have both in one file.
        while at >= 0:
            label = data[at + 11 : data.find(b"-----", at + 11)]
            at = data.find(b"-----END " + label, at)
            if at >= 0 and (b"PRIVATE KEY" if key else b"CERTIFICATE") in label:
                return True
            at = data.find(b"-----BEGIN ", at) if at >= 0 else at
        return False
    if len(data) < 64 or data[0] != 0x30:
        return False
    n = data[1]
    if n < 128:
        return n + 2 == len(data)
    n &= 127
    return n < 4 and int.from_bytes(data[2 : 2 + n], "big") + 2 + n == len(data)


def values(tags, type):
    """The credentials of that type under these tags: a list; ENOENT for an unknown tag."""
    found = []
    for tag in tags:
        if not [key for key in credentials if key[0] == tag]:
            fail("ENOENT")
        if (tag, type) in credentials:
            found.append(credentials[tag, type])
    return found


# -- sockets ----------------------------------------------------------------------------


def driver():
    """The file that drives the platform's TLS; EPROTONOSUPPORT where it has none."""
    try:
        found = load(p.TLS)
    except (AttributeError, ImportError):
        fail("EPROTONOSUPPORT")
    if not USOCKET_LAZY:
        # As of the layer: no thread or handler meets later what is half loaded.
        for name in ("tlshake tlsmore tlsodd tlspoll " + getattr(found, "FILES", "")).split():
            load(name)
    return found


def open_tls(sock, family, type, proto):
    """Makes an entry that of a new TLS socket, as zsock_socket is asked for one."""
    if family != 2 and family != _number("AF_INET6"):  # AF_INET is 2 everywhere
        fail("EAFNOSUPPORT")
    if driver().VERSIONS.find(" %d " % proto) < 0:
        raise OSError(_number("EPROTONOSUPPORT"), "the platform's TLS has no such version")
    if type != (2 if proto == 245 else 1):  # SOCK_DGRAM for IPPROTO_DTLS_1_2
        fail("EPROTOTYPE")
    t = become(sock, None, proto)
    # Last: nobody would close it.
    try:
        t.raw = p.socket(family, type, 0)
    except OSError:
        sock.p = p
        raise


def become(sock, raw, proto, kind=Tls):
    """Makes an entry that of a TLS socket over raw, the port's handle: its Tls."""
    if proto == 245:
        kind = load("tlsdgram").Dtls
        if not USOCKET_LAZY:
            load("tlsdmore")  # as driver()
    t = kind()
    t.raw, t.sock = raw, sock
    if proto != t.proto:
        t.proto = proto
    # Their places: what is taken later must not find that there is no room for it.
    t.owed, t.back, t.eof, t.part, t.addr = None, b"", False, None, None
    t.want = 1 if proto == 245 else 4
    t._lock = allocate_lock()
    # Of who did not get it, which nobody reads, and of who has it: the threads.
    t._own = [None, None]
    handle = driver().Handle
    sock.p = t
    # The last fd closes it by the layer's close, which asks its operations.
    sock.shared = 1
    sock.h = handle(t) if handle else closed.h
    if sock.may_arm:
        sock.may_arm = False
    return t


def missing(t):
    """What a handshake could not go without, in words; None if it has all.

    A client's authority and its peer's name; a server's certificate, and its clients' authority.
    """
    if USOCKET_LAZY:
        driver().discard("zkind", "tlscheck")
    if t.server:
        if not values(t.tags, 2) and not values(t.tags, 4):
            return "no certificate of its own in TLS_SEC_TAG_LIST"
        if t.verify == 2 and not values(t.tags, 1):
            return "no TLS_CREDENTIAL_CA_CERTIFICATE in TLS_SEC_TAG_LIST"
        return None
    if t.verify is None or t.verify == 2:
        if values(t.tags, 1):
            if t.name is False:
                return "TLS_HOSTNAME is not set: the peer's name cannot be verified"
        elif not values(t.tags, 4):
            return "no TLS_CREDENTIAL_CA_CERTIFICATE in TLS_SEC_TAG_LIST"
    return None


# -- SOL_TLS ----------------------------------------------------------------------------

# Zephyr's and Linux's. Not by its name, for which a board would load a file at each option.
_SOL_TLS = 282


def _can(t, option):
    """ENOPROTOOPT for what cannot be done here."""
    if option not in (1, 2, 5):  # TLS_SEC_TAG_LIST, TLS_HOSTNAME, TLS_PEER_VERIFY
        # PURGE is with the cache.
        names = {3: "CIPHERSUITE_LIST", 4: "CIPHERSUITE_USED", 7: "ALPN_LIST"}
        if t.proto == 245:
            names = {6: "DTLS_ROLE"}
        if names.get(option, "SESSION_CACHE" if 11 < option < 14 else "-") not in driver().CAN:
            fail("ENOPROTOOPT")


def _raw(value, wanted):
    """The bytes of a buffer; what else it is, the TypeError says, and what is wanted."""
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise TypeError(wanted + ", not " + type(value).__name__)


def _ints(value):
    """A list of ints, of these or of an int's bytes each."""
    if isinstance(value, str):
        value = (value,)
    if isinstance(value, (list, tuple)):
        for each in value:
            if not isinstance(each, int):
                raise TypeError("a list of ints, or their bytes")
        return list(value)
    raw = _raw(value, "a list of ints, or their bytes")
    if len(raw) % 4:
        fail("EINVAL")
    return [p.struct.unpack_from("i", raw, at)[0] for at in range(0, len(raw), 4)]


def _one(value):
    """An int, or the bytes of one."""
    if isinstance(value, (int, bool)):
        return int(value)
    if isinstance(value, (str, list, tuple)) or value is None:
        raise TypeError("an int, or its bytes, not " + type(value).__name__)
    raw = _raw(value, "an int, or its bytes")
    if len(raw) != 4:
        fail("EINVAL")
    return p.struct.unpack("i", raw)[0]


def set_option(t, level, option, value):
    """Whether it is one of SOL_TLS: see docs/tls-sockets.md."""
    if level != _SOL_TLS:
        return False
    _can(t, option)
    if option == 13:  # TLS_SESSION_CACHE_PURGE
        driver().purge()
        return True
    if option == 4:  # TLS_CIPHERSUITE_USED can only be read
        fail("ENOPROTOOPT")
    if option == 1:
        value = tuple(_ints(value))
        values(value, 0)
    elif option == 2:
        value = _host(value)
    elif option == 3:
        value = _ints(value)
        known = driver().ciphers(t, True)
        if not value or [n for n in value if n not in known]:
            fail("EINVAL")
    elif option == 7:
        if not isinstance(value, (list, tuple)):
            raise TypeError("a list of names")
        value = [v.encode() if isinstance(v, str) else _raw(v, "a list of names") for v in value]
        # CPython's ssl takes ASCII.
        if [v for v in value if not 0 < len(v) < 256 or max(v) > 127]:
            fail("EINVAL")
    else:
        value = _one(value)
        if not 0 <= value <= (2 if option == 5 else 1):
            fail("EINVAL")
    if t.st:
        fail("EISCONN")
    if option == 1:
        t.tags = value
    elif option == 2:
        t.name = value
    elif option == 5:
        t.verify = value
    elif option == 6:
        t.server = value == 1
    else:
        rare = dict(t.rare or {})
        rare[{3: "ciphers", 7: "alpn", 12: "cache"}[option]] = value
        t.rare = rare
    return True


def _host(value):
    if value is None:
        if "TLS_HOSTNAME_NONE" not in driver().CAN:
            fail("ENOPROTOOPT")
        return None
    if not isinstance(value, str):
        try:
            value = _raw(value, "str or bytes").decode()
        except ValueError:
            fail("EINVAL")
    # As C's strings, which Zephyr takes, end.
    if value[-1:] == "\0":
        value = value[:-1]
    # No name in the DNS is longer, and neither library takes one.
    if not 0 < len(value) < 256 or "\0" in value:
        fail("EINVAL")
    return value


def get_option(t, level, option, buflen):
    if level != _SOL_TLS:
        if level == _number("SOL_SOCKET"):
            if option == _number("SO_PROTOCOL"):
                return pack([t.proto], buflen)
            if option == _number("SO_ERROR") and t.st > 3:
                code = 0 if t.rare and t.rare.get("told") else t.code
                t.rare = dict(t.rare or {})
                t.rare["told"] = True
                return pack([code], buflen)
        if not hasattr(p, "getsockopt"):
            fail("ENOPROTOOPT")
        return p.getsockopt(t.raw, level, option, buflen)
    _can(t, option)
    rare = t.rare or {}
    if option == 1:
        return pack(t.tags, buflen or -1)
    if option == 12:
        return pack([int(rare.get("cache", 0))], buflen)
    if option == 3:
        return pack(rare.get("ciphers") or driver().ciphers(t), buflen or -1)
    if option == 4:
        if t.st != 3:
            fail("ENOTCONN")
        return pack([driver().cipher(t)], buflen)
    if option == 7:
        return driver().alpn(t) if t.st == 3 else list(rare.get("alpn", ()))
    fail("ENOPROTOOPT")  # it can only be set


def pack(values, buflen):
    """One int; or, with buflen, the bytes of the ints, of which that many fit; -1: a list."""
    if not buflen:
        return values[0]
    if buflen < 0:
        return list(values)
    raw = b"".join([p.struct.pack("i", v) for v in values])
    return raw[: buflen // 4 * 4]
