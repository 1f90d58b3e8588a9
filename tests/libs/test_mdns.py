"""micropython-mdns with a resolver of this machine, zeroconf's, in a network of their own."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
from places import DROP_IN, NATIVE, OnBoard, Place
from zeroconf import DNSIncoming

HERE = Path(__file__).parent


@pytest.mark.places("unix", "unix-noffi")
def test_both_find_each_other(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "resolver.log"
    prefix = [peers.program("unshare"), "--map-root-user", "--net", "sh"]
    prefix += [str(HERE / "namespace.sh"), str(log), sys.executable, str(HERE / "resolver.py")]
    program = place.run("mdns", "10.9.8.2", 9, use=["micropython-mdns"], prefix=prefix)
    lines = program.rest(30)
    wrong = program.end()
    if place.kind == NATIVE:
        # Nor has it IP_ADD_MEMBERSHIP, or sends to a tuple.
        assert "ImportError: can't import name select" in lines
        return
    assert wrong == "", "\n".join([*lines, log.read_text()])
    assert lines == [
        "('10.9.8.1', 80)",
        "peer._http._tcp.local ['10.9.8.1'] 80 {'path': ['/']}",
        "('10.9.8.1', 80)",
    ], log.read_text()
    assert log.read_text().splitlines() == [
        "ready",
        "board.local. ['10.9.8.2'] 1234 {b'key': b'value'}",
    ]


@pytest.mark.parametrize("kind", [NATIVE, DROP_IN])
def test_a_board_joins_and_asks(kind: str, tmp_path: Path) -> None:
    """The virtual board's network carries no multicast, but shows what the board sends."""
    trace = tmp_path / "trace"
    place = OnBoard("vboard", kind, trace=trace)
    try:
        lines = place.lines("mdns", place.vboard.address, 1, use=["micropython-mdns"])
    finally:
        place.stop()
    assert lines[0] == "('nobody', -202)"
    sent = [frame for frame in frames(trace) if frame[30:34] == bytes((224, 0, 0, 251))]
    # IGMP's report of a member, then questions, from and to the port of mDNS. The report comes a
    # second time after up to 10 s (RFC 2236, 3), perhaps at once.
    assert [frame[23] for frame in sent if frame[23] != 2 or frame is sent[0]][:2] == [2, 17]
    questions = [DNSIncoming(frame[42:]) for frame in sent if frame[23] == 17]
    assert all(
        struct.unpack("!HH", frame[34:38]) == (5353, 5353) for frame in sent if frame[23] == 17
    )
    asked = [question.name for each in questions for question in each.questions]
    assert asked[0] == "peer.local."


def frames(trace: Path) -> Iterator[bytes]:
    """Those of a pcap file."""
    data = trace.read_bytes()
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 : at + 16 + length]
        at += 16 + length
