# SPDX-License-Identifier: MIT
# How far the builds are that run, each in a line with a bar: of a log that grows to so many lines,
# and of what the last one took on this machine. Several may run side by side.
from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..files import cache_folder
from ..shown import say, shown

_LOOK_SECONDS = 0.2
# What nobody has measured here: on two idle cores, and on a busy machine several times that.
_UNKNOWN_SECONDS = 40

_lock = threading.Lock()
_running = 0
_display: Progress | None = None


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """For what has no end that is known, such as a question to a mirror."""
    with _line(text, None) as done:
        yield
        done()


@contextlib.contextmanager
def building(what: str, kind: str, log: Path, lines: int) -> Iterator[None]:
    """A build whose log, empty now, gets about so many lines."""
    kept = cache_folder("logs") / f".seconds-{kind}"
    before = _seconds(kept)
    about = f"about {before:.0f} s, as the last time"
    if not before:
        about = f"about {_UNKNOWN_SECONDS} s on two idle cores, minutes on a busy machine"
    begin = time.monotonic()
    with _line(f"building {what}", (log, lines), f"{about}; log: {log}") as done:
        yield
        spent = time.monotonic() - begin
        kept.write_text(f"{spent:.0f}")
        done()
    if not Console(stderr=True).is_terminal:
        say(f"usocket: built {what} in {spent:.0f} s", err=True)


def _seconds(kept: Path) -> float:
    try:
        return float(kept.read_text())
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def _line(
    text: str, grows: tuple[Path, int] | None, more: str = ""
) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        say(f"usocket: {text}" + (f", {more}" if more else ""), err=True)
        yield lambda: None
        return
    display = _begin(console)
    task = display.add_task(shown(text), total=grows[1] if grows else None, more="")
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(display, task, grows, ended), daemon=True)
    watcher.start()

    def done() -> None:
        if grows:
            display.update(task, completed=grows[1], more="done")

    try:
        yield done
    finally:
        ended.set()
        watcher.join()
        _end(display)


def _watch(
    display: Progress, task: TaskID, grows: tuple[Path, int] | None, ended: threading.Event
) -> None:
    begin = time.monotonic()
    while grows and not ended.wait(_LOOK_SECONDS):
        log, lines = grows
        with contextlib.suppress(OSError):
            part = min(log.read_bytes().count(b"\n") / lines, 0.99)
            spent = time.monotonic() - begin
            left = f"about {spent * (1 - part) / part:.0f} s left" if part > 0.05 else ""
            display.update(task, completed=part * lines, more=left)


def _begin(console: Console) -> Progress:
    """The one display, since a terminal has room for one."""
    global _running, _display
    with _lock:
        _running += 1
        if _display is None:
            _display = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(20),
                TimeElapsedColumn(),
                TextColumn("{task.fields[more]}", markup=False),
                console=console,
            )
            _display.start()
        return _display


def _end(display: Progress) -> None:
    global _running, _display
    with _lock:
        _running -= 1
        if not _running:
            display.stop()
            _display = None
