"""A name server that lies, over UDP and TCP: what it does to a question is the name's first label.

A true address is 192.0.2.1 (AAAA 2001:db8::1), one that nobody may believe 203.0.113.66.
"""

from __future__ import annotations

import collections
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, SOA, A, DNSHeader, DNSQuestion, DNSRecord

TRUE, TRUE6 = "192.0.2.1", "2001:db8::1"
FALSE, FALSE6 = "203.0.113.66", "2001:db8::bad"
BIG = 600  # bytes, more than a datagram of the DNS has
FLOOD = 500


def reply(query: DNSRecord, **flags: int) -> DNSRecord:
    """An answer without records."""
    flags = {"qr": 1, "ra": 1, "rd": 1, **flags}
    return DNSRecord(DNSHeader(id=query.header.id, **flags), q=query.q)


def address(query: DNSRecord, name: object = None, true: bool = True, ttl: int = 0) -> RR:
    """A record of the type that was asked for, of the name that was asked for or another."""
    six = query.q.qtype == QTYPE.AAAA
    data = AAAA(TRUE6 if true else FALSE6) if six else A(TRUE if true else FALSE)
    return RR(name or query.q.qname, query.q.qtype, ttl=ttl, rdata=data)


def alias(name: object, target: object, ttl: int = 0) -> RR:
    return RR(name, QTYPE.CNAME, ttl=ttl, rdata=CNAME(target))


def truth(query: DNSRecord, ttl: int = 0) -> bytes:
    answer = reply(query)
    answer.add_answer(address(query, ttl=ttl))
    return answer.pack()


def lie(query: DNSRecord) -> bytes:
    answer = reply(query)
    answer.add_answer(address(query, true=False, ttl=600))
    return answer.pack()


def chain(query: DNSRecord, n: int) -> bytes:
    """n CNAMEs, then the address; the last of them first, as no server needs to sort them."""
    answer = reply(query)
    names = [query.q.qname, *(f"c{i}.test" for i in range(n))]
    answer.add_answer(address(query, names[-1]))
    for a, b in reversed(list(zip(names, names[1:]))):
        answer.add_answer(alias(a, b))
    return answer.pack()


def with_question(query: DNSRecord, name: object, kind: int, clas: int = 1) -> bytes:
    """A lie that answers another question."""
    answer = DNSRecord(DNSHeader(id=query.header.id, qr=1, ra=1), q=DNSQuestion(name, kind, clas))
    answer.add_answer(address(query, name, true=False))
    return answer.pack()


def raw_answer(query: DNSRecord, owner: bytes, data: bytes, kind: int = 0, clas: int = 1) -> bytes:
    """An answer whose one record is as given."""
    start = reply(query).pack()
    kind = kind or query.q.qtype
    record = owner + struct.pack(">HHIH", kind, clas, 600, len(data)) + data
    return start[:6] + b"\0\1" + start[8:] + record


def pointers(query: DNSRecord) -> list[bytes]:
    """Names that go in a circle, forwards, beyond the end, or are too long."""
    end = len(reply(query).pack())
    data = FALSE6 if query.q.qtype == QTYPE.AAAA else FALSE
    family = socket.AF_INET6 if query.q.qtype == QTYPE.AAAA else socket.AF_INET
    packed = socket.inet_pton(family, data)
    owners = [
        struct.pack(">H", 0xC000 | end),  # to itself
        b"\1a" + struct.pack(">H", 0xC000 | end),  # to a label, then to itself again
        struct.pack(">H", 0xC000 | end + 2),  # to what follows
        struct.pack(">H", 0xFFFF),
        b"\x40a\0",  # a kind of label that there is not
        b"\x80a\0",
        (b"\x3f" + b"a" * 63) * 4 + b"\0",
        b"\x3f" + b"a" * 20,
    ]
    return [raw_answer(query, owner, packed) for owner in owners]


def soa(query: DNSRecord, ttl: int, minimum: int) -> RR:
    return RR("test", QTYPE.SOA, ttl=ttl, rdata=SOA("a.test", "b.test", (1, 2, 3, 4, minimum)))


class Liar:
    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket()
        while True:  # one port for both
            self.udp.bind(("127.0.0.1", 0))
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp.listen(16)
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        # How often each name was asked for, by type; where from, and with what id.
        self.asked: collections.Counter[tuple[str, str]] = collections.Counter()
        self.ports: set[int] = set()
        self.ids: set[int] = set()
        self.streams = 0
        self._held: list[socket.socket] = []
        self._threads = [threading.Thread(target=f) for f in (self._datagrams, self._connections)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.other.sendto(b"", self.udp.getsockname())
        for thread in self._threads:
            thread.join(10)
        for s in (self.udp, self.tcp, self.other, *self._held):
            s.close()

    def _datagrams(self) -> None:
        while True:
            data, addr = self.udp.recvfrom(2000)
            if not data:
                return
            query = DNSRecord.parse(data)
            name = str(query.q.qname).rstrip(".")
            self.asked[name, QTYPE[query.q.qtype]] += 1
            self.ports.add(addr[1])
            self.ids.add(query.header.id)
            what = name.split(".")[0].split("-")
            for i, answer in enumerate(getattr(self, "_" + what[0])(query, *map(int, what[1:]))):
                if i % 3 == 2 and what[0] != "flood":
                    time.sleep(0.015)  # lwIP keeps six that nobody has read
                if answer.__class__ is tuple:
                    self.other.sendto(answer[0], addr)
                else:
                    self.udp.sendto(answer, addr)

    def _connections(self) -> None:
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            self.streams += 1
            self._held.append(s)
            s.settimeout(5)
            with contextlib.suppress(OSError):
                data = s.recv(2000)
                if not data:
                    continue  # it was cancelled
                query = DNSRecord.parse(data[2:])
                assert len(data) == 2 + (data[0] << 8 | data[1])
                what = str(query.q.qname).split(".")[0].split("-")
                getattr(self, "_over_" + what[0])(s, query)

    # -- over UDP: the answers in order; one in a tuple comes from another port

    def _true(self, query):
        yield truth(query)

    def _ttl(self, query, ttl, *_):
        yield truth(query, ttl)

    def _silent(self, query):
        return ()

    def _loss(self, query):
        """The first time it says nothing."""
        if self.asked[str(query.q.qname).rstrip("."), QTYPE[query.q.qtype]] > 1:
            yield truth(query)

    def _code(self, query, code):
        yield reply(query, rcode=code).pack()

    def _halfbad(self, query):
        """One family is refused."""
        six = query.q.qtype == QTYPE.AAAA
        yield reply(query, rcode=RCODE.SERVFAIL).pack() if six else truth(query)

    def _halfsilent(self, query):
        if query.q.qtype == QTYPE.A:
            yield truth(query)

    def _none(self, query, code, ttl=-1, minimum=0, *_):
        """No such name (3), or no such data (0), with an SOA if it has a ttl."""
        answer = reply(query, rcode=code)
        if ttl >= 0:
            answer.add_auth(soa(query, ttl, minimum))
        yield answer.pack()

    def _noneandlie(self, query):
        answer = reply(query, rcode=RCODE.NXDOMAIN)
        answer.add_answer(address(query, true=False))
        yield answer.pack()

    def _id(self, query):
        for i in (1, 0xFF, 0x100, 0xFFFF):
            data = bytearray(lie(query))
            struct.pack_into(">H", data, 0, query.header.id ^ i)
            yield bytes(data)
        yield truth(query)

    def _question(self, query):
        name, kind = query.q.qname, query.q.qtype
        yield with_question(query, "other.test", kind)
        yield with_question(query, name, QTYPE.TXT)
        yield with_question(query, name, kind, 3)
        yield with_question(query, str(name)[:-2], kind)
        yield with_question(query, "a." + str(name), kind)
        data = lie(query)
        yield data[:4] + b"\0\0" + data[6:]
        yield data[:4] + b"\0\2" + data[6:]
        yield truth(query)

    def _query(self, query):
        """The question back, and other operations."""
        data = bytearray(lie(query))
        for flags in (0x01, 0x89, 0x91, 0xF9):
            data[2] = flags
            yield bytes(data)
        yield truth(query)

    def _pointers(self, query):
        yield from pointers(query)
        yield truth(query)

    def _cut(self, query):
        data = lie(query)
        for n in range(len(data)):
            yield data[:n]
        yield truth(query)

    def _oversize(self, query):
        answer = reply(query)
        for _ in range(40):
            answer.add_answer(address(query, true=False))
        assert len(answer.pack()) > BIG
        yield answer.pack()
        yield truth(query)

    def _spoof(self, query):
        yield (lie(query),)
        yield (lie(query),)
        time.sleep(0.05)
        yield truth(query)

    def _flood(self, query):
        junk = [lie(query)[:-1], b"", b"x", bytes(512), struct.pack(">H", query.header.id) * 200]
        for i in range(FLOOD):
            yield junk[i % len(junk)]
            if i % 20 == 0:
                time.sleep(0.001)  # the true one must find room behind them
        time.sleep(0.5)
        yield truth(query)

    def _onlylies(self, query):
        yield from [lie(query)[:-1]] * 3

    def _circle(self, query):
        answer = reply(query)
        answer.add_answer(alias(query.q.qname, "b.test"))
        answer.add_answer(alias("b.test", query.q.qname))
        yield answer.pack()
        answer = reply(query)
        answer.add_answer(alias(query.q.qname, query.q.qname))
        yield answer.pack()
        yield truth(query)

    def _chain(self, query, n):
        yield chain(query, n)

    def _poison(self, query):
        """The address of somebody else, and a CNAME of somebody else."""
        answer = reply(query)
        answer.add_answer(address(query, "other.test", true=False))
        answer.add_answer(alias("another.test", "other.test"))
        answer.add_answer(alias("x" + str(query.q.qname), "other.test"))
        answer.add_answer(address(query))
        answer.add_ar(address(query, true=False))
        yield answer.pack()

    def _case(self, query):
        answer = DNSRecord(
            DNSHeader(id=query.header.id, qr=1, ra=1),
            q=DNSQuestion(str(query.q.qname).upper(), query.q.qtype),
        )
        answer.add_answer(alias(str(query.q.qname).title(), "REAL.Test"))
        answer.add_answer(address(query, "rEAL.tEST"))
        yield answer.pack()

    def _odd(self, query):
        """Records whose data have another size, of other classes, of other types."""
        own = b"\xc0\x0c"
        for n in (0, 3, 5, 15, 17):
            yield raw_answer(query, own, b"\x42" * n)
        yield raw_answer(query, own, b"\xc0\x0c\0", QTYPE.CNAME)
        answer = reply(query)
        true = address(query)
        false = address(query, true=False)
        false.rclass = 3
        answer.add_answer(false)
        answer.add_answer(true)
        yield answer.pack()

    def _name(self, query):
        """A true name that is the name of no host."""
        answer = reply(query)
        answer.add_answer(alias(query.q.qname, "a b.test"))
        answer.add_answer(address(query, "a b.test"))
        yield answer.pack()

    def _truncated(self, query):
        yield reply(query, tc=1).pack()

    _tcpcut = _tcphuge = _tcpstall = _tcpslow = _tcpid = _tcpagain = _tcpclose = _truncated
    _tcpnone = _truncated

    # -- over TCP

    def _send(self, s, data: bytes) -> None:
        s.sendall(struct.pack(">H", len(data)) + data)
        s.close()

    def _over_truncated(self, s, query):
        answer = reply(query)
        for _ in range(60):
            answer.add_answer(address(query))
        assert len(answer.pack()) > BIG
        self._send(s, answer.pack())

    def _over_tcpcut(self, s, query):
        data = truth(query)
        s.sendall(struct.pack(">H", len(data)) + data[:-1])
        s.close()

    def _over_tcphuge(self, s, query):
        s.sendall(b"\xff\xff" + truth(query) + bytes(8000))

    def _over_tcpstall(self, s, query):
        """It holds the connection, and says nothing."""

    def _over_tcpslow(self, s, query):
        data = truth(query)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in struct.pack(">H", len(data)) + data:
            s.sendall(bytes([byte]))
            time.sleep(0.002)
        s.close()

    def _over_tcpid(self, s, query):
        query.header.id ^= 1
        self._send(s, lie(query))

    def _over_tcpagain(self, s, query):
        self._send(s, reply(query, tc=1).pack())

    def _over_tcpclose(self, s, query):
        s.close()

    def _over_tcpnone(self, s, query):
        self._send(s, reply(query, rcode=RCODE.NXDOMAIN).pack())


@contextlib.contextmanager
def liar() -> Iterator[Liar]:
    server = Liar()
    try:
        yield server
    finally:
        server.stop()
