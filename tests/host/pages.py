# SPDX-License-Identifier: MIT
"""Reads the code out of Markdown pages.

An HTML comment right above a block says what it is, beyond its language:
    <!-- on: cpython unix -->           a program for these targets (default: for all)
    <!-- on: vboard --wifi lab:key -->  one for a virtual board with these options
    <!-- on: cpython, in the checkout -->  one that finds what only a checkout has
    <!-- on: unix vboard, with the drop-in -->  one with CONFIG_USOCKET_DROPIN=y
    <!-- test: NAME -->                 a program that this test of test_docs.py runs
    <!-- fragment: WHY -->              not a program
    <!-- run on the virtual board -->   commands that are run; /dev/ttyUSB0 stands for the board
    <!-- run on the virtual board, with FILE -->  in a folder that has the file
    <!-- run on the virtual board, in the checkout -->
A block of text right below a program is what it prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>.*) -->\n)?^```(?P<language>.*)\n(?P<text>(?:.*\n)*?)```$", re.M
)


@dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    mark: str
    prints: str | None = None

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(file: Path) -> list[Block]:
    source = file.read_text(encoding="utf-8")
    found: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(source):
        line = source.count("\n", 0, match.start("language")) + 1
        block = Block(file.name, line, match["language"], match["text"], match["mark"] or "")
        if block.language == "text" and found and not source[end : match.start()].strip():
            found[-1].prints = block.text
        else:
            found.append(block)
        end = match.end()
    return found


def inline(file: Path) -> list[str]:
    """What is marked as code within the text."""
    text = _BLOCK.sub("", file.read_text(encoding="utf-8"))
    return re.findall(r"(?<!`)`([^`]+)`(?!`)", text)


def links(file: Path) -> list[str]:
    """Where the links of a page lead to."""
    text = re.sub(r"`[^`]*`", "", _BLOCK.sub("", file.read_text(encoding="utf-8")))
    return re.findall(r"\]\(([^)\s]+)\)", text)
