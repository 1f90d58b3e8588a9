"""usocket_compat/dnsmsg.py against dnspython: right messages, and what is made of them."""

from __future__ import annotations

import socket
import struct
import sys

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usocket_compat import dnsmsg

TYPES = {dnsmsg.A: dns.rdatatype.A, dnsmsg.AAAA: dns.rdatatype.AAAA}
MOST = 4096
CHAIN = 16
LONGEST = 3600  # s

labels = st.text("abcXYZ019-_", min_size=1, max_size=63) | st.sampled_from(["www", "a", "test"])
# Few, so that records meet.
hosts = st.sampled_from(
    ["a.test.", "b.test.", "c.a.test.", "A.Test.", "d.", "long-" + "x" * 50 + "."]
)
hosts |= st.lists(labels, min_size=1, max_size=4).map(lambda parts: ".".join(parts) + ".")
kinds = st.sampled_from([dnsmsg.A, dnsmsg.AAAA])
ttls = st.sampled_from([0, 1, 60, 3600, 3601, 0x7FFFFFFF]) | st.integers(0, 0x7FFFFFFF)


def records(host: str, other: str, ttl: int, n: int, kind: int, clas: str):
    """One record."""
    text = {
        "A": f"192.0.2.{n}",
        "AAAA": f"2001:db8::{n:x}",
        "CNAME": other,
        "TXT": '"text"',
        "SOA": f"{other} {host} 1 2 3 4 {ttl}",
    }[kind]
    if clas == "CH":
        kind, text = "TXT", '"text"'  # of another class an address is none
    return dns.rrset.from_text(host, ttl, clas, kind, text)


a_record = st.builds(
    records,
    hosts,
    hosts,
    ttls,
    st.integers(1, 254),
    st.sampled_from("A A A AAAA AAAA CNAME CNAME TXT SOA".split()),
    st.sampled_from(["IN", "IN", "IN", "CH"]),
)


def wire_of(text: str) -> bytes:
    return dns.name.from_text(text).canonicalize().to_wire()


@st.composite
def answers(draw):
    """(question as we send it, answer): the answer is a right one, by dnspython."""
    host, kind = draw(hosts), draw(kinds)
    query = dns.message.make_query(host, TYPES[kind], id=draw(st.integers(0, 0xFFFF)))
    answer = dns.message.make_response(query, recursion_available=True)
    # A chain that leads from the question, perhaps to addresses, among other records.
    names = [host, *draw(st.lists(hosts, max_size=4))]
    chain = [
        dns.rrset.from_text(a, draw(ttls), "IN", "CNAME", b) for a, b in zip(names, names[1:])
    ]
    ends = [
        records(names[-1], "x.", draw(ttls), n, "A" if kind == dnsmsg.A else "AAAA", "IN")
        for n in range(1, 1 + draw(st.integers(0, 5)))
    ]
    found = [*chain, *ends, *draw(st.lists(a_record, max_size=5))]
    if draw(st.booleans()):
        found = draw(st.permutations(found))
    answer.answer = found
    answer.authority = draw(st.lists(a_record, max_size=2))
    answer.set_rcode(draw(st.sampled_from([0, 0, 0, 0, 2, 3, 5])))
    if draw(st.integers(0, 9)) == 0:
        answer.flags |= dns.flags.TC
    question = dnsmsg.question(struct.pack(">H", query.id), wire_of(host), kind)
    return question, answer.to_wire(max_size=65535)


def test_questions() -> None:
    """As dnspython writes them."""
    for host, kind in (("a.test.", dnsmsg.A), ("www.example.org.", dnsmsg.AAAA)):
        query = dns.message.make_query(host, TYPES[kind], id=0x1234)
        assert dnsmsg.question(b"\x12\x34", wire_of(host), kind) == query.to_wire()


def expected(wire: bytes, question: bytes):
    """What dnspython makes of a message, or None where it says that this is no answer."""
    query = dns.message.from_wire(question)
    answer = dns.message.from_wire(wire, one_rr_per_rrset=True, continue_on_error=False)
    if not (answer.flags & dns.flags.QR and answer.opcode() == 0 and answer.id == query.id):
        return None
    if len(answer.question) != 1 or answer.question != query.question:
        return None
    code = answer.rcode() & 15
    if answer.flags & dns.flags.TC:
        return code, True, [], 0
    if code not in (0, 3):
        return code, False, [], 0
    kind = query.question[0].rdtype
    name = query.question[0].name
    aliases: dict = {}
    ttl = LONGEST
    for rrset in answer.answer:
        if rrset.rdclass == dns.rdataclass.IN and rrset.rdtype in (kind, dns.rdatatype.CNAME):
            ttl = min(ttl, rrset.ttl)
            if rrset.rdtype == dns.rdatatype.CNAME:
                aliases.setdefault(rrset.name, rrset[0].target)
    for _ in range(CHAIN):
        if name not in aliases:
            break
        name = aliases[name]
    else:
        return None
    found = [
        socket.inet_pton(socket.AF_INET6 if kind == dnsmsg.AAAA else socket.AF_INET, rdata.address)
        for rrset in answer.answer
        if (rrset.name, rrset.rdtype, rrset.rdclass) == (name, kind, dns.rdataclass.IN)
        for rdata in rrset
    ]
    if code or not found:
        found, ttl = [], 0
        for rrset in answer.authority:
            if (rrset.rdtype, rrset.rdclass) == (dns.rdatatype.SOA, dns.rdataclass.IN):
                ttl = min(rrset.ttl, rrset[0].minimum)
                break
    return code, False, found, ttl


def ours(wire: bytes, question: bytes):
    answer = dnsmsg.parse(wire, question)
    if answer is None:
        return None
    code, truncated, packed, _, ttl = answer
    n = 4 if question[-3] == dnsmsg.A else 16
    return code, bool(truncated), [packed[i : i + n] for i in range(0, len(packed), n)], ttl


@settings(max_examples=400, deadline=None)
@given(answers())
def test_right_answers(pair) -> None:
    question, wire = pair
    assert ours(wire, question) == expected(wire, question)


@settings(max_examples=100, deadline=None)
@given(answers(), st.integers(0, 0xFFFF), kinds, hosts)
def test_answers_to_other_questions(pair, id, kind, host) -> None:
    _, wire = pair
    question = dnsmsg.question(struct.pack(">H", id), wire_of(host), kind)
    assert ours(wire, question) == expected(wire, question)


@st.composite
def mutants(draw):
    """A right answer with bytes changed, cut or put in; its id and question mostly left alone."""
    question, wire = draw(answers())
    data = bytearray(wire)
    start = draw(st.sampled_from([len(question), len(question), 4, 0]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(start, max(start, len(data) - 1)))
        what = draw(st.integers(0, 3))
        if what == 0:
            data[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif what == 1:
            del data[at:]
        elif what == 2:
            data[at : at + 2] = struct.pack(">H", 0xC000 | draw(st.integers(0, len(data) + 2)))
        else:
            data[at:at] = draw(st.binary(max_size=4))
    return question, bytes(data)


def steps_of(wire: bytes, question: bytes) -> int:
    """How many lines of the parser run."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        if frame.f_code.co_filename != dnsmsg.__file__:
            return None
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        dnsmsg.parse(wire, question)
    finally:
        sys.settrace(before)
    return count


@settings(max_examples=800, deadline=None)
@given(mutants())
def test_broken_answers(pair) -> None:
    """Never an exception; and where dnspython finds no fault in it, what that finds."""
    question, wire = pair
    found = ours(wire, question)
    try:
        wanted = expected(wire, question)
    except (dns.exception.DNSException, ValueError, NotImplementedError):
        # It looks at all the records, we at those that count: then the addresses are true all the
        # same. It must not be one that leads beyond the message.
        if found and found[2]:
            assert b"".join(found[2][:1]) in wire
        return
    assert found == wanted


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=512))
@example(b"")
@example(bytes(12))
def test_noise(data: bytes) -> None:
    question = dnsmsg.question(data[:2].ljust(2, b"\0"), wire_of("a.test"), dnsmsg.A)
    ours(data, question)
    ours(question[:2] + b"\x81\x80\0\1\0\5\0\5\0\5" + question[12:] + data, question)


def hostile() -> dict[str, bytes]:
    """Answers that are made to cost most, as long as TCP brings them."""
    question = dnsmsg.question(b"id", wire_of("a.test"), dnsmsg.A)
    start = question[:2] + b"\x81\x80\0\1\xff\xff\0\0\0\0" + question[12:]
    found = {}
    # Each owner is a long chain of pointers, each one back to the one before.
    pointers = start + b"\0"
    at = len(pointers) - 1
    while len(pointers) < MOST - 2:
        pointers += struct.pack(">H", 0xC000 | at)
        at = len(pointers) - 2
    found["pointers"] = pointers
    # As long a name as there may be, and then records that point to it.
    name = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
    data = start + name + b"\0\x05\0\1\0\0\0\0\0\2\xc0\x0c"
    at = len(start)
    many = data
    while len(many) < MOST - 14:
        many += (
            struct.pack(">H", 0xC000 | at) + b"\0\x05\0\1\0\0\0\0\0\2" + many[12:12] + b"\xc0\x0c"
        )
    found["long names"] = many
    labels = start + b"\1a" * 126 + b"\0" + b"\0\1\0\1\0\0\0\0\0\4abcd"
    while len(labels) < MOST - 16:
        labels += struct.pack(">H", 0xC000 | at) + b"\0\1\0\1\0\0\0\0\0\4abcd"
    found["many labels"] = labels
    empty = start
    while len(empty) < MOST - 11:
        empty += b"\0\0\1\0\1\0\0\0\0\0\0"
    found["no data"] = empty
    return found


@pytest.mark.parametrize("what", hostile())
def test_the_work_is_bounded(what: str) -> None:
    """Some lines of Python a byte of the message, at the most."""
    question = dnsmsg.question(b"id", wire_of("a.test"), dnsmsg.A)
    wire = hostile()[what]
    assert len(wire) <= MOST
    steps = steps_of(wire, question)
    assert 0 < steps < 60 * len(wire), steps


@pytest.mark.parametrize(("last", "good"), [(61, True), (62, False)])
def test_the_longest_name(last: int, good: bool) -> None:
    """255 bytes with the root's (RFC 1035, 2.3.4)."""
    labels = [63, 63, 63, last]
    name = b"".join(bytes([n]) + b"a" * n for n in labels) + b"\0"
    assert (len(name) <= 255) is good
    question = dnsmsg.question(b"id", wire_of("a.test"), dnsmsg.A)
    data = struct.pack(">HHIH", 5, 1, 9, len(name)) + name
    wire = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] + b"\xc0\x0c" + data
    assert dnsmsg.parse(wire, question) == ((0, 0, b"", name, 0) if good else None)
