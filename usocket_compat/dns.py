# SPDX-License-Identifier: MIT
"""Names by the DNS (RFC 1035, 3596): all addresses of a host, asked of the name servers directly.

Used by usocket_compat.aio's getaddrinfo, and by the blocking one where CONFIG_USOCKET_DNS is set.
`servers()` says which servers are asked, `set_servers()` names others.
"""
# Nothing in here waits. `steps` is a generator, which yields what is to be waited for: asyncio and
# the blocking call are two short loops around the same code.
#
# Anybody may send what comes in. It counts if it came from the server that was asked, to the port
# and with the id that were drawn at random, with the question as it was put, and if it is whole
# (RFC 5452). All else is as if it had not come: the true answer may be behind it.

from sys import modules

from .dnsmsg import AAAA, A, parse, question
from .zbase import Sock, closed, fail, install, op, p, tab, uninstall

# Each server in turn is given so long (ms), in each round twice as long as in the one before.
WAIT = 1000
ROUNDS = 3
# The servers that are asked, and how long all of it may take (ms).
_SERVERS = 3
_LIMIT = 20000
# Bytes of a datagram (RFC 1035, 2.3.4).
_DATAGRAM = 512
# So many may be there at once before the others have their turn, and the clock is looked at.
_TURNS = 32
# What is kept: names, each with its type; bytes of addresses of one; how long (ms).
_NAMES = 16
_BYTES = 256
_LONGEST = 3600000
_SHORTEST = 1000

# Each of these is replaced and never changed: another thread may be reading it.
# What the program has set; those that the kept answers are from.
_given = _asked = []
# (name, type, when it ends, answer), the newest last. An answer: (code, addresses, true name).
_kept = []


def servers():
    """The name servers that are asked: [(host, port)]; those of the platform, or as they were set.

    A board's is the one that its firmware reports (DHCP's), elsewhere they are in
    /etc/resolv.conf. Raises OSError: EOPNOTSUPP where the platform tells of none.
    """
    return list(_given) or op("nameservers")("")


def set_servers(hosts):
    """Sets the name servers that are asked, and forgets all answers.

    hosts: [(host, port)], each host an address in numbers; of more than three the first three
    are asked. An empty list: those of the platform again.
    Raises TypeError; ValueError for a host that is a name; OverflowError for a port out of range.
    """
    global _given, _kept
    from .dnsmore import checked

    _given = checked(hosts, _family)
    _kept = []


def _family(host):
    return _inet6() if ":" in host else 2


def blocking(call, host, service, family, type, proto, flags):
    """getaddrinfo, waiting where it stands. `call`: see steps."""
    work = steps(call, host, service, family, type, proto, flags)
    try:
        fd, events, ms = next(work)
        while True:
            p.wait(tab[fd].h, events, min(ms, 50))
            fd, events, ms = next(work)
    except StopIteration as e:
        return e.value
    finally:
        work.close()


async def getaddrinfo(host, service, family=0, type=0, proto=0, flags=0):
    """What usocket_compat.aio.getaddrinfo does, which see: that has to be loaded."""
    package = __name__.rpartition(".")[0]
    wait = modules[package + ".aio"].wait
    if isinstance(host, (bytes, bytearray)):
        try:
            host = bytes(host).decode()
        except UnicodeError:
            host = ".."  # as little a name
    call = modules[package].zsock_getaddrinfo
    work = steps(call, host, service, family, type, proto, flags)
    try:
        fd, events, ms = next(work)
        while True:
            until = p.ticks_add(p.ticks_ms(), ms)
            await wait(fd, tab[fd], int(events == 4), until, False)
            fd, events, ms = next(work)
    except StopIteration as e:
        return e.value
    finally:
        work.close()


def steps(call, host, service, family, type, proto, flags):
    """getaddrinfo as a generator; what it returns is the value of its StopIteration.

    It yields (fd, events, ms) where it waits; it may be woken too early, and too late. `call` is
    the port's own getaddrinfo, for all that needs no server.
    """
    global _asked, _kept
    name = _name_of(host)
    if flags and flags & p.number("AI_NUMERICHOST"):
        name = None
    if name == b"":
        # No name that a server could know, so that nobody is asked.
        flags |= p.number("AI_NUMERICHOST")
    server = op("nameservers")(host.lower()) if name else None
    if server is None:
        return call(host, service, family, type, proto, flags)
    server = (_given or server)[:_SERVERS]
    if server != _asked:
        _kept = []
        _asked = server
    # What the port says to the other arguments.
    want = [A] if family == 2 else [AAAA] if family else [A, AAAA]
    # Whether addresses of IPv4 are written as IPv6's: 1 if there are no others, 2 beside them.
    mapped = canonical = 0
    if flags:
        number = p.number
        canonical = flags & number("AI_CANONNAME")
        if family and family != 2 and flags & number("AI_V4MAPPED"):
            mapped = 2 if flags & number("AI_ALL") else 1
            want = [A, AAAA]
        if flags & number("AI_ADDRCONFIG"):
            from .dnsmore import configured

            want = configured(call, family, want, _inet6())
        for known in ("CANONNAME", "ADDRCONFIG", "V4MAPPED", "ALL"):
            flags &= ~number("AI_" + known)
    if family and family != 2 and family != _inet6():
        return call(host, service, family, type, proto, flags)
    shape = call("127.0.0.1", service, 2, type, proto, flags)
    found = {}
    for kind in want:
        answer = _recall(name, kind)
        if answer:
            found[kind] = answer
    if len(found) < len(want):
        yield from _ask_all(name, want, found)
    return _shaped(want, found, shape, mapped, canonical)


def _name_of(host):
    """The name to ask for, as a message has it; b"" of no name, None of what no server is asked.

    Such as localhost, and what is the link's own (RFC 6761, 6762).
    """
    if not host or ":" in host:
        return None
    labels = host.lower().split(".")
    if not labels[-1]:
        labels.pop()  # the root's
    if not labels or labels[-1] in ("localhost", "local"):
        return None
    # What ends in a digit is an address to some, and the name of no host (RFC 1123, 2.1).
    if len(host) > 253 or not "a" <= labels[-1][:1] <= "z":
        return b""
    name = b""
    for label in labels:
        if not 0 < len(label) < 64:
            return b""
        for c in label:
            if not ("a" <= c <= "z" or "0" <= c <= "9" or c in "-_"):
                return b""
        name += bytes([len(label)]) + label.encode()
    return name + b"\0"


def _inet6():
    global _inet6_number
    if not _inet6_number:
        _inet6_number = p.number("AF_INET6")
    return _inet6_number


_inet6_number = 0


# -- what is kept -----------------------------------------------------------------------


def _recall(name, kind):
    global _kept
    now = p.ticks_ms()
    # All that is over goes: the clock's numbers come again after days.
    _kept = kept = [each for each in _kept if 0 < p.ticks_diff(each[2], now) <= _LONGEST]
    for each in kept:
        if each[0] == name and each[1] == kind:
            return each[3]


def _keep(name, kind, ttl, answer):
    """ttl: in seconds."""
    global _kept
    ms = min(ttl * 1000, _LONGEST)
    if ms >= _SHORTEST and len(answer[1]) <= _BYTES:
        others = [each for each in _kept if each[0] != name or each[1] != kind]
        others.append((name, kind, p.ticks_add(p.ticks_ms(), ms), answer))
        _kept = others[-_NAMES:]


# -- asking -----------------------------------------------------------------------------


def _ask_all(name, want, found):
    """Asks server after server, until `found` has an answer for each type of `want`."""
    end = p.ticks_add(p.ticks_ms(), _LIMIT)
    ms = WAIT
    for _ in range(ROUNDS):
        for server in _asked:
            ask = [kind for kind in want if kind not in found]
            ms_left = p.ticks_diff(end, p.ticks_ms())
            if not ask or ms_left <= 0:
                return
            yield from _ask(server, name, ask, found, min(ms, ms_left), end)
            if any([found[kind][1] for kind in found]):
                return  # one family's addresses are there: the other's have had their time
        ms *= 2


def _entry(family, type):
    sock = Sock()
    sock.h = closed.h  # its place
    sock.nonblock = True
    sock.stream = type == 1
    sock.family = family
    return sock


def _close(sock):
    if sock in tab:
        uninstall(tab.index(sock))
    elif sock.h is not closed.h:
        p.close(sock.h)


def _ask(server, name, ask, found, ms, end):
    """Asks one server once."""
    family = _family(server[0])
    addr = p.address(family, server)
    asked = {}
    truncated = []
    sock = _entry(family, 2)
    try:
        sock.h = p.socket(family, 2, 0)
        fd = install(sock)
        _bind(sock.h, family)
        for kind in ask:
            asked[kind] = question(p.urandom(2), name, kind)
            if p.sendto(sock.h, asked[kind], 0, addr) < 0:
                return  # no way to that server
        until = p.ticks_add(p.ticks_ms(), ms)
        turns = _TURNS
        while asked:
            turns -= 1
            got = p.recvfrom(sock.h, _DATAGRAM + 1, 0) if turns else 0
            if isinstance(got, int):
                turns = _TURNS
                ms = p.ticks_diff(until, p.ticks_ms())
                if ms <= 0:
                    break
                yield fd, 1, ms
                if tab[fd] is not sock:
                    fail("EBADF")
                continue
            if len(got[0]) > _DATAGRAM or not _from(got[1], server):
                continue
            for kind in asked:
                answer = parse(got[0], asked[kind])
                if answer:
                    if answer[1]:
                        truncated.append(asked[kind])
                    else:
                        _take(server, name, kind, answer, found)
                    del asked[kind]
                    break
    finally:
        _close(sock)
    for message in truncated:
        from .dnsmore import exchange

        until = p.ticks_add(p.ticks_ms(), min(2 * WAIT, p.ticks_diff(end, p.ticks_ms())))
        sock = _entry(family, 1)
        try:
            sock.h = p.socket(family, 1, 0)
            data = yield from exchange(install(sock), sock, addr, message, until)
        finally:
            _close(sock)
        answer = data and parse(data, message)
        if answer and not answer[1]:
            _take(server, name, message[-3], answer, found)


def _bind(h, family):
    """To a port that nobody can guess."""
    for left in range(7, -1, -1):
        port = p.urandom(2)
        # Those below are for services.
        port = 32768 | port[0] << 8 | port[1]
        try:
            return p.bind(h, p.address(family, ("0.0.0.0" if family == 2 else "::", port)))
        except OSError:
            if not left:
                raise


def _from(addr, server):
    if addr[1] != server[1]:
        return False
    if ":" not in server[0]:
        return addr[0] == server[0]
    pton = p.inet_pton
    there, here = [pton(_inet6(), host.partition("%")[0]) for host in (addr[0], server[0])]
    return there == here


def _take(server, name, kind, answer, found):
    code, _, addresses, true_name, ttl = answer
    # 0: no error; 3: no such name. All else is this server's trouble, and another may know.
    if code == 0 or code == 3:
        found[kind] = code, addresses, true_name
        if server in _asked:  # still
            _keep(name, kind, ttl, found[kind])


# -- results ----------------------------------------------------------------------------


def _fail(name):
    raise p.gaierror(p.number(name), name)


def _shaped(want, found, shape, mapped, canonical):
    """The list that getaddrinfo gives; `shape` is the one of another address of IPv4."""
    none = 0, b"", b""
    v4, v6 = found.get(A, none), found.get(AAAA, none)
    if not (v4[1] or v6[1]):
        if len(found) < len(want):
            _fail("EAI_AGAIN")
        _fail("EAI_NONAME" if v4[0] or v6[0] else "EAI_NODATA")
    name = ""
    if canonical:
        from .dnsmore import text

        packed = (v4 if v4[1] else v6)[2]
        name = text(packed)
        if _name_of(name) != packed:
            _fail("EAI_FAIL")  # the name of no host
    hosts = []
    if not v6[1] or mapped != 1:
        hosts = ["%d.%d.%d.%d" % tuple(part) for part in _parts(v4[1], 4)]
    if mapped:
        hosts = ["::ffff:" + host for host in hosts]
    long = [p.inet_ntop(_inet6(), part) for part in _parts(v6[1], 16)]
    if long and hosts and (mapped or hasattr(p, "ipv6_first") and p.ipv6_first(long[0], hosts[0])):
        hosts = long + hosts
    else:
        hosts += long
    result = []
    for host in hosts:
        for _, kind, proto, _, addr in shape:
            addr = (host, addr[1]) + (0, 0) * (":" in host)
            result.append((_family(host), kind, proto, name, addr))
            name = ""
    return result


def _parts(packed, n):
    return [packed[i : i + n] for i in range(0, len(packed), n)]
