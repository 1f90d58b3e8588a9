# SPDX-License-Identifier: MIT
"""A repeated SYN, which a network may bring at any time, takes nothing of a stream."""

from __future__ import annotations

import socket
import struct

import pytest
from test_network import Peer, arp, checksum, ethernet, peer

from usocket_tools.vboard import network
from usocket_tools.vboard.handshakes import KEPT, Handshakes
from usocket_tools.vboard.network import parse_forward

FIN, SYN, ACK = 1, 2, 16
MSS = b"\x02\x04\x05\xa0"  # 1440
DATA = bytes(range(251)) * 12


def segment(
    ports: tuple[int, int],
    flags: int,
    seq: int,
    ack: int = 0,
    options: bytes = b"",
    six: bool = False,
    data: bytes = b"",
) -> bytes:
    """A frame of the board's, its checksums right."""
    header = struct.pack(
        "!HHIIBBHHH", *ports, seq, ack, (5 + len(options) // 4) << 4, flags, 5760, 0, 0
    )
    tcp = header + options + data
    family = socket.AF_INET6 if six else socket.AF_INET
    names = (network.BOARD6, network.HOST6) if six else (network.BOARD, network.HOST)
    ends = b"".join(socket.inet_pton(family, name) for name in names)
    total = checksum(ends + struct.pack("!HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
    if six:
        return ethernet(0x86DD, struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + ends + tcp)
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0)
    start = start[:10] + struct.pack("!H", checksum(start + ends)) + ends
    return ethernet(0x0800, start + tcp)


def right(frame: bytes, six: bool = False) -> bool:
    """Whether TCP's checksum is right."""
    at = 54 if six else 34
    ends = frame[22:54] if six else frame[26:34]
    return checksum(ends + struct.pack("!HH", 6, len(frame) - at) + frame[at:]) == 0


class Stream:
    """The board's end of a connection of IPv4, as simple as can be."""

    def __init__(self, board: Peer, ports: tuple[int, int]) -> None:
        self.board, self.ports = board, ports
        self.next = 0
        self.data = b""
        self.ended = False

    def send(self, flags: int, seq: int, options: bytes = b"") -> None:
        self.board.network.input(segment(self.ports, flags, seq, self.next, options))

    def expect(self) -> tuple[int, int]:
        """The next segment for these ports: its flags and sequence number."""
        frame = self.board.expect(struct.pack("!HH", *self.ports[::-1]), 34)
        flags, seq = frame[47], struct.unpack("!I", frame[38:42])[0]
        length = struct.unpack("!H", frame[16:18])[0]
        data = frame[34 + (frame[46] >> 4) * 4 : 14 + length]
        if seq == self.next or flags & SYN:
            self.data += data
            self.next = seq + len(data) + (flags & (SYN | FIN) != 0)
            self.ended = self.ended or bool(flags & FIN)
        return flags, seq

    def read(self, seq: int) -> bytes:
        while not self.ended:
            self.expect()
            self.send(ACK, seq)
        return self.data


def test_a_repeated_answer_takes_no_data():
    """The host sends at once, the board's SYN with ACK comes twice."""
    with peer() as board, socket.socket() as client:
        made = board.network.forward(parse_forward("0:80"))
        client.connect(("127.0.0.1", made.host_port))
        client.sendall(DATA)
        client.shutdown(socket.SHUT_WR)
        syn = board.expect(struct.pack("!H", 80), 36)
        stream = Stream(board, (80, struct.unpack("!H", syn[34:36])[0]))
        stream.next = struct.unpack("!I", syn[38:42])[0] + 1
        stream.send(SYN | ACK, 1000, MSS)
        while not stream.data:
            stream.expect()
        stream.send(SYN | ACK, 1000, MSS)
        # It is answered, since the acknowledgement of the first may be lost.
        flags, _ = stream.expect()
        assert flags & ACK and not flags & 4
        assert stream.read(1001) == DATA


def test_a_repeated_syn_takes_no_data():
    """The host's service sends at once, the board's SYN comes once more when it is connected."""
    with peer() as board, socket.create_server(("127.0.0.1", 0)) as server:
        stream = Stream(board, (5000, server.getsockname()[1]))
        stream.send(SYN, 1000, MSS)
        flags, _ = stream.expect()
        assert flags & (SYN | ACK) == SYN | ACK
        stream.send(ACK, 1001)
        connection, _ = server.accept()
        with connection:
            connection.sendall(DATA)
            connection.shutdown(socket.SHUT_WR)
            while not stream.data:
                stream.expect()
            stream.board.network.input(segment(stream.ports, SYN, 1000, 0, MSS))
            assert stream.read(1001) == DATA


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_only_the_options_of_a_repeated_syn_go(flags, six):
    handshakes = Handshakes()
    first = segment((80, 4000), flags, 7, 9, MSS + b"\x01\x01\x04\x02", six)
    assert right(first, six) and handshakes.once(first) == first
    again = handshakes.once(first)
    assert right(again, six) and len(again) == len(first)
    at = (54 if six else 34) + 20
    assert again[at:] == b"\x01" * 8
    assert again[: at - 4] == first[: at - 4] and again[at - 2 : at] == first[at - 2 : at]
    # Another connection, or the same ends with another number, is a first one.
    for other in (
        segment((80, 4001), flags, 7, 9, MSS, six),
        segment((80, 4000), flags, 8, 9, MSS, six),
    ):
        assert handshakes.once(other) == other
    # The last of them is known, the one before no longer.
    assert handshakes.once(first) == first


def test_what_is_no_syn_stays():
    handshakes = Handshakes()
    whole = segment((80, 4000), SYN, 7, 9, MSS)
    fragment = bytearray(whole)
    fragment[20:22] = b"\x00\x10"
    odd = [segment((80, 4000), ACK, 7, 9, data=b"data"), arp(1, network.BOARD, network.HOST)]
    odd += [bytes(fragment), whole[:40], whole[:20], whole[:13], b""]
    odd.append(whole[:46] + b"\xf0" + whole[47:])  # longer options than there are bytes
    for frame in odd * 2:
        assert handshakes.once(frame) == frame


def test_as_many_as_matter_are_remembered():
    handshakes = Handshakes()
    frames = [segment((80, 1000 + n), SYN, 7, 0, MSS) for n in range(KEPT + 1)]
    for frame in frames:
        assert handshakes.once(frame) == frame
    assert handshakes.once(frames[-1]) != frames[-1] and handshakes.once(frames[1]) != frames[1]
    assert handshakes.once(frames[0]) == frames[0]
