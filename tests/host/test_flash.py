"""usocket flash: images that esptool's own tools made, and esptool on a chip that is not one.

What only hardware shows is not here: a board's reset into its bootloader, and its flash chip.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import pty
import random
import re
import shlex
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import images
import pytest
from fake_chip import FLASH, FakeChip

from usocket_tools.boards import flasher, imagefile, plugged
from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli", "flash"]

# flash_offset of the boards' board.json in MicroPython's ports/esp32/boards.
OFFSETS = {
    "ESP32_GENERIC": ("esp32", "0x1000"),
    "ESP32_GENERIC-SPIRAM": ("esp32", "0x1000"),
    "ESP32_GENERIC_S2": ("esp32s2", "0x1000"),
    "ESP32_GENERIC_S3": ("esp32s3", "0x0"),
    "ESP32_GENERIC_S3-SPIRAM_OCT": ("esp32s3", "0x0"),
    "ESP32_GENERIC_C2": ("esp32c2", "0x0"),
    "ESP32_GENERIC_C3": ("esp32c3", "0x0"),
    "ESP32_GENERIC_C5": ("esp32c5", "0x2000"),
    "ESP32_GENERIC_C6": ("esp32c6", "0x0"),
}
CHIPS = sorted({chip for chip, _ in OFFSETS.values()})


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """chip -> its firmware, made once."""
    kept = {}

    def make(chip: str) -> Path:
        if chip not in kept:
            kept[chip] = images.firmware(chip, tmp_path_factory.mktemp(chip))
        return kept[chip]

    return make


def usocket_flash(*args, env=None):
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **(env or {})},
    )


# Images.


@pytest.mark.parametrize("chip", CHIPS)
def test_an_image_is_for_its_chip(made, chip):
    assert imagefile.check(made(chip)).name == chip


@pytest.mark.parametrize("chip", CHIPS)
def test_esptool_sees_the_same_chip(made, chip):
    said = images.esptool("--chip", "auto", "image_info", made(chip))
    assert re.search(rf"Chip ID: \d+ \({imagefile.check(made(chip)).title}\)", said), said


@pytest.mark.parametrize("board", OFFSETS)
def test_dry_run(made, board):
    chip, offset = OFFSETS[board]
    done = usocket_flash("--board", board, "--dry-run", made(chip))
    assert (done.returncode, done.stderr) == (0, "")
    command = shlex.split(done.stdout)
    assert command[:5] == [sys.executable, "-m", "esptool", "--chip", chip]
    assert command[-2:] == [offset, str(made(chip))]
    assert "--erase-all" not in command and "--port" not in command


def test_dry_run_with_everything(made):
    image = made("esp32c3")
    options = ("--device", "/dev/ttyACM7", "--baud", "115200", "--erase", "--dry-run")
    words = shlex.split(usocket_flash(*options, image).stdout)
    assert words[words.index("--port") + 1] == "/dev/ttyACM7"
    assert words[words.index("--baud") + 1] == "115200"
    assert "--erase-all" in words


@pytest.mark.parametrize("erase", [[], ["--erase"]])
def test_esptool_takes_the_command(made, erase):
    done = usocket_flash("--device", "/dev/null", *erase, "--dry-run", made("esp32"))
    said = subprocess.run(shlex.split(done.stdout), capture_output=True, text=True)
    assert "Could not open /dev/null" in said.stdout + said.stderr


def other(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


NOT_WHOLE = {
    "cut in the bootloader": lambda data: data[:2000],
    "cut before the partition table": lambda data: data[:0x6000],
    "cut before the application": lambda data: data[:0x9000],
    "cut in the application": lambda data: data[:-20000],
    "without its last byte": lambda data: data[:-1],
    "one bit of the bootloader": lambda data: other(data, 1000),
    "one bit of the application": lambda data: other(data, len(data) - 9000),
    "one bit of the digest": lambda data: other(data, len(data) - 1),
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "text": lambda data: b"<!DOCTYPE html><html><body>not found</body></html>" * 9,
    "erased flash": lambda data: b"\xff" * 300000,
    "zeros": lambda data: bytes(300000),
    "without partitions": lambda data: data[:0x8000] + b"\xff" * 0x1000 + data[0x9000:],
}


@pytest.mark.parametrize("what", NOT_WHOLE)
def test_an_image_that_is_not_whole_is_refused(made, tmp_path, what):
    file = tmp_path / "broken.bin"
    file.write_bytes(NOT_WHOLE[what](made("esp32s3").read_bytes()))
    with pytest.raises(UsocketError, match="damaged|not firmware|no partition table") as caught:
        imagefile.check(file)
    assert str(file) in str(caught.value) and "micropython.org" in caught.value.hint


def written(folder: Path, data: bytes) -> Path:
    file = folder / "broken.bin"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c3", "esp32c5"])
def test_500_damaged_images_are_refused(made, tmp_path, chip):
    """One byte is another, or all from one on are missing. Between the parts is padding."""
    whole, folder = made(chip).read_bytes(), made(chip).parent
    offset = int(next(at for name, at in OFFSETS.values() if name == chip), 16)
    bootloader = len((folder / "bootloader.bin").read_bytes())
    table = 0x8000 - offset
    ranges = (
        range(bootloader),
        range(24),
        range(table, table + 0xC00),
        range(table, table + 6 * 32),
        range(images.APPLICATION - offset, len(whole)),
        range(len(whole) - 64, len(whole)),
    )
    draw = random.Random(chip)
    accepted = []
    for number in range(500):
        at = draw.choice(draw.choice(ranges))
        cut = number % 5 == 0
        change = bytes([whole[at] ^ draw.randrange(1, 256)])
        broken = whole[:at] if cut else whole[:at] + change + whole[at + 1 :]
        with contextlib.suppress(UsocketError):
            imagefile.check(written(tmp_path, broken))
            accepted.append((hex(at), "cut" if cut else change))
    assert not accepted


def entry(kind: int, sub: int, at: int, size: int, label: bytes = b"x") -> bytes:
    return b"\xaa\x50" + struct.pack("<BBII16sI", kind, sub, at, size, label, 0)


def table(*entries: bytes) -> bytes:
    """As gen_esp32part.py of ESP-IDF makes one, without what it refuses."""
    text = b"".join(entries)
    text += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(text).digest()
    return text.ljust(0xC00, b"\xff")


APP = entry(0, 0, images.APPLICATION, 0x1F0000)
# What gen_esp32part.py's verify(), or esp_partition_table_verify() of the bootloader, refuses.
TABLES = {
    "overlap": (table(APP, entry(1, 0x81, 0x1FF000, 0x1000)), "0x1ff000 overlaps"),
    "unsorted overlap": (table(entry(1, 1, 0x11000, 0x1000), APP), "0x11000 overlaps"),
    "over itself": (table(entry(1, 2, 0x8000, 0x1000), APP), "0x8000 overlaps"),
    "beyond the flash": (table(APP, entry(1, 0x81, 0x200000, 0x201000)), "the flash at 0x400000"),
    "far beyond": (table(APP, entry(1, 2, 0xFFFFF000, 0xFFFFF000)), "the flash at 0x400000"),
    "no place of an application": (table(entry(0, 0, 0x12000, 0x1000)), "where one can be"),
    "no application": (table(entry(1, 2, 0x9000, 0x6000)), "names no application"),
    "application too small": (table(entry(0, 0, 0x10000, 0x10000)), "application is not whole"),
    "application elsewhere": (table(entry(0, 0, 0x100000, 0x10000)), "no application"),
    "no entries": (table(), "names no application"),
    "nothing": (b"\xff" * 0xC00, "has no MD5"),
    "no MD5": (APP.ljust(0xC00, b"\xff"), "has no MD5"),
    "MD5 of other entries": (table(APP).replace(b"x", b"y"), "MD5 of its partition table"),
    "no end": ((APP * 96)[:0xC00], "half a partition table"),
    "more behind": (table(APP)[:-32] + APP, "does not end"),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_partition_table_that_no_board_takes(made, tmp_path, what):
    data = made("esp32s3").read_bytes()
    new, message = TABLES[what]
    assert len(new) == 0xC00
    with pytest.raises(UsocketError, match=message):
        imagefile.check(written(tmp_path, data[:0x8000] + new + data[0x8C00:]))


def test_a_table_with_places_for_updates(made, tmp_path):
    """The first is there, the second is empty; what is in the second is looked at too."""
    data = made("esp32s3").read_bytes()
    two = table(
        entry(1, 0, 0x9000, 0x2000),
        entry(0, 0x10, images.APPLICATION, 0x40000),
        entry(0, 0x11, 0x50000, 0x40000),
    )
    data = data[:0x8000] + two + data[0x8C00:]
    assert imagefile.check(written(tmp_path, data)).name == "esp32s3"
    data = data.ljust(0x50000, b"\xff") + data[images.APPLICATION :]
    assert imagefile.check(written(tmp_path, data)).name == "esp32s3"
    with pytest.raises(UsocketError, match="application is not whole"):
        imagefile.check(written(tmp_path, other(data, 0x52000)))


def test_a_bootloader_without_a_digest_is_refused(made, tmp_path):
    """The digest alone covers the header, which says how large the flash is."""
    data = made("esp32s3").read_bytes()
    assert data[23] == 1
    with pytest.raises(UsocketError, match="bootloader is not whole"):
        imagefile.check(written(tmp_path, data[:23] + b"\0" + data[24:]))
    with pytest.raises(UsocketError, match="bootloader is not whole"):
        imagefile.check(written(tmp_path, data[:23] + b"\7" + data[24:]))


LARGE = 16 << 20
WORST = {
    "a table without end": lambda data: data[:0x8000] + entry(1, 2, 0x9000, 0x1000) * 524288,
    "an application of all the flash": lambda data: (
        data[: images.APPLICATION + 28] + struct.pack("<I", LARGE - 0x20000) + bytes(LARGE)
    ),
    "erased": lambda data: data[:0x8000].ljust(LARGE, b"\xff"),
    "255 parts": lambda data: data[:1] + b"\xff" + data[2:24] + bytes(LARGE),
}


@pytest.mark.parametrize("what", WORST)
def test_the_worst_16_mib_take_seconds(made, tmp_path, what):
    image = written(tmp_path, WORST[what](made("esp32s3").read_bytes())[:LARGE])
    command = [*USOCKET, "--dry-run", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"usocket: {image} is ")
    assert done.stderr.count("\n") == 2


def test_an_application_for_another_chip_is_refused(made, tmp_path):
    ours, others = made("esp32s3").read_bytes(), made("esp32c3").read_bytes()
    file = tmp_path / "mixed.bin"
    file.write_bytes(ours[: images.APPLICATION] + others[images.APPLICATION :])
    with pytest.raises(UsocketError, match="no application for its chip"):
        imagefile.check(file)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_part_alone_is_refused(made, chip):
    folder = made(chip).parent
    with pytest.raises(UsocketError, match="the application alone"):
        imagefile.check(folder / "application.bin")
    with pytest.raises(UsocketError, match="not whole firmware"):
        imagefile.check(folder / "bootloader.bin")
    with pytest.raises(UsocketError, match="not firmware"):
        imagefile.check(folder / "partitions.bin")


def test_other_kinds_of_files_are_refused(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"UF2\n" + bytes(508))
    with pytest.raises(UsocketError, match="a UF2 file"):
        imagefile.check(file)
    file.write_bytes(images.elf("esp32", {".text": (0x40080000, b"code")}))
    with pytest.raises(UsocketError, match="an ELF file"):
        imagefile.check(file)


def test_an_unknown_chip_is_refused(made, tmp_path):
    data = made("esp32").read_bytes()
    file = tmp_path / "new.bin"
    file.write_bytes(data[:12] + struct.pack("<H", 0x7777) + data[14:])
    with pytest.raises(UsocketError, match=r"does not know \(number 30583\)"):
        imagefile.check(file)


# Writing.


@pytest.mark.parametrize("erase", [[], ["--erase"]])
def test_write(made, erase):
    image = made("esp32")
    with FakeChip() as chip:
        before = bytes(chip.flash)
        done = usocket_flash("--device", chip.device, *erase, image)
        assert (done.returncode, done.stderr) == (0, "")
        assert "esp32-firmware.bin is written and verified" in done.stdout
    data = image.read_bytes()
    end = 0x1000 + len(data)
    assert chip.flash[0x1000:end] == data
    around = bytes(chip.flash[:0x1000] + chip.flash[-0x100000:])
    kept = before[:0x1000] + before[-0x100000:]
    assert around == (b"\xff" * len(kept) if erase else kept)
    assert len(chip.flash) == FLASH


def test_the_progress_bar_moves(made):
    controller, terminal = pty.openpty()
    parts: list[bytes] = []

    def read() -> None:
        while True:
            try:
                parts.append(os.read(controller, 4096))
            except OSError:
                return

    reader = threading.Thread(target=read)
    reader.start()
    with FakeChip() as chip:
        command = [*USOCKET, "--device", chip.device, str(made("esp32"))]
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        done = subprocess.run(command, stdout=terminal, stderr=terminal, env=env, timeout=100)
    os.close(terminal)
    reader.join()
    os.close(controller)
    text = b"".join(parts).decode()
    assert done.returncode == 0, text
    percents = [int(number) for number in re.findall(r"(\d+)%", text)]
    # How often it is drawn is the clock's choice.
    assert percents[-1] == 100 and percents == sorted(percents) and len(set(percents)) > 1
    assert "writing" in text and "is written and verified" in text


def test_a_flash_that_forgets_is_noticed(made):
    with FakeChip(faulty=True) as chip:
        done = usocket_flash("--device", chip.device, made("esp32"))
    assert done.returncode == 1 and done.stdout == ""
    assert f"usocket: {chip.device} does not hold what was written to it" in done.stderr


def test_another_chip_is_refused_untouched(made):
    with FakeChip() as chip:
        before = bytes(chip.flash)
        done = usocket_flash("--device", chip.device, made("esp32s3"))
        assert bytes(chip.flash) == before
    assert done.returncode == 1 and done.stdout == ""
    said = f"usocket: {chip.device} is an ESP32, and this firmware is for the ESP32-S3\n"
    assert done.stderr.startswith(said)


# ID of the flash chip, as JEDEC has them: manufacturer, type, size as a power of two.
@pytest.mark.parametrize(
    ("kind", "size"), [(0x1540EF, "2 MiB"), (0x1240EF, "256 KiB")], ids=["2MiB", "256KiB"]
)
def test_a_flash_that_is_too_small_is_refused_untouched(made, kind, size):
    image = made("esp32")
    with FakeChip(kind=kind) as chip:
        before = bytes(chip.flash)
        done = usocket_flash("--device", chip.device, image)
        assert bytes(chip.flash) == before
    assert done.returncode == 1 and done.stdout == ""
    said = f"usocket: {chip.device} has {size} of flash, and {image} is for 4 MiB\n"
    assert done.stderr.startswith(said)


# A larger one, and one that esptool does not know.
@pytest.mark.parametrize("kind", [0x1840EF, 0x0140EF], ids=["16MiB", "unknown"])
def test_other_flashes_are_written(made, kind):
    image = made("esp32")
    with FakeChip(kind=kind) as chip:
        done = usocket_flash("--device", chip.device, image)
    assert (done.returncode, done.stderr) == (0, "")
    data = image.read_bytes()
    assert chip.flash[0x1000 : 0x1000 + len(data)] == data


def test_a_silent_device(made, tmp_path):
    (tmp_path / "esptool.cfg").write_text("[esptool]\nconnect_attempts = 1\n")
    controller, terminal = pty.openpty()
    env = {"ESPTOOL_CFGFILE": str(tmp_path / "esptool.cfg")}
    device = os.ttyname(terminal)
    done = usocket_flash("--device", device, made("esp32"), env=env)
    os.close(controller)
    os.close(terminal)
    assert done.returncode == 1
    assert done.stderr.startswith(f"usocket: no chip answers at {device}\n")
    assert "hold BOOT" in done.stderr


def test_a_virtual_board_takes_no_firmware(made):
    with Board() as board:
        done = usocket_flash("--device", board.device, made("esp32"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"usocket: {board.device} is a virtual board")


class Port(argparse.Namespace):
    def __lt__(self, port: Port) -> bool:
        return bool(self.device < port.device)


def test_what_esptool_says_without_end_is_not_kept():
    """Its last lines tell what went wrong."""
    say = (
        "import sys\nfor i in range(100): print('x' * 20000)\n"
        "print('A fatal error occurred: it is broken')\nsys.exit(1)\n"
    )
    chip = imagefile.chips()[0]
    tracemalloc.start()
    try:
        with pytest.raises(UsocketError, match="writing to X failed: it is broken"):
            flasher.write([sys.executable, "-c", say], "X", chip)
        assert tracemalloc.get_traced_memory()[1] < 1_300_000  # of 2,000,000
    finally:
        tracemalloc.stop()


def ports(*ports: tuple[str, int | None]) -> list[Port]:
    return [
        Port(device=device, vid=vid, product="USB JTAG", description="") for device, vid in ports
    ]


def test_which_device(monkeypatch):
    found = ports(("/dev/ttyS0", None), ("/dev/ttyUSB1", 0x10C4), ("/dev/ttyUSB2", 0x1234))
    monkeypatch.setattr(plugged.list_ports, "comports", lambda: found)
    assert plugged.devices() == [plugged.Found("/dev/ttyUSB1", "Silicon Labs, USB JTAG")]
    assert plugged.only_device() == "/dev/ttyUSB1"
    found += ports(("/dev/ttyACM0", 0x303A))
    with pytest.raises(UsocketError, match="2 boards are plugged in") as caught:
        plugged.only_device()
    assert caught.value.hint == "Name one with --device: /dev/ttyACM0, /dev/ttyUSB1"
    found.clear()
    with pytest.raises(UsocketError, match="no board is plugged in"):
        plugged.only_device()


# The command.


def test_help():
    done = usocket_flash("--help")
    assert done.returncode == 0
    for word in ("--device", "--board", "--erase", "--baud", "--dry-run", "IMAGE", "verify"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["missing.bin"], "cannot read missing.bin: No such file or directory\nDownload the .bin"),
        (["--device", "/dev/ttyUSB99", "IMAGE"], "there is no device /dev/ttyUSB99\n"),
        (
            ["--board", "ESP32_GENERIC_S3", "IMAGE"],
            "IMAGE is firmware for the ESP32, and ESP32_GENERIC_S3 has an ESP32-S3\n",
        ),
        (["--board", "UNIX", "IMAGE"], "there is no firmware for a board 'UNIX'\nThe boards: ESP"),
        (["--device", "/dev/null", "IMAGE"], "/dev/null is not a serial device\n"),
        (["/"], "cannot read /: Is a directory\n"),
    ],
)
def test_a_mistake_is_one_sentence(made, args, message):
    image = str(made("esp32"))
    done = usocket_flash(*(image if arg == "IMAGE" else arg for arg in args))
    assert done.returncode == 1
    assert done.stderr.startswith("usocket: " + message.replace("IMAGE", image))
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
