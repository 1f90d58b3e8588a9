"""usocket flash: images that esptool's own tools made, and esptool on a chip that is not one.

What only hardware shows is not here: a board's reset into its bootloader, and its flash chip.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import threading
from pathlib import Path

import images
import pytest
from fake_chip import FLASH, FakeChip

from usocket_tools import flash
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
    assert flash.check(made(chip)).name == chip


@pytest.mark.parametrize("chip", CHIPS)
def test_esptool_sees_the_same_chip(made, chip):
    said = images.esptool("--chip", "auto", "image_info", made(chip))
    assert re.search(rf"Chip ID: \d+ \({flash.check(made(chip)).title}\)", said), said


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
        flash.check(file)
    assert str(file) in str(caught.value) and "micropython.org" in caught.value.hint


def test_an_application_for_another_chip_is_refused(made, tmp_path):
    ours, others = made("esp32s3").read_bytes(), made("esp32c3").read_bytes()
    file = tmp_path / "mixed.bin"
    file.write_bytes(ours[: images.APPLICATION] + others[images.APPLICATION :])
    with pytest.raises(UsocketError, match="no application for its chip"):
        flash.check(file)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_part_alone_is_refused(made, chip):
    folder = made(chip).parent
    with pytest.raises(UsocketError, match="the application alone"):
        flash.check(folder / "application.bin")
    with pytest.raises(UsocketError, match="not whole firmware"):
        flash.check(folder / "bootloader.bin")
    with pytest.raises(UsocketError, match="not firmware"):
        flash.check(folder / "partitions.bin")


def test_other_kinds_of_files_are_refused(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"UF2\n" + bytes(508))
    with pytest.raises(UsocketError, match="a UF2 file"):
        flash.check(file)
    file.write_bytes(images.elf("esp32", {".text": (0x40080000, b"code")}))
    with pytest.raises(UsocketError, match="an ELF file"):
        flash.check(file)


def test_an_unknown_chip_is_refused(made, tmp_path):
    data = made("esp32").read_bytes()
    file = tmp_path / "new.bin"
    file.write_bytes(data[:12] + struct.pack("<H", 0x7777) + data[14:])
    with pytest.raises(UsocketError, match=r"does not know \(number 30583\)"):
        flash.check(file)


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


def plugged(*ports: tuple[str, int | None]) -> list[Port]:
    return [
        Port(device=device, vid=vid, product="USB JTAG", description="") for device, vid in ports
    ]


def test_which_device(monkeypatch):
    found = plugged(("/dev/ttyS0", None), ("/dev/ttyUSB1", 0x10C4), ("/dev/ttyUSB2", 0x1234))
    monkeypatch.setattr(flash.list_ports, "comports", lambda: found)
    assert flash.devices() == [flash.Found("/dev/ttyUSB1", "Silicon Labs, USB JTAG")]
    assert flash._only_device() == "/dev/ttyUSB1"
    found += plugged(("/dev/ttyACM0", 0x303A))
    with pytest.raises(UsocketError, match="2 boards are plugged in") as caught:
        flash._only_device()
    assert caught.value.hint == "Name one with --device: /dev/ttyACM0, /dev/ttyUSB1"
    found.clear()
    with pytest.raises(UsocketError, match="no board is plugged in"):
        flash._only_device()


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
