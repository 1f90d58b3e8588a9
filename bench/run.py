# SPDX-License-Identifier: MIT
"""`make bench`: the layer against the plain socket beneath it, as a table."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from usocket_tools import files, kconfig, micropython
from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board

HERE = Path(__file__).parent
ROOT = HERE.parent
ROUNDS = os.environ.get("USOCKET_BENCH_ROUNDS", "8000")

# name -> (what it says, wanted on cpython, wanted on unix); ratios are at least, bytes at most
FIGURES = {
    "pingpong64_into_vs_into": (
        "64-byte ping-pong, buffer, against readinto/recv_into",
        0.92,
        0.90,
    ),
    "pingpong64_into_vs_recv": ("64-byte ping-pong, buffer, against recv(64)", 1.0, 1.8),
    "pingpong64_bytes_vs_recv": ("64-byte ping-pong, bytes, against recv(64)", 0.90, 0.95),
    "pingpong64_other_process": ("64-byte ping-pong, buffer, with another process", None, None),
    "bulk16k_stream": ("16 KiB bulk, buffer, with another process", 0.98, 0.98),
    "bulk16k_one_thread": ("16 KiB bulk, buffer, both ends in one thread", None, None),
    "connect_accept_close": ("connect, accept, close", 0.90, 0.85),
    "poll64": ("poll of 64 sockets, one ready", 0.85, 0.85),
    "poll64_and_scan": ("the same, and finding it in the list", None, None),
    "heap_per_call": ("heap allocated per recv, send, poll (bytes)", None, 0),
    "heap_import": ("heap kept by the import, .mpy, 32 bits (bytes)", None, 10240),
    "heap_tcp_udp_poll": ("the same after TCP, UDP, poll and options", None, None),
    "heap_per_socket": ("heap per open socket, 32 bits (bytes)", None, None),
}

# The same of the virtual board, whose plain sockets are lwIP's: name -> (what it says, wanted).
BOARD = {
    "pingpong64_into_vs_into": ("64-byte ping-pong, buffer, against readinto(64)", 0.80),
    "pingpong64_into_vs_recv": ("64-byte ping-pong, buffer, against recv(64)", 0.95),
    "bulk1400": ("1400-byte bulk, buffer", 0.97),
    "connect_accept_close": ("connect, accept, close", 0.90),
    "poll8": ("poll of 8 sockets, one ready", 0.85),
    "heap_per_call": ("heap allocated per recv, send, poll (bytes)", 0),
    "heap_import": ("heap kept by the import, .mpy, 32 bits (bytes)", 10240),
    "heap_port": ("of the port's first file alone, 32 bits (bytes)", 3072),
    "heap_tcp_udp_poll": ("the import after TCP, UDP and poll, 32 bits (bytes)", None),
    "heap_per_socket": ("heap per open socket above a plain one, 32 bits (bytes)", 100),
}


def compiled(interpreter: micropython.Interpreter, folder: Path) -> None:
    """The layer as .mpy, as a board has it."""
    assert interpreter.mpy_cross, "the interpreter was built here, and so has its mpy-cross"
    # The configuration as a board gets it: constants, without the hook that hosts have.
    config = folder / "_config.py"
    values = kconfig.load(kconfig.board_file("UNIX"))
    config.write_text(kconfig.generate(values, "UNIX.conf"))
    for name, source in files.device_files("unix").items():
        if source.name == config.name:
            source = config
        target = folder / Path(name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [interpreter.mpy_cross, "-s", name, "-o", target, source], check=True, timeout=60
        )


def lines(command: list[str | Path], **environment: str) -> dict[str, list[float]]:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=1200,
    )
    if done.returncode:
        raise UsocketError(f"{' '.join(map(str, command))} failed.", "Its output is above.")
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: [float(x) for x in row[1:] if x != "bytes"] for row in rows}


def measure(console: Console) -> dict[str, dict[str, list[float]]]:
    if hasattr(os, "sched_setaffinity"):
        # One core for both ends: where the scheduler puts them would else be what is measured.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    peer = subprocess.Popen(
        [sys.executable, HERE / "peer.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert peer.stdin and peer.stdout
    try:
        port = peer.stdout.readline().strip()
        console.print("measuring on cpython (about half a minute) ...")
        workload = HERE / "workload.py"
        found = {"cpython": lines([sys.executable, workload, ROUNDS, port], PYTHONPATH=str(ROOT))}
        with tempfile.TemporaryDirectory() as folder:
            newest = micropython.find("newest")
            if not newest.mpy_cross:
                newest = micropython.find(newest.version)
            compiled(newest, Path(folder))
            console.print(f"measuring on MicroPython unix {newest.version} ...")
            path = f"{folder}:.frozen"
            found["unix"] = lines([newest.path, workload, ROUNDS, port], MICROPYPATH=path)
            small = micropython.find("newest", "32bit")
            found["unix"].update(lines([small.path, HERE / "heap.py"], MICROPYPATH=path))
    finally:
        peer.stdin.close()
        peer.wait(10)
        peer.stdout.close()
    return found


def measure_board(console: Console) -> dict[str, list[float]]:
    found = {}
    for variant, program in (("standard", "board.py"), ("32bit", "board_heap.py")):
        console.print(f"measuring on the virtual board ({variant}) ...")
        with Board(variant=variant) as board:
            command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
            found.update(lines([*command, HERE / program]))
    return found


def cell(values: list[float] | None, wanted: float | None, at_most: bool) -> str:
    if values is None:
        return ""
    text = (
        f"{values[0]:.0f}" if at_most else f"{values[0]:.2f} ({values[1]:.1f}/{values[2]:.1f} us)"
    )
    if wanted is None:
        return text
    met = values[0] <= wanted if at_most else round(values[0], 2) >= wanted
    return f"{text} {'[green]met[/]' if met else '[red]missed[/]'} {wanted}"


def main() -> int:
    console = Console(width=140)
    try:
        found = measure(console)
        board = measure_board(console)
    except UsocketError as error:
        console.print(f"bench: {error}", markup=False)
        return 1
    table = Table(
        title="layered against plain socket: ratio of medians (plain/layered us per round)"
    )
    for column in ("", "cpython", "unix"):
        table.add_column(column)
    for name, (title, *wanted) in FIGURES.items():
        at_most = name.startswith("heap")
        cells = [
            cell(found[target].get(name), want, at_most)
            for target, want in zip(("cpython", "unix"), wanted)
        ]
        table.add_row(title, *cells)
    console.print(table)
    table = Table(title="the virtual board, the same ratios")
    for column in ("", "vboard"):
        table.add_column(column)
    for name, (title, wanted) in BOARD.items():
        table.add_row(title, cell(board.get(name), wanted, name.startswith("heap")))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
