# SPDX-License-Identifier: MIT
"""An ESP32 in its bootloader, as far as esptool asks: the ROM's serial protocol, which Espressif
documents, behind a pseudo-terminal, and a flash of 4 MB that is what was written to it.
"""

from __future__ import annotations

import hashlib
import os
import select
import struct
import threading
import tty
import zlib

FLASH = 4 * 1024 * 1024

_SYNC, _READ_REG, _MEM_END = 0x08, 0x0A, 0x06
_FLASH_BEGIN, _FLASH_DATA, _DEFL_BEGIN, _DEFL_DATA = 0x02, 0x03, 0x10, 0x11
_MD5, _SECURITY_INFO, _ERASE = 0x13, 0x14, 0xD0
_MAGIC_REG, _MAGIC = 0x40001000, 0x00F01D83
# Of the ID the third byte is the size: two to the power of it, as JEDEC's flashes have it.
_SPI_W0, _FLASH_ID = 0x3FF42080, 0x1640EF


class FakeChip:
    """`faulty`: a flash that does not keep what is written to it; `kind`: the flash chip's ID."""

    def __init__(self, faulty: bool = False, kind: int = _FLASH_ID) -> None:
        self.kind = kind
        self.flash = bytearray(b"files" * (FLASH // 5 + 1))[:FLASH]
        self.faulty = faulty
        self.commands: list[int] = []
        self._stub = False
        self._at = 0
        self._inflate = zlib.decompressobj()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> FakeChip:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ended)
        self._thread.join()
        for fd in (self._master, self._slave, self._end):
            os.close(fd)

    def _run(self) -> None:
        data = b""
        while self._end not in select.select([self._master, self._end], [], [])[0]:
            data += os.read(self._master, 65536)
            # Packets lie between 0xC0 bytes.
            while data.count(b"\xc0") > 1:
                packet, _, data = data[data.index(b"\xc0") + 1 :].partition(b"\xc0")
                if packet:
                    self._obey(packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
                else:
                    data = b"\xc0" + data

    def _say(self, packet: bytes) -> None:
        packet = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        os.write(self._master, b"\xc0" + packet + b"\xc0")

    def _answer(self, command: int, value: int = 0, data: bytes = b"", failed: bool = False):
        data += bytes([failed, 5 * failed]) + bytes(0 if self._stub else 2)
        self._say(struct.pack("<BBHI", 1, command, len(data), value) + data)

    def _obey(self, packet: bytes) -> None:
        command, body = packet[1], packet[8:]
        self.commands.append(command)
        if command == _SYNC:
            self._stub = False  # the ROM's: whoever connects has reset the chip
            for _ in range(8):
                self._answer(command, value=0x20120707)
        elif command == _SECURITY_INFO:
            self._answer(command, failed=True)  # as an ESP32 does
        elif command == _READ_REG:
            register = struct.unpack("<I", body[:4])[0]
            self._answer(command, {_MAGIC_REG: _MAGIC, _SPI_W0: self.kind}.get(register, 0))
        elif command == _MEM_END:
            self._answer(command)
            self._stub = True
            self._say(b"OHAI")
        elif command == _MD5:
            at, size = struct.unpack("<II", body[:8])
            digest = hashlib.md5(self.flash[at : at + size])
            self._answer(command, data=digest.digest())
        else:
            self._store(command, body)
            self._answer(command)

    def _store(self, command: int, body: bytes) -> None:
        if command == _ERASE:
            self.flash[:] = b"\xff" * FLASH
        elif command in (_FLASH_BEGIN, _DEFL_BEGIN):
            self._at = struct.unpack("<IIII", body[:16])[3]
            self._inflate = zlib.decompressobj()
        elif command in (_FLASH_DATA, _DEFL_DATA):
            size = struct.unpack("<I", body[:4])[0]
            content = body[16 : 16 + size]
            if command == _DEFL_DATA:
                content = self._inflate.decompress(content)
            self.flash[self._at : self._at + len(content)] = content
            if self.faulty:
                self.flash[self._at] ^= 1
            self._at += len(content)
