# SPDX-License-Identifier: MIT
"""`make bench`: the layer against the plain socket beneath it, as a table."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clients
import plots
from rich.console import Console
from rich.table import Table

from usocket_tools import files
from usocket_tools.builds import interpreters
from usocket_tools.errors import UsocketError
from usocket_tools.layer import kconfig
from usocket_tools.vboard.board import Board

HERE = Path(__file__).parent
ROOT = HERE.parent
CERTIFICATES = ROOT / "tests" / "common"  # certs.py
ROUNDS = os.environ.get("USOCKET_BENCH_ROUNDS", "8000")

# name -> (what it says, wanted on cpython, wanted on unix); ratios are at least, bytes at most
FIGURES = {
    "recv_exact": ("Stream.recv_exact(64), against a loop by hand", 0.95, 0.95),
    "recv_line": ("Stream.recv_line, a line at a time, the same", 0.95, 0.95),
    "recv_lines": ("the same, 16 lines at once", 0.95, 0.95),
    "pingpong64_into_vs_into": (
        "64-byte ping-pong, buffer, against readinto/recv_into",
        0.90,
        0.82,
    ),
    "pingpong64_into_vs_recv": ("64-byte ping-pong, buffer, against recv(64)", None, None),
    "pingpong64_bytes_vs_recv": ("64-byte ping-pong, bytes, against recv(64)", None, None),
    "pingpong64_peer": ("64-byte ping-pong, buffer, against chumicro-sockets", None, 1.0),
    "pingpong64_other_process": ("64-byte ping-pong, buffer, with another process", None, None),
    "bulk16k_stream": ("16 KiB bulk, buffer, with another process", None, None),
    "bulk16k_one_thread": ("16 KiB bulk, buffer, both ends in one thread", None, None),
    "connect_accept_close": ("connect, accept, close", 0.88, 0.75),
    "poll64": ("poll of 64 sockets, one ready", 0.90, 0.80),
    "poll64_and_scan": ("the same, and finding it in the list", None, None),
    "heap_per_call": ("heap allocated per recv, send, poll (bytes)", None, 0),
    "tls_handshake": ("TLS: connect, handshake, close, against `ssl`", 0.90, 0.90),
    "tls_bulk16k_down": ("TLS: 16 KiB bulk down, buffer", 0.90, 0.90),
    "tls_bulk16k_up": ("TLS: 16 KiB bulk up", 0.90, 0.90),
    "tls_pingpong64": ("TLS: 64-byte ping-pong, buffer", None, None),
}

# The same of the virtual board, whose plain sockets are lwIP's: name -> (what it says, wanted).
BOARD = {
    "recv_exact": ("Stream.recv_exact(64), against a loop by hand", 0.95),
    "recv_line": ("Stream.recv_line, a line at a time, the same", 0.95),
    "recv_lines": ("the same, 16 lines at once", 0.95),
    "pingpong64_into_vs_into": ("64-byte ping-pong, buffer, against readinto(64)", 1.0),
    "pingpong64_into_vs_recv": ("64-byte ping-pong, buffer, against recv(64)", None),
    "bulk1400": ("1400-byte bulk, buffer", 0.97),
    "connect_accept_close": ("connect, accept, close", 0.75),
    "poll8": ("poll of 8 sockets, one ready", 0.60),
    "heap_per_call": ("heap allocated per recv, send, poll (bytes)", 0),
    "tls_handshake": ("TLS: connect, handshake, close, against `ssl`", 0.90),
    "tls_bulk16k_down": ("TLS: 4 KiB bulk down, buffer", 0.90),
    "tls_bulk16k_up": ("TLS: 4 KiB bulk up", 0.90),
    "tls_pingpong64": ("TLS: 64-byte ping-pong, buffer", None),
}
# An echo server by usocket_compat.aio against one by asyncio's streams on the firmware's socket,
# for clients on the host: name -> (what it says, wanted).
AIO = {
    "aio_1": ("requests a second of 1 client, against streams", 1.2),
    "aio_7": ("the same of 7 clients", 1.2),
}
# Heap that programs keep there, 32 bits, in bytes.
HEAP = {
    "heap_import": ("the import", 8192),
    "heap_socket": ("  then the first socket", None),
    "heap_bind_listen": ("  SO_REUSEADDR, bind, listen", None),
    "heap_connect": ("  a pollfd, connect", None),
    "heap_poll": ("  the first poll", None),
    "heap_data": ("  accept, send, recv", None),
    "heap_end": ("  the peer's end, close", None),
    "heap_tcp_poll": ("a TCP server with poll, everything in use", 26 * 1024),
    "heap_getaddrinfo": ("  then getaddrinfo", None),
    "heap_udp": ("  UDP", None),
    "heap_all": ("all of these", 34 * 1024),
    "heap_udp_client": ("a UDP client alone", None),
    "heap_dns": ("getaddrinfo of a name, asked of a name server, after UDP", None),
    "heap_aiodns": ("aio.getaddrinfo of one, after the rest of aio and UDP", None),
    "heap_wifi": ("wifi.py, after a first socket", None),
    "heap_poller": ("a Poller and a Waker, two fds, after a first poll", None),
    "heap_service": ("a socket service, stepped, after those", None),
    "heap_aio": ("an echo server by aio, asyncio loaded before", None),
    "heap_streams": ("  the same by asyncio's streams on the firmware's socket", None),
    "heap_reads": ("Stream: a line, a count, all of it; after a TCP client and server", None),
    "heap_queue": ("SendQueue, the same", None),
    "heap_dial": ("create_server, create_connection, the same", None),
    "heap_control": ("take_error, peek, the same", None),
    "heap_lazy": ("socket(AF_UNSPEC), the same", None),
    "heap_luastyle": ("luastyle.Tcp, the same", None),
    "heap_errnostyle": ("errnostyle.send, the same", None),
    "heap_per_socket": ("each open socket, above a plain one", 100),
    "smallest": ("smallest heap in which examples/echo.py runs", None),
}
# The drop-in modules against the native ones, in turn: name -> (what it says, wanted on the
# virtual board, wanted on unix); ratios are at least.
DROPIN = {
    "dropin_recv": ("64-byte ping-pong, recv", 0.95, 0.90),
    "dropin_readinto": ("64-byte ping-pong, readinto", 0.95, 0.90),
    "dropin_timeout_recv": ("the same with settimeout(5), recv", 0.85, None),
    "dropin_timeout_readinto": ("the same with settimeout(5), readinto", 0.85, None),
    "dropin_asyncio": ("asyncio echo of 4 clients", 0.97, 0.90),
}
# Heap of an asyncio echo above the native modules', 32 bits, in bytes: at most.
DROPIN_HEAP = 6 * 1024
# What the instructions are counted of: name -> what it says.
COUNTED = {
    "send_recv": "send and recv of 64 bytes, buffer",
    "dontwait": "the same with MSG_DONTWAIT",
    "nothing_there": "recv with MSG_DONTWAIT, EAGAIN",
    "recv_bytes": "send and recv of 64 bytes, bytes",
    "poll": "poll of 2, one ready",
    "connect": "socket, connect, accept, close",
}
MARK = "<!-- `make bench` writes what follows. -->\n\n"
END = "<!-- Until here. -->"
PEER = "chumicro-sockets==0.21.3"  # a library for the same boards, on the package index


def compiled(interpreter: interpreters.Interpreter, folder: Path) -> None:
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
        if source.name == "fast.py":
            shutil.copy(source, target.with_suffix(".py"))  # machine code is made where it runs
            continue
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
    on_core(0)
    with contextlib.ExitStack() as ends:
        port = ends.enter_context(peer("peer.py"))
        secure = ends.enter_context(peer("peer_tls.py"))
        console.print("measuring on cpython (about half a minute) ...")
        workload = HERE / "workload.py"
        library = peer_library()
        paths = f"{ROOT}{os.pathsep}{library}"
        tls, tls_rounds = HERE / "workload_tls.py", str(max(int(ROUNDS) // 5, 20))
        found = {"cpython": lines([sys.executable, workload, ROUNDS, port], PYTHONPATH=paths)}
        paths += f"{os.pathsep}{CERTIFICATES}"
        secured = lines([sys.executable, tls, tls_rounds, secure], PYTHONPATH=paths)
        found["cpython"].update(secured)
        read = HERE / "workload_streams.py"
        found["cpython"].update(lines([sys.executable, read, ROUNDS], PYTHONPATH=paths))
        with tempfile.TemporaryDirectory() as folder:
            newest = interpreters.find("newest")
            if not newest.mpy_cross:
                newest = interpreters.find(newest.version)
            compiled(newest, Path(folder))
            console.print(f"measuring on MicroPython unix {newest.version} ...")
            path = f"{folder}:{library}:.frozen"
            found["unix"] = lines([newest.path, workload, ROUNDS, port], MICROPYPATH=path)
            found["unix"].update(lines([newest.path, read, ROUNDS], MICROPYPATH=path))
            path = f"{CERTIFICATES}:{path}"
            found["unix"].update(lines([newest.path, tls, tls_rounds, secure], MICROPYPATH=path))
    return found


CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


def on_core(which: int) -> None:
    """What starts from here on has one core, the first for both ends of what is measured on hosts.

    Where the scheduler puts them would else be what is measured.
    """
    if CORES:
        os.sched_setaffinity(0, {CORES[which % len(CORES)]})


@contextlib.contextmanager
def machine(**options: Any) -> Iterator[Board]:
    """A board with its network on a core of its own, if there are two: its peer is elsewhere."""
    on_core(1)
    with Board(**options) as board:
        on_core(0)
        yield board


@contextlib.contextmanager
def peer(program: str) -> Iterator[str]:
    """The port of the other end, a process of its own."""
    process = subprocess.Popen(
        [sys.executable, HERE / program],
        env={**os.environ, "PYTHONPATH": str(CERTIFICATES)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def peer_library() -> Path:
    folder = files.cache_dir() / "bench" / PEER
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*command, folder, PEER], check=True, timeout=300)
    return folder


def counted(console: Console) -> dict[str, int]:
    """Instructions a round on MicroPython unix, which repeat exactly."""
    if not shutil.which("valgrind"):
        console.print("valgrind is not installed, so instructions are not counted", markup=False)
        return {}
    console.print("counting instructions ...")
    path = f"{ROOT}:.frozen"

    def count(what: str, times: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        done = subprocess.run(
            [*command, interpreters.find("newest").path, HERE / "counts.py", what, str(times)],
            env={**os.environ, "MICROPYPATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            raise UsocketError(f"counting {what} failed.", done.stdout + done.stderr[-500:])
        return int(found[1])

    return {what: (count(what, 1200) - count(what, 200)) // 1000 for what in COUNTED}


def on_board(board: Board, *program: str | Path, **environment: str) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
    return lines([*command, *program], **environment)


@contextlib.contextmanager
def name_server() -> Iterator[int]:
    """The port of one that has an address of IPv4 for every name."""

    def serve() -> None:
        while True:
            query, addr = s.recvfrom(512)
            if not query:
                return
            start = query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:]
            s.sendto(start + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", addr)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield s.getsockname()[1]
        finally:
            s.sendto(b"", s.getsockname())
            thread.join()


def heap_costs() -> dict[str, list[float]]:
    """Bytes of heap of a board with 32 bits, by program and step."""
    found: dict[str, list[float]] = {}
    with Board(variant="32bit") as board:
        for program in (
            *("server", "udp", "wifi", "poller", "aio", "streams"),
            *("reads", "queue", "dial", "control", "lazy", "luastyle", "errnostyle"),
        ):
            found.update(on_board(board, HERE / "board_heap.py", program))
        with name_server() as port, tempfile.TemporaryDirectory() as folder:
            conf = Path(folder) / "dns.conf"
            conf.write_text(
                kconfig.board_file("ESP32_GENERIC").read_text() + "CONFIG_USOCKET_DNS=y\n"
            )
            for program in ("dns", "aiodns"):
                words = (HERE / "board_heap.py", program, str(port))
                found.update(on_board(board, *words, USOCKET_COMPAT_CONF=str(conf)))
    found["dropin"] = [dropin_heap()]
    return found


def smallest_heap() -> int:
    """Bytes of heap with which the echo example runs, to 1 KiB."""

    def runs(size: int) -> bool:
        with Board(variant="32bit", heap=size) as board:
            command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
            done = subprocess.run(
                [*command, ROOT / "examples" / "echo.py"],
                capture_output=True,
                text=True,
                timeout=120,
            )
            return done.returncode == 0 and "nothing more True" in done.stdout

    fails, fits = 16, 112  # KiB
    while fits - fails > 1:
        middle = (fits + fails) // 2
        if runs(middle * 1024):
            fits = middle
        else:
            fails = middle
    return fits * 1024


def costs(heap: dict[str, list[float]]) -> str:
    """The table of the README, in KB of 1024 bytes."""
    shown = {
        "`import usocket_compat`": heap["heap_import"][0],
        "a TCP server with poll: accept, send, recv, the peer's end": heap["heap_tcp_poll"][0],
        "the same, with getaddrinfo and UDP": heap["heap_all"][0],
        "a UDP client": heap["heap_udp_client"][0],
        "more, with Wi-Fi by `usocket_compat.wifi`": heap["heap_wifi"][0],
        "each open socket, above the firmware's": heap["heap_per_socket"][0],
        "asyncio echo with the drop-in, above the firmware's": heap["dropin"][0],
    }
    rows = [
        f"| {what} | {n / 1024:.1f} KB |" if n > 512 else f"| {what} | {n:.0f} bytes |"
        for what, n in shown.items()
    ]
    return "\n".join(["| a program | keeps of the heap |", "|---|---|", *rows])


def write_costs(heap: dict[str, list[float]]) -> None:
    """Into README, and into what docs/costs.md draws."""
    plots.keep("heap", heap)
    page = ROOT / "README.md"
    before, rest = page.read_text().split(MARK)
    after = rest[rest.index(END) :]
    smallest = heap["smallest"][0] / 1024
    page.write_text(
        f"{before}{MARK}An ESP32 has 112 KB of heap; these figures are of a board with 32 bits, as"
        f" `usocket deploy` brings the layer.\n\n{costs(heap)}\n\n`examples/echo.py`, both ends in"
        f" one program, runs in a heap of {smallest:.0f} KB.\n\n{after}"
    )


def measure_board(console: Console) -> dict[str, list[float]]:
    console.print("measuring on the virtual board (standard) ...")
    with machine(variant="standard") as board:
        found = on_board(board, HERE / "board.py") | on_board(board, HERE / "workload_streams.py")
    # Two connections at a time; the other end is a process of the host.
    sys.path.append(str(CERTIFICATES))
    authority = importlib.import_module("certs").CA
    with peer("peer_tls.py") as port, machine(variant="standard", tls_memory=120000) as board:
        words = (HERE / "workload_tls.py", "200", port, "10.0.2.2", authority.hex())
        found.update(on_board(board, *words))
    return found


def measure_aio(console: Console) -> dict[str, list[float]]:
    console.print("measuring asyncio on the virtual board (standard) ...")
    with machine(variant="standard", forward=["0:8001", "0:8002"]) as board:
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
        server = subprocess.Popen(
            [*command, HERE / "board_aio.py"], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout
        try:
            if server.stdout.readline() != "ready\n":
                raise UsocketError("bench/board_aio.py failed.", "Its output is above.")
            streams, aio = board.host_ports()
            found = {f"aio_{n}": clients.compare(streams, aio, n) for n in (1, 7)}
            clients.end(streams)
            server.wait(10)
        finally:
            server.kill()
            server.stdout.close()
    return found


def on_dropin(board: Board, *program: str | Path) -> dict[str, list[float]]:
    """The same with the drop-in modules, as `usocket deploy` brings them."""
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "dropin.conf"
        conf.write_text(
            kconfig.board_file("ESP32_GENERIC").read_text() + "CONFIG_USOCKET_DROPIN=y\n"
        )
        return on_board(board, *program, USOCKET_COMPAT_CONF=str(conf))


def measure_dropin(console: Console) -> dict[str, dict[str, list[float]]]:
    console.print("measuring the drop-in modules ...")
    with Board(variant="standard") as board:
        found = {"vboard": on_dropin(board, HERE / "dropin.py")}
    path = f"{ROOT / 'dropin'}:{ROOT}:.frozen"
    newest = interpreters.find("newest")
    found["unix"] = lines([newest.path, HERE / "dropin.py", "2000"], MICROPYPATH=path)
    return found


def dropin_heap() -> float:
    """Bytes of heap of an asyncio echo with the drop-in above those with the native modules."""
    program = HERE / "board_dropin_heap.py"
    with Board(variant="32bit") as board:
        # The least of three: a word on the stack that looks like an address keeps some garbage.
        native = [on_board(board, program, "native")["native"][0] for _ in range(3)]
        ours = [on_dropin(board, program, "dropin")["dropin"][0] for _ in range(3)]
    return min(ours) - min(native)


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
        board.update(measure_aio(console))
        console.print("measuring heap on the virtual board (32bit) ...")
        heap = heap_costs()
        heap["smallest"] = [smallest_heap()]
        write_costs(heap)
        for target, values in {**found, "vboard": board}.items():
            plots.keep(target, values)
        dropin = measure_dropin(console)
        counts = counted(console)
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
    for name, (title, most) in {**BOARD, **AIO}.items():
        table.add_row(title, cell(board.get(name), most, name.startswith("heap")))
    console.print(table)
    table = Table(title="the drop-in modules against the native ones, the same ratios")
    for column in ("", "vboard", "unix"):
        table.add_column(column)
    for name, (title, *limits) in DROPIN.items():
        cells = [
            cell(dropin[target].get(name), limit, False)
            for target, limit in zip(("vboard", "unix"), limits)
        ]
        table.add_row(title, *cells)
    row = "asyncio echo: heap above the native modules' (bytes)"
    table.add_row(row, cell(heap["dropin"], DROPIN_HEAP, True), "")
    console.print(table)
    table = Table(title="heap that programs keep there, 32 bits (bytes)")
    for column in ("", "vboard"):
        table.add_column(column)
    for name, (title, most) in HEAP.items():
        table.add_row(title, cell(heap.get(name), most, True))
    console.print(table)
    if counts:
        table = Table(title="instructions a round, MicroPython unix, kernel not counted")
        for column in ("", "unix"):
            table.add_column(column)
        for name, title in COUNTED.items():
            table.add_row(title, str(counts[name]))
        console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
