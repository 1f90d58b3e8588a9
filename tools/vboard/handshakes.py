# SPDX-License-Identifier: MIT
# What libslirp must not see twice. Each SYN with options, a repeated one too, makes it allocate
# the connection's buffers anew (tcp_input.c: tcp_dooptions, tcp_mss; sbuf.c: sbreserve), so that
# it forgets what the host has sent and the board has not acknowledged: the stream ends too early.
from __future__ import annotations

import struct

# Connections whose SYN is remembered. A repeated one comes within seconds.
KEPT = 4096

_IP, _IP6 = b"\x08\x00", b"\x86\xdd"
_SYN = 2
_NOP = 1


class Handshakes:
    """The connections that the board has begun or answered, by their first segment."""

    def __init__(self) -> None:
        self._first: dict[bytes, bytes] = {}

    def once(self, frame: bytes) -> bytes:
        """The frame; if it is a SYN that came before, without its options."""
        at = _tcp_at(frame)
        if not at or len(frame) < at + 20 or not frame[at + 13] & _SYN:
            return frame
        ports = frame[at : at + 4]
        ends = (frame[26:34] if frame[12:14] == _IP else frame[22:54]) + ports
        number = frame[at + 4 : at + 8]
        if self._first.get(ends) == number:
            return _without_options(frame, at)
        # The newest are last.
        self._first.pop(ends, None)
        self._first[ends] = number
        if len(self._first) > KEPT:
            del self._first[next(iter(self._first))]
        return frame


def _tcp_at(frame: bytes) -> int:
    """Where the TCP header begins; 0 in what is none, or only a later part of a packet."""
    kind = frame[12:14]
    if (
        kind == _IP
        and frame[23:24] == b"\x06"
        and not int.from_bytes(frame[20:22], "big") & 0x1FFF
    ):
        return 14 + (frame[14] & 15) * 4
    # lwIP puts no other header before TCP's.
    return 54 if kind == _IP6 and frame[20:21] == b"\x06" else 0


def _without_options(frame: bytes, at: int) -> bytes:
    """The same segment with NOPs for options; the rest of its header is in its place."""
    end = at + (frame[at + 12] >> 4) * 4
    if not at + 20 <= end <= len(frame):
        return frame
    changed = bytearray(frame)
    changed[at + 20 : end] = bytes([_NOP]) * (end - at - 20)
    # RFC 1624: the checksum by what has changed. Options are whole words of 32 bits.
    words = f"!{(end - at - 20) // 2}H"
    total = ~struct.unpack_from("!H", frame, at + 16)[0] & 0xFFFF
    total += sum(~word & 0xFFFF for word in struct.unpack_from(words, frame, at + 20))
    total += sum(struct.unpack_from(words, changed, at + 20))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", changed, at + 16, ~total & 0xFFFF)
    return bytes(changed)
