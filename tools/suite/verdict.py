# SPDX-License-Identifier: MIT
# What `usocket verify` found, as one file to attach to an issue. It has no keys, no names of
# networks and no addresses in it.
from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from ..shown import shown
from ..wifi import Wifi
from .verifying import QUIRK, About, Left, Piece

_MOST = 4000  # characters of what one piece gives
_LEAST_KEY = 8  # characters of a key of WPA: so long, it is nothing else


def text(
    about: About, pieces: Sequence[Piece], left: Sequence[Left], hidden: Iterable[tuple[str, str]]
) -> str:
    """The report, with what is `hidden` replaced: (text, what stands in its place)."""
    differing = [piece for piece in pieces if not piece.same]
    lines = ["# usocket verify", "", *_head(about, pieces, left), "", "## Differences", ""]
    if not differing:
        lines += ["None: all is as on the virtual board.", ""]
    for piece in differing:
        lines += _difference(piece)
    if left:
        lines += ["## Not run", "", *(f"- {each.name}: {each.why}" for each in left), ""]
    lines += ["## What was run", "", *_run(pieces), ""]
    return _without(shown("\n".join(lines), lines=True), hidden)


def secrets(wifi: Wifi | None, addresses: Iterable[str]) -> list[tuple[str, str]]:
    """What no report has."""
    found = [(wifi.key, "<key>"), (wifi.ssid, "<network>")] if wifi else []
    return [*found, *((each, "<address>") for each in addresses)]


def _without(report: str, hidden: Iterable[tuple[str, str]]) -> str:
    for what, instead in hidden:
        # As it is, as it is printed, and as Python writes it.
        for form in {what, shown(what), repr(what)[1:-1]} - {""}:
            pattern = re.escape(form)
            if len(form) < _LEAST_KEY:
                pattern = rf"(?<!\w){pattern}(?!\w)"
            report = re.sub(pattern, instead, report)
    return report


def _head(about: About, pieces: Sequence[Piece], left: Sequence[Left]) -> list[str]:
    found = {
        "board": about.board or "unknown",
        "chip": about.chip,
        "firmware": f"MicroPython {about.version} ({about.firmware})",
        "layer": f"usocket_compat {about.layer}",
        "heap": f"{about.heap} bytes free",
        "network": "yes" if about.address else "none",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    if about.virtual:
        found["virtual"] = "yes"
    for what, wanted in (("tests", False), ("quirks", True)):
        those = [piece for piece in pieces if piece.name.startswith(QUIRK) == wanted]
        not_run = sum(each.name.startswith(QUIRK) == wanted for each in left)
        differ = sum(not piece.same for piece in those)
        found[what] = f"{len(those)} run, {differ} differ, {not_run} not run"
    return [f"- {name}: {value}" for name, value in found.items()]


def _difference(piece: Piece) -> list[str]:
    lines = [f"### {piece.name}", ""]
    if piece.about:
        lines += [piece.about, ""]
    lines += ["The board:", "", *_block(piece.found), ""]
    if piece.expected:
        lines += ["What is expected:", "", *_block(piece.expected), ""]
    if piece.here is None:
        return lines
    if not piece.here:
        return [*lines, "A virtual board on the same machine: as expected.", ""]
    return [*lines, "A virtual board on the same machine:", "", *_block(piece.here), ""]


def _block(what: str) -> list[str]:
    """Indented, so that nothing in it ends it."""
    if len(what) > _MOST:
        what = what[:_MOST] + f"\n... {len(what) - _MOST} characters more"
    return ["    " + line for line in what.rstrip("\n").split("\n")] if what else ["    nothing"]


def _run(pieces: Sequence[Piece]) -> list[str]:
    def group(piece: Piece) -> str:
        return "quirks" if piece.name.startswith(QUIRK) else piece.name.partition("::")[0]

    counts = Counter(map(group, pieces))
    lines = [f"- {name}: {count}" for name, count in counts.items()]
    notes = [f"- {piece.name}: {piece.note}" for piece in pieces if piece.note]
    return [*lines, "", "What tests noted:", "", *notes] if notes else lines
