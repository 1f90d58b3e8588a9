# SPDX-License-Identifier: MIT
# `make readme`: the session that README shows, as the commands say it today on a virtual board.
from __future__ import annotations

import os
import re
import subprocess
import sys

from .. import files
from ..errors import UsocketError
from ..shown import say
from ..vboard.board import Board

MARK = "<!-- `make readme` writes what follows. -->\n\n"
COMMANDS = (
    "doctor --device {}",
    "deploy --device {}",
    "run --device {} examples/echo.py",
    "test --device {} test_tcp",
)
# What the board is called meanwhile, and in README.
DEVICE = "/dev/ttyBOARD"
NAMED = "/dev/pts/0"
SECONDS = 100
# What a reader of README sees of the commands that say more: lines that begin so, of the board.
SHOWN = {
    "doctor": r"ok    Python|(ok|note) +{}: (?!a virtual board)|      ->|nothing is wrong",
    "test": r"collected|tests/common/|=+ .* passed|^$",
}
# What another machine, another version or one more test changes.
VARIES = (
    r"/dev/pts/\d+",
    r"\b\d+(?:\.\d+)+(?:\+dev)?",  # versions, seconds
    r"\b[0-9a-f]{8}\b",
    r"\b\d+ (?=bytes|KB|files|sent|items|passed)",
    r"={3,}",
    r"\.{4,} *",  # pytest's, one for each test
)


def session() -> str:
    """The commands and what they say, as README has them."""
    said = []
    with Board() as board:
        for words in COMMANDS:
            command = words.format(board.device).split()
            done = subprocess.run(
                [sys.executable, "-m", "usocket_tools.cli", *command],
                cwd=files.PACKAGE.parent,
                env=_environment(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            if done.returncode or done.stderr:
                raise UsocketError(
                    f"usocket {' '.join(command)} failed", done.stdout + done.stderr
                )
            text = _shortened(command[0], done.stdout.replace(board.device, DEVICE))
            said.append(f"$ usocket {words.format(DEVICE)}\n{text}")
    return f"```text\n{''.join(said)}```\n".replace(DEVICE, NAMED)


def shown() -> str:
    """The session that README shows now."""
    _, mark, rest = _readme().partition(MARK)
    if not mark:
        raise UsocketError(
            f"README has lost the line {MARK.strip()}", "Put it back: see git diff."
        )
    return rest[: rest.index("\n## ")].rstrip() + "\n"


def stable(text: str) -> str:
    """Without what differs from one run to the next."""
    return re.sub("|".join(VARIES), "#", text)


def _readme() -> str:
    return (files.PACKAGE.parent / "README.md").read_text(encoding="utf-8")


def _environment() -> dict[str, str]:
    """What a user has: of this project and of pytest nothing is set."""
    ours = ("PYTEST_", "USOCKET_COMPAT")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def _shortened(command: str, text: str) -> str:
    """With `...` for lines that say something of this machine."""
    wanted = SHOWN.get(command, "").format(DEVICE)
    lines: list[str] = []
    follows = False  # A line that is indented belongs to the one above it.
    for line in text.strip().split("\n"):
        keep = not wanted or re.match(wanted, line) and (follows or not line.startswith(" "))
        follows = bool(keep)
        if keep:
            lines.append(line.rstrip())
        elif not lines or lines[-1] != "...":
            lines.append("...")
    return "\n".join(lines) + "\n"


def main() -> int:
    try:
        before, now = shown(), session()
        if stable(before) == stable(now):
            say("readme: the session is today's")
            return 0
        text = _readme().replace(before, now)
        (files.PACKAGE.parent / "README.md").write_text(text, encoding="utf-8")
    except (UsocketError, OSError) as error:
        say(f"readme: {error}", err=True)
        if getattr(error, "hint", ""):
            say(*error.hint.splitlines(), err=True)  # type: ignore[union-attr]
        return 1
    say("wrote the session into README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
