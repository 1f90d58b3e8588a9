"""Markdown's line ends: a line of more than 99 columns is one sentence, and no more.

So a changed sentence is one changed line, or few. Run by itself it says which lines are not so;
with --write it breaks them behind each sentence, which no reader of the page sees.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 99
GENERATED = "<!-- `make generate` writes what follows. -->"
# Behind a sentence, before another; not within a link's text or an abbreviation.
END = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)(?<=[.!?])([)\"'`*]*) +(?=[A-Z`\"'(\[])")
MARKER = re.compile(r" *(?:[-*] |\d+\. )?")


def pages() -> list[Path]:
    """Those of the tree: what git knows, or else all."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md")]
    return sorted(file for file in found if ".venv" not in file.parts)


def sentences(line: str) -> list[str]:
    """The line, broken behind each sentence."""
    marker = MARKER.match(line)
    assert marker
    parts = END.sub(r"\1\n", line[marker.end() :]).split("\n")
    return [marker[0] + parts[0], *(" " * marker.end() + part for part in parts[1:])]


def mended(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(number, line, what is to be in its place) of each line."""
    by_hand, mark, generated = text.partition(GENERATED)
    code = False
    for number, line in enumerate((by_hand + mark).split("\n"), 1):
        code ^= line.lstrip().startswith("```")
        prose = not code and not line.startswith(("|", "<", "#"))
        long = len(line) > COLUMNS
        yield number, line, sentences(line) if prose and long else [line]
    for line in generated.split("\n")[1:]:
        yield 0, line, [line]


def wrong(text: str) -> list[int]:
    """Numbers of the lines that are long, and more than a sentence."""
    return [number for number, line, parts in mended(text) if parts != [line]]


def main(arguments: list[str]) -> int:
    found = {file: wrong(file.read_text(encoding="utf-8")) for file in pages()}
    for file, numbers in found.items():
        if numbers and arguments == ["--write"]:
            text = file.read_text(encoding="utf-8")
            lines = [part for _, _, parts in mended(text) for part in parts]
            file.write_text("\n".join(lines), encoding="utf-8")
        elif numbers:
            print(f"{file.relative_to(ROOT)}: {', '.join(map(str, numbers))}")
    return 0 if arguments == ["--write"] else bool(any(found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
