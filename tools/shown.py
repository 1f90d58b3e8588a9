# SPDX-License-Identifier: MIT
# What the command says. Names of files, and what boards and other users say, come out as text: no
# character of theirs moves the cursor, colours a line, or turns around what is read.
from __future__ import annotations

import re
import sys

# Controls (C0, DEL, C1), marks and overrides of direction (Unicode's annex 9), ends of lines that
# some terminals know, and bytes of a name that are no UTF-8.
_DRIVES = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str, lines: bool = False) -> str:
    """The text with such characters as Python escapes them; `lines`: it has several, and tabs."""

    def escaped(found: re.Match[str]) -> str:
        return found[0] if lines and found[0] in "\n\t" else repr(found[0])[1:-1]

    return _DRIVES.sub(escaped, text)


def say(*lines: str, err: bool = False) -> None:
    """Print each in a line of its own; `err`: to stderr."""
    _write("".join(shown(line) + "\n" for line in lines), err)


def say_text(text: str) -> None:
    """A text of several lines to stderr, such as a traceback."""
    _write(shown(text, lines=True), True)


def _write(text: str, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    # What the stream cannot encode is escaped too, instead of an error.
    coding = stream.encoding or "utf-8"
    stream.write(text.encode(coding, "backslashreplace").decode(coding))
    stream.flush()
