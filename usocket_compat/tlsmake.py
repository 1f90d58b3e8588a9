# SPDX-License-Identifier: MIT
# The driver of TLS sockets on MicroPython, by its module tls: what is asked for once a connection,
# its context and its handshake; and what an error of it means. A board drops this file again.

from gc import mem_free
from sys import implementation, modules

import tls

from . import _config
from ._config import USOCKET_LAZY
from .zbase import p

_tls = modules[__name__[:-4]]
# With so much of the heap free (bytes) a board keeps what each handshake asks for.
_MUCH = 81920
# Whether it has DTLS too, as the firmware of boards has (sdkconfig.base).
_DTLS = hasattr(tls, "PROTOCOL_DTLS_CLIENT") & getattr(_config, "NET_SOCKETS_ENABLE_DTLS", True)
VERSIONS = (" 242 ", " 242 245 ")[_DTLS]  # IPPROTO_TLS_1_2, IPPROTO_DTLS_1_2
PSK = False
Handle = None
# What it may load, on hosts at once.
FILES = "tlspem tlssource"
# Options beside those that are everywhere: what capabilities() says. Before MicroPython 1.26 a
# server of DTLS gives no cookies, and a board's none at all.
CAN = "TLS_DTLS_ROLE" * (_DTLS * (implementation.version >= (1, 26)))
# mbedTLS's error of the end of the connection
_EOF = -0x7280


def features():
    names = " IPPROTO_TLS_1_2 TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_PEER_VERIFY"
    return CAN + names + " IPPROTO_DTLS_1_2" * _DTLS


def Engine(t):
    """The engine of a Tls: tls.py."""
    if t.proto == 245:
        return _flow(t)
    # The context that was made last, and of what.
    kept = _tls.changes
    key = t.server, t.verify, t.tags, kept[0]
    last = kept[1]
    if last is None or last[:4] != key:
        kept[1] = None
        kept[1] = last = key + (_context(t),)
    eng = _tls.Stream()
    # Their places: what is taken later must not find that there is no room for them.
    eng.raw = t.raw
    eng.left = eng.at = eng.recv = eng.send = 0
    eng.head = bytearray(5)
    eng.stop = eng.more = eng.cut = False
    eng.value = None
    name = None if t.server else t.name or None
    eng.s = s = last[4].wrap_socket(
        eng, server_side=t.server, do_handshake_on_connect=False, server_hostname=name
    )
    eng.put, eng.free = s.write, s.close
    eng.hand = _Hand()
    discard("zkind", "tlscheck", "tlspem")
    eng.step = lambda: eng.hand.step(t, eng)
    return eng


def _flow(t):
    """The engine of a Dtls: tlsdgram.py."""
    eng = _tls.load("tlsdgram").Flow(t)
    args = {"server_side": t.server, "do_handshake_on_connect": False}
    if t.server:
        # A context of its own, which knows the cookies that it has given.
        args["client_id"] = str(t.peer).encode()
    else:
        args["server_hostname"] = t.name or None
    if not t.made or t.made[0] != _tls.changes[0]:
        t.made = _tls.changes[0], _context(t)
    eng.s = s = t.made[1].wrap_socket(eng, **args)
    eng.put, eng.free = s.write, s.close
    discard("zkind", "tlscheck", "tlspem")
    return eng


def discard(*names):
    """A board with little room does not keep files that are seldom asked for."""
    if USOCKET_LAZY and mem_free() < _MUCH:
        package = __name__[:-8]
        for name in names:
            for place, key in (modules, package + "." + name), (modules[package].__dict__, name):
                if key in place:
                    place[key] = None  # pop would leave it on the stack, where gc finds it
                    del place[key]


class _Hand:
    """Follows a handshake: a record of a kind, change_cipher_spec, is followed by Finished."""

    # fin: 1: the peer's Finished has come, 2: ours has gone; 4, 8: what is before each. kind,
    # left: of the record that goes out. out: whether that waits. short: whether a client has asked
    # for short records, and got them. Noted without a branch in between, as the stream does.

    def __init__(self):
        self.fin = self.kind = self.left = 0
        self.out = self.short = False

    # Both tell whether it is over: then nothing more is read, neither data, for which nobody has
    # asked yet, nor the end of a peer that sends and goes, which is for the first receive.

    def ended(self, kind):
        self.fin |= self.fin >> 2 & 1 | 4 * (kind == 20)
        return self.fin & 3 == 3

    def wrote(self, buf, n):
        left = self.left
        kind = self.kind
        fin = self.fin
        short = self.short
        if not left:
            fin |= 8 * (kind == 20)
            kind = buf[0]
            left = 5 + (buf[3] << 8 | buf[4])
            if kind == 22 and buf[5] == 2:
                # max_fragment_length (RFC 6066) in a ServerHello
                short = b"\0\1\0\1" in bytes(buf[43 : left + 1])
        left -= n
        if not left:
            fin |= fin >> 2 & 2
        self.left = left
        self.kind = kind
        self.fin = fin
        self.short = short
        self.out = False
        return fin & 3 == 3

    def step(self, t, eng):
        """Goes on with the handshake: 0 when it is over, or what it waits for."""
        # Also when all has come: whether it is right is still to be found out if Ctrl-C came in.
        eng.stop = self.fin & 3 == 3
        if eng.s.readinto(bytearray(1)) == 0:
            raise OSError(_EOF)
        if self.fin & 3 != 3:
            return 4 if self.out else 1
        if self.short:
            eng.put = _whole(eng.put)
        # Not deleted: MicroPython would keep what was there, and this file with it. Without a
        # branch: whoever is interrupted has a handshake that goes on, or one that is over.
        eng.hand = eng.step = t.addr = None
        t.st = max(t.st, 3)
        discard("tlsmake", "tlshake")
        return 0


def _whole(put):
    """Where one send is several records: all of it is out, or None, as if it were one."""
    # How much is out, and what the last put gave, until that is added.
    at = [0, None]

    def puts(data):
        n = at[0] + (at[1] or 0)
        at[0] = n
        at[1] = None
        if n < len(data):
            at[1] = put(memoryview(data)[n:])
            if not at[1] or n + at[1] < len(data):
                return None
        at[0] = 0
        at[1] = None
        return len(data)

    return puts


def _context(t):
    kind = ("DTLS_", "TLS_")[t.proto == 242] + ("CLIENT", "SERVER")[t.server]
    made = tls.SSLContext(getattr(tls, "PROTOCOL_" + kind))
    if t.verify is not None:
        setattr(made, "verify_mode", t.verify)  # which the stubs do not have
    of = _tls.load("tlscheck").values
    own = None
    try:
        # Those of all tags.
        for data in of(t.tags, 1):
            for each in _ders(data, False):
                made.load_verify_locations(each)
        for tag in t.tags:
            chain, key = of((tag,), 2), of((tag,), 3)
            if chain and key:
                if own:
                    raise ValueError("more than one certificate of its own")
                own = ders = _ders(chain[0], False)
                # Several are a chain as PEM alone.
                chain = ders[0] if len(ders) == 1 else chain[0]
                made.load_cert_chain(chain, _ders(key[0], True)[0])
            elif chain or key:
                raise ValueError("a certificate without its key, or the other way round")
        # What tls says of such a server's handshake tells nobody.
        lacks = t.server and _tls.load("tlscheck").missing(t)
        if lacks:
            raise ValueError(lacks)
    except (ValueError, IndexError) as e:
        words = str(e)
        if own and len(own) > 1:
            words += ": a chain, which takes a firmware whose tls reads PEM"
        raise OSError(p.number("EINVAL"), words)
    return made


def _ders(data, key):
    if b"-----BEGIN " in data:
        return _tls.load("tlspem").ders(data, key)
    return [data]


def reason(t, e):
    """(errno, words) of what ended a connection."""
    discard("tlsmake", "tlshake")
    code = e.errno if isinstance(e, OSError) else 0
    if code > -256 and code:
        # The system's own come as they are, or, within tls, negative.
        return abs(code), e.args[1] if len(e.args) > 1 else None
    if code == _EOF:
        return p.number("ECONNABORTED"), "the connection ended without close_notify"
    why = str(e.args[-1]).strip() if e.args else "TLS failed"
    if code and len(e.args) < 2:
        why = "mbedTLS's error -0x%x" % -code
    return p.number("ECONNABORTED"), why
