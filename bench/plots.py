# SPDX-License-Identifier: MIT
"""What `make bench` measured last, kept in results.json, and drawn for docs/costs.md.

A part that was not measured again keeps its figures.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
IMAGES = HERE.parent / "docs" / "img"

# Figures of results.json -> what the plot calls them.
HEAP = {
    "heap_import": "import usocket_compat",
    "heap_tcp_poll": "a TCP server with poll",
    "heap_udp_client": "a UDP client",
    "heap_all": "TCP server, getaddrinfo and UDP",
    "heap_wifi": "Wi-Fi by usocket_compat.wifi, on top",
    "dropin": "asyncio echo with the drop-in, above the firmware's",
}
SPEED = {
    "pingpong64_into_vs_into": "64-byte ping-pong",
    "bulk16k_stream": "16 KiB bulk",
    "bulk1400": "1400-byte bulk",
    "connect_accept_close": "connect, accept, close",
    "poll64": "poll of 64, one ready",
    "poll8": "poll of 8, one ready",
}
TARGETS = {"cpython": "CPython", "unix": "MicroPython unix", "vboard": "virtual board"}
KB = 1024
BOARD = 112  # KB of heap that an ESP32 has

WIDTH, LEFT, RIGHT = 480, 8, 416
BAR, GROUP = 16, 34
STYLE = """\
.drawing { --ink: #1f2328; --dim: #59636e; --line: #8c959f; --one: #2f6fde; --two: #c2570c;
  --three: #18794e; max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { .drawing { --ink: #e6e8eb; --dim: #a0a8b2; --line: #6e7681;
  --one: #6ea8ff; --two: #f0883e; --three: #4cc38a; } }
.drawing text { font: 14px system-ui, sans-serif; fill: var(--ink); }
.drawing .small { font-size: 12px; fill: var(--dim); }
.drawing .one { fill: var(--one); } .drawing .two { fill: var(--two); }
.drawing .three { fill: var(--three); }
.drawing .plain { stroke: var(--line); stroke-dasharray: 4 3; }
"""
COLOURS = ("one", "two", "three")


def results() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def keep(part: str, values: dict[str, list[float]]) -> None:
    """A part of what was measured: `heap`, or a target. The first of each figure's values."""
    now = results()
    now[part] = {name: round(each[0], 3) for name, each in sorted(values.items())}
    RESULTS.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, text in drawn(now).items():
        (IMAGES / name).write_text(text, encoding="utf-8")


def drawn(now: dict[str, dict[str, float]]) -> dict[str, str]:
    """Name of the file -> the plot."""
    return {"heap.svg": _heap(now["heap"]), "speed.svg": _speed(now)}


def _heap(values: dict[str, float]) -> str:
    shown = {name: values[name] / KB for name in HEAP if name in values}
    most = math.ceil(max(shown.values()) / 10) * 10
    lines, y = [], 0
    for name, kb in shown.items():
        lines.append(_text(LEFT, y + 14, HEAP[name]))
        lines.append(_bar("one", kb / most, y + 20))
        lines.append(_text(LEFT + kb / most * RIGHT + 6, y + 33, f"{kb:.1f} KB", "small"))
        y += GROUP + 12
    lines.append(_text(LEFT, y + 10, f"of the {BOARD} KB of heap that an ESP32 has", "small"))
    return _svg("heap", f"Heap that programs keep on a board, up to {most} KB", lines, y + 20)


def _speed(now: dict[str, dict[str, float]]) -> str:
    """1 is the plain socket; longer is faster."""
    measured = [v for t in TARGETS for name, v in now.get(t, {}).items() if name in SPEED]
    most = max([1.0, *measured])
    lines, y = [], 12
    for target, colour in zip(TARGETS, COLOURS):
        x: float = LEFT + 150 * list(TARGETS).index(target)
        lines.append(f'<rect class="{colour}" x="{x}" y="{y - 10}" width="12" height="12"/>')
        lines.append(_text(x + 18, y, TARGETS[target], "small"))
    top, y = y + 12, y + 18
    for name, what in SPEED.items():
        found = [(t, c) for t, c in zip(TARGETS, COLOURS) if name in now.get(t, {})]
        if not found:
            continue
        lines.append(_text(LEFT, y + 14, what))
        y += 20
        for target, colour in found:
            ratio = now[target][name]
            lines.append(_bar(colour, ratio / most, y))
            # In a column of their own, clear of the dashed line.
            lines.append(_text(LEFT + RIGHT + 20, y + 13, f"{ratio:.2f}", "small"))
            y += BAR + 3
        y += 8
    x = LEFT + RIGHT / most
    lines.append(f'<path class="plain" d="M{x:.1f} {top}V{y}"/>')
    note = "1.00, the dashed line: as fast as the interpreter's own socket"
    lines.append(_text(LEFT, y + 14, note, "small"))
    return _svg("speed", "Speed beside the interpreter's own socket", lines, y + 24)


def _bar(colour: str, part: float, y: float) -> str:
    width = max(part * RIGHT, 2)
    return f'<rect class="{colour}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}">{escape(text)}</text>'


def _svg(name: str, title: str, lines: list[str], height: float) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img"'
        f' viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" aria-labelledby="{name}-title">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n<style>\n{STYLE}</style>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )
