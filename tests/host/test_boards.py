"""The files of board_configs against the firmware that they are for: MicroPython's own sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from usocket_tools.builds import interpreters
from usocket_tools.commands import flash
from usocket_tools.layer import kconfig

BOARDS = [board for board in kconfig.boards() if board.startswith("ESP32")]

# ESP-IDF's default of CONFIG_LWIP_MAX_SOCKETS, the sockets of a firmware that does not set it.
LWIP_MAX_SOCKETS = 10
# Variants with the sockets and the memory of their board, which get its file.
LIKE_THEIR_BOARD = {"CSI", "D2WD", "FLASH_2M", "FLASH_4M", "OTA", "QEMU", "ROMFS", "RV", "UNICORE"}
# The chips that have WLAN of their own.
FAMILY = ("", "_S2", "_S3", "_C2", "_C3", "_C5", "_C6")
# Not in every supported MicroPython. The C5's first firmware has the C2's sdkconfig.free_ram.
LATER = {"ESP32_GENERIC_C5": 6}


@pytest.fixture(scope="module")
def boards(tmp_path_factory) -> Path:
    """ports/esp32/boards of the newest MicroPython that is packaged."""
    source = interpreters.source("newest")
    folder = tmp_path_factory.mktemp("source") / "micropython"
    return interpreters.tree(source, folder) / "ports/esp32/boards"


def firmware_settings(boards: Path, board: str) -> dict[str, str]:
    """What the board's firmware is configured with: its sdkconfig files, the last one counts."""
    name, _, variant = board.partition("-")
    recipes = [boards / name / "mpconfigboard.cmake"]
    recipes += [boards / name / f"mpconfigvariant_{variant}.cmake"] if variant else []
    settings: dict[str, str] = {}
    for recipe in recipes:
        text = recipe.read_text()
        for common in re.findall(r"include\(boards/(\S+)\)", text):
            text = (boards / common).read_text() + text
        for file in re.findall(r"boards/(\S*sdkconfig\S*)", text):
            for line in (boards / file).read_text().splitlines():
                found = re.fullmatch(r"(CONFIG_\w+)=(.*)", line.strip())
                if found:
                    settings[found[1]] = found[2]
    return settings


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_has_the_sockets_of_its_firmware(boards, board):
    values = kconfig.load(kconfig.board_file(board))
    assert values["ZVFS_POLL_MAX"] == values["ZVFS_OPEN_MAX"]
    if board in LATER and not (boards / board).is_dir():
        assert values["ZVFS_OPEN_MAX"] == LATER[board]
        return
    settings = firmware_settings(boards, board)
    sockets = int(settings.get("CONFIG_LWIP_MAX_SOCKETS", LWIP_MAX_SOCKETS))
    if board in LATER:
        # One file for every firmware that the board ever had.
        sockets = min(sockets, LATER[board])
    assert values["ZVFS_OPEN_MAX"] == sockets


def test_large_socketpairs_are_for_boards_that_always_have_spiram(boards):
    """Where the firmware is for boards with SPIRAM alone; the S2's and S3's is for both kinds."""
    default = kconfig.load()["NET_SOCKETPAIR_BUFFER_SIZE"]
    for board in BOARDS:
        size = kconfig.load(kconfig.board_file(board))["NET_SOCKETPAIR_BUFFER_SIZE"]
        if "SPIRAM" in board:
            assert firmware_settings(boards, board)["CONFIG_SPIRAM"] == "y"
            assert size > default
        else:
            assert size <= default


def test_every_generic_board_has_a_file(boards):
    wanted = set()
    for folder in (boards / f"ESP32_GENERIC{chip}" for chip in FAMILY):
        wanted |= {folder.name} if folder.is_dir() else set()
        for variant in folder.glob("mpconfigvariant_*.cmake"):
            name = variant.stem.partition("_")[2]
            wanted |= set() if name in LIKE_THEIR_BOARD else {f"{folder.name}-{name}"}
    assert wanted | set(LATER) == set(BOARDS)


def test_boards_for_every_chip_of_the_family():
    chips = {flash.chip_of_board(board) for board in BOARDS}
    assert chips == {"esp32" + chip[1:].lower() for chip in FAMILY}


@pytest.mark.parametrize("board", kconfig.boards())
def test_a_file_says_what_it_is_for_and_why(board):
    lines = kconfig.board_file(board).read_text().splitlines()
    assert re.fullmatch(r"# \S.{5,70}[^.]", lines[0]), "what `usocket config boards` prints"
    before = ""
    for line in lines[1:]:
        # A reason stands before each group of settings.
        assert not line.startswith("CONFIG_") or before, f"{board}: no reason for {line}"
        before = line
    assert not any(len(line) > 99 for line in lines)
