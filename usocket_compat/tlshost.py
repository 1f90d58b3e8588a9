# SPDX-License-Identifier: MIT
# The engine of TLS sockets on CPython: its ssl on the connection beneath. Not for boards.

import os
import socket
import ssl
from sys import modules, version_info

from .zbase import fail, p

if not hasattr(p, "fileno"):
    raise ImportError("OpenSSL works on descriptors, which this port has not")

tls = modules[__name__[:-4]]
_shared = tls.load("tlshostctx")
_own = tls.load("tlshostown")
KEPT = _shared.KEPT
_number = p.number
_EAGAIN = _number("EAGAIN")
_EINTR = _number("EINTR")
_PEEK = _number("MSG_PEEK")
_V12, _V13 = _number("IPPROTO_TLS_1_2"), _number("IPPROTO_TLS_1_3")
VERSIONS = " %d %s" % (_V12, "%d " % _V13 if ssl.HAS_TLSv1_3 else "")
PSK = _shared.PSK
# Options beside those that are everywhere: what capabilities() says.
CAN = (
    "TLS_ALPN_LIST TLS_CIPHERSUITE_LIST TLS_CIPHERSUITE_USED TLS_SESSION_CACHE"
    " TLS_SESSION_CACHE_PURGE TLS_HOSTNAME_NONE TLS_CLOSE_NOTIFY"
)
# The most that one recv makes room for, or that poll reads ahead; the most of one send.
READ = MOST = _own.MOST
AHEAD = 1 << 14
_IN = 1
_OUT = 4
_FAILURES = OSError, ValueError
_CORK = hasattr(socket, "TCP_CORK") and (socket.IPPROTO_TCP, socket.TCP_CORK, 1)
_WAITS = _own.WAITS


def features():
    names = CAN + " IPPROTO_TLS_1_2 TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_PEER_VERIFY"
    return names + " IPPROTO_TLS_1_3" * ssl.HAS_TLSv1_3 + " TLS_CREDENTIAL_PSK" * PSK


# -- connections ------------------------------------------------------------------------


class _Own(socket.SocketType):
    __slots__ = ("__weakref__",)  # which OpenSSL's object asks for


class Engine:
    """One connection's TLS: OpenSSL on a descriptor of its own, a duplicate that only it knows.

    Who calls it has the lock of its Tls, so that a close elsewhere takes nothing from under it.
    """

    AHEAD = AHEAD

    # where shutdown has caught close_notify, until all of it is on its way
    _caught = None
    # whether a signal's handler has raised out of a write, which has gone nobody knows how far
    doubt = False

    def __init__(self, t):
        self.raw = t.raw
        self.ssl = None
        context = _shared.context(t)
        name = None if t.server or not t.name else t.name
        self.cache = (id(context), t.addr, name) if _caches(t) else None
        session = _sessions.get(self.cache) if self.cache else None
        if name and not name.isascii():
            name = context._encode_hostname(name)
        # What ssl.SSLSocket does beyond OpenSSL's object costs as much as all of the layer.
        # The duplicate takes the place of the object's own: at each step somebody closes it.
        self.own = _Own(t.sock.family, 1)
        os.dup2(p.fileno(t.raw), self.own.fileno(), False)
        self.own.settimeout(_own.SLICE / 1000 if t.patient else 0)
        self.ssl = inner = context._wrap_socket(self.own, t.server, name, session=session)
        self.write, self.read, self.held = inner.write, inner.read, inner.pending
        self._shake = inner.do_handshake

    def step(self):
        try:
            self._shake()
            return 0
        except (ssl.SSLWantReadError, socket.timeout):
            return _IN
        except ssl.SSLWantWriteError:
            return _OUT

    def get(self, buf):
        """Into buf: how many bytes; 0 at the end that the peer told, None if it has to wait."""
        return self.take(len(buf), buf)

    def take(self, n, buf):
        """As get; where buf is None the bytes themselves, at most n, and b"" at the end."""
        try:
            r = self.read(n) if buf is None else self.read(n, buf)
            if self.cache:
                self.keep()
            return r
        except _WAITS as e:
            _own.nonblocking(self, e)
            return None
        except ssl.SSLZeroReturnError:
            return b"" if buf is None else 0

    def put(self, data):
        """Encrypts and sends data: how many bytes; None while some of it is still to go out.

        Then it is asked again with the same.
        """
        try:
            if self.doubt:
                return self._settled(data)
            return self.write(data)
        except _WAITS as e:
            _own.nonblocking(self, e)
            return None
        except _FAILURES:
            raise
        except BaseException:
            self.doubt = True
            raise

    def doubted(self, t, data):
        """A signal's handler has raised out of a write; or data was none that OpenSSL takes."""
        try:
            data = bytes(memoryview(data))
        except TypeError:
            return
        t.owed, t.out, self.doubt = data, False, True

    def _settled(self, data):
        """What was in doubt is out; else the connection ends, since its rest would be another's.

        OpenSSL refuses a write of nothing while a record is half out.
        """
        try:
            self.write(b"")
        except ssl.SSLError as e:
            # What CPython before 3.10 makes of a write of nothing that went well.
            if version_info >= (3, 10) or not isinstance(e, ssl.SSLEOFError):
                words = "a send that was interrupted has left a record half out"
                raise OSError(_number("ECONNABORTED"), words) from None
        self.doubt = False
        return len(data)

    def keep(self):
        session = self.ssl.session
        if session:
            _keep(self.cache, session)

    def end(self, t):
        """close_notify of one that nobody reads any more: False while there is no room for it."""
        if self._caught:
            return self.half(t)
        try:
            if not self._clear(t):
                return False
            if _CORK:
                # The end of the connection leaves with it, in one packet.
                self.own.setsockopt(*_CORK)
            self.ssl.shutdown()
        except ssl.SSLWantWriteError:
            return False
        except ssl.SSLError:
            pass  # the peer's has not come yet
        return True

    def _clear(self, t):
        """Whether no record is half out, in whose middle close_notify would be."""
        if t.owed is not None and not t.out:
            # noted, so that it goes once, and whoever sends it is told
            t.out = self.put(t.owed) is not None
        return t.owed is None or t.out

    def half(self, t):
        """close_notify of one that may read on: False while there is no room for all of it.

        OpenSSL's object sends it and then reads, and what data comes there is lost, and reading
        after it. So for that moment the descriptor is one at which nothing ever comes; what it has
        caught stays there until it has gone out.
        """
        if not self._clear(t):
            return False
        for _ in range(2):
            if not self._caught:
                self._catch()
            try:
                alert = self._caught.recv(READ, _PEEK)
            except BlockingIOError:
                alert = b""
            if alert:
                break
            self._forget()  # Ctrl-C came too early, or it was sent before
        while alert:
            n = p.send(self.raw, alert, len(alert), 0)
            if n < 0:
                n = p.last_error(n)
                if n == _EAGAIN or n == _EINTR:
                    return False
                break  # nobody is there to be told
            self._caught.recv(n)
            alert = alert[n:]
        self._forget()
        return True

    def _catch(self):
        number = self.own.fileno()
        kept = os.dup(number)
        try:
            ours, self._caught = socket.socketpair()
            with ours:
                ours.setblocking(False)
                self._caught.setblocking(False)
                try:
                    os.dup2(ours.fileno(), number, False)
                    self.ssl.shutdown()
                except (ssl.SSLError, OSError):
                    pass  # the peer's has not come
                finally:
                    os.dup2(kept, number, False)
        finally:
            os.close(kept)

    def _forget(self):
        if self._caught:
            self._caught.close()
        self._caught = None

    def free(self):
        self.own.close()
        self._forget()
        self.ssl = self._shake = self.write = self.read = self.held = None


Handle = _own.Handle

# (context, address, name): the session that the peer gave last.
_sessions = {}


def _caches(t):
    return not t.server and t.rare and t.rare.get("cache")


def _keep(key, session):
    _sessions.pop(key, None)
    while len(_sessions) >= KEPT:
        _sessions.pop(next(iter(_sessions)), None)
    _sessions[key] = session


def purge():
    _sessions.clear()


def reason(t, e):
    """(errno, words) of what ended a connection."""
    aborted = _number("ECONNABORTED")
    if isinstance(e, ssl.SSLCertVerificationError):
        return aborted, "the peer's certificate: " + e.verify_message
    if isinstance(e, ssl.SSLEOFError):
        return aborted, "the connection ended without close_notify"
    if isinstance(e, ssl.SSLError):
        words = (e.reason or str(e)).replace("_", " ").lower()
        return aborted, "TLS: " + words
    if isinstance(e, OSError) and e.errno:
        return e.errno, e.strerror if e.strerror != os.strerror(e.errno) else None
    return aborted, str(e)


# -- what was agreed on -----------------------------------------------------------------


def cipher(t):
    """The cipher suite's number, as IANA has it."""
    name = t.eng.ssl.cipher()[0]
    for each in _shared.context(t).get_ciphers():
        if each["name"] == name:
            return each["id"] & 0xFFFF
    fail("ENOTCONN")


def ciphers(t, choose=False):
    return _shared.ciphers(t, choose)


def alpn(t):
    found = t.eng.ssl.selected_alpn_protocol()
    return [found.encode()] if found else []


_load, _loaded = tls.load, {}


def _load_once(name):
    """tls.load, which an import statement costs more than."""
    found = _loaded.get(name)
    if found is None:
        found = _loaded[name] = _load(name)
    return found


vars(tls).update(load=_load_once, ask=_own.ask, leave=_own.Leaving(), MOST=MOST, READ=READ)


def _settle(kind):
    """Gives Tls all that its __getattr__ finds: with one, CPython is slow with every attribute."""

    def beneath(call):
        return lambda t, _, *args: call(t.raw, *args)

    for name in tls.load("tlsmore").PLAIN.split():
        if hasattr(p, name):
            setattr(kind, name, beneath(getattr(p, name)))
    for file in ("tlshake", "tlsmore", "tlsodd"):
        for name, f in vars(tls.load(file)).items():
            if name[0] != "_" and callable(f) and f.__module__.endswith(file):
                setattr(kind, name, f)
    for name in ("connect", "enter", "lost", "close"):
        setattr(kind, name, getattr(_own, name))
    # whether all of close_notify is on its way, which it is told that can send one
    kind.told = False
    # whether this call of connect waits in OpenSSL
    kind.patient = False
    check = tls.load("tlscheck")
    kind.set_option = check.set_option
    # All is loaded: nothing is asked for again.
    check.load, check.driver = _load_once, lambda: modules[__name__]
    del kind.__getattr__


_settle(tls.Tls)
