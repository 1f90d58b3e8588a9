"""What an HTTPS GET costs of a board's memory: of its heap, and of what TLS takes elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import placed
import pytest

for part in ("libs", "peers"):
    sys.path.append(str(placed.ROOT / "tests" / part))

from certificates import Certificates  # noqa: E402
from tls_servers import nginx, now, site  # noqa: E402

from usocket_tools.boards import filesystem, identity  # noqa: E402
from usocket_tools.boards.device import Device, Execution  # noqa: E402
from usocket_tools.layer import compiling  # noqa: E402
from usocket_tools.vboard.board import Board  # noqa: E402

PROGRAM = Path(__file__).parent / "programs" / "https_get.py"
MODULES = ("native", "dropin")
# Bytes that TLS may cost above what a GET without it costs, more than it does there with the
# firmware's own socket.
MORE = 512
# The heap, in KiB, in which a GET works, little more than the least that MicroPython starts with
# (with the layer it takes 32); and what TLS needs besides, where 20 are not enough.
HEAP = 17
TLS = {"server": 28, "rsa": 30}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return site(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def servers(made: Certificates) -> Iterator[dict[str, int]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(nginx(made, name)) for name in ("server", "rsa")}


@pytest.fixture(scope="module")
def flashes(made: Certificates, tmp_path_factory) -> dict[str, Path]:
    """The flash of a board with the program, with and without the drop-in."""
    made.der("ca")
    found = {}
    for modules in MODULES:
        found[modules] = tmp_path_factory.mktemp("flash") / modules
        with Board(variant="32bit", flash=found[modules]) as board:
            if modules == "dropin":
                placed.on_board(board.device)
            with Device(board.device) as device:
                device.fresh()
                compiler = compiling.Compiler(identity.ask(device))
                content = compiler.compile(PROGRAM, "https_get.py")
                filesystem.write(device, f"/lib/https_get{compiler.suffix}", content)
                filesystem.write(device, "/ca.der", (made.folder / "ca.der").read_bytes())
    return found


def get(board: Board, port: int, tls: bool, first: str = "") -> str:
    time = f"({now()})" if tls else None
    code = f"{first}\nimport https_get; https_get.get({Board.host!r}, {port}, {tls}, {time})"
    with Device(board.device) as device:
        device.fresh()
        execution = Execution(device, code)
        said = b""
        while not execution.done:
            data = execution.read(20)
            said += data
            if not data and not execution.done:
                said += b"hung: " + execution.interrupt()
    return (said.decode() + execution.error).strip()


def test_heap_above_the_native_socket(flashes, servers, plain_nginx) -> None:
    held = {}
    for modules in MODULES:
        with Board(variant="32bit", flash=flashes[modules]) as board:
            for tls, port in ((False, plain_nginx), (True, servers["server"])):
                status, count, heap = get(board, port, tls).split()
                assert (status, count) == ("200", "1234")
                held[modules, tls] = int(heap)
    more = {modules: held[modules, True] - held[modules, False] for modules in MODULES}
    print("held:", held, "for TLS:", more)
    assert more["dropin"] <= more["native"] + MORE, held


@pytest.fixture(scope="module")
def plain_nginx(made: Certificates) -> Iterator[int]:
    with nginx(made, "server", tls="") as port:
        yield port


@pytest.mark.parametrize("modules", MODULES)
def test_smallest_heap(flashes, servers, modules: str) -> None:
    with Board(variant="32bit", flash=flashes[modules], heap=HEAP * 1024) as board:
        assert get(board, servers["server"], True).startswith("200 1234 ")


@pytest.mark.parametrize("name", TLS)
def test_memory_for_tls(flashes, servers, name: str) -> None:
    """None but the option's: the heap has grown as far as it does."""
    heap = 56 * 1024
    for kib, works in ((TLS[name], True), (20, False)):
        options = {"heap": heap, "tls_memory": kib * 1024}
        with Board(variant="32bit", flash=flashes["native"], **options) as board:
            said = get(board, servers[name], True)
            assert said.startswith("200 1234 ") if works else "ENOMEM" in said, (kib, said)


def test_one_memory(flashes, servers) -> None:
    """What Python's heap has grown into TLS does not find, as on a board (gccollect.c)."""
    with Board(variant="32bit", flash=flashes["native"], tls_memory=0) as board:
        assert get(board, servers["server"], True).startswith("200 1234 ")
        said = get(board, servers["server"], True, "grown = [bytearray(1000) for _ in range(70)]")
        # Not even for a context: of entropy, MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED.
        assert said.endswith("OSError: 52"), said
