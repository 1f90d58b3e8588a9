# SPDX-License-Identifier: MIT
"""`usocket deploy`: what is on the board after it, and after it was interrupted at any moment."""

from __future__ import annotations

import ast
import multiprocessing
import os
import pty
import random
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest
from test_serial import Bridge

from usocket_tools import deploy, files, install, micropython, romfs
from usocket_tools.device import Device
from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 60
INTERRUPTIONS = 50  # of each kind
BOARDS = 5  # at once
# How long the board may go on before what interrupts it: it has done the last piece of code then.
GRACE = 0.02

SETTINGS = {"many": "CONFIG_ZVFS_OPEN_MAX=11\n", "few": "CONFIG_ZVFS_OPEN_MAX=5\n"}


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


@pytest.fixture(scope="module")
def confs(tmp_path_factory) -> dict[str, Path]:
    """Two versions of the layer: configurations of it."""
    folder = tmp_path_factory.mktemp("confs")
    found = {name: folder / f"{name}.conf" for name in SETTINGS}
    for name, file in found.items():
        file.write_text(SETTINGS[name])
    return found


def usocket(*args: object, conf: Optional[Path] = None) -> subprocess.CompletedProcess:
    with started(*args, conf=conf) as process:
        out, err = process.communicate(timeout=SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def started(*args: object, conf: Optional[Path] = None) -> subprocess.Popen:
    environment = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
    if conf:
        environment["USOCKET_COMPAT_CONF"] = str(conf)
    pipe = subprocess.PIPE
    command = [*USOCKET, *map(str, args)]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def digests(version: deploy.Version) -> dict[str, str]:
    return {name: deploy.sha256(content) for name, content in version.files}


def sources(device: Device, conf: Path, tmp_path: Path) -> dict[str, bytes]:
    """The flat package that mip installs."""
    chosen = deploy.configuration(deploy.ask(device).board, conf)
    found = deploy.sources("esp32", chosen, tmp_path)
    return {n.partition("/")[2]: file.read_bytes() for n, file in found.items()}


@pytest.fixture
def device(board: Board) -> Iterator[Device]:
    """A board without the layer."""
    with Device(board.device) as device:
        device.fresh()
        install.remove(device)
        yield device


# -- one after the other ----------------------------------------------------------------------


def test_what_is_sent(board: Board, confs: dict[str, Path]) -> None:
    """All of it, nothing, what differs, nothing at all."""
    said = []
    for conf in ("many", "many", "few"):
        done = usocket("deploy", "--device", board.device, conf=confs[conf])
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout)
    with Device(board.device) as device:
        device.fresh()
        version = deploy.version(deploy.ask(device), confs["few"])
        answer = ast.literal_eval(device.exec(IMPORT))
    total = len(version.files)
    first, again, other = said
    assert first.endswith(f"is on the board: {total} files, {total} sent, 0 copied there\n")
    assert again.endswith("was on the board already\n")
    assert other.endswith(
        f"({version.name}) is on the board: {total} files, 2 sent, {total - 2} copied there\n"
    )
    assert answer == (f"{deploy.LAYER}/{version.name}", 5)
    for expected in ("removed", "not on the board"):
        done = usocket("deploy", "--device", board.device, "--remove")
        assert done.stdout == f"{board.device}: the layer is {expected}\n"
    with Device(board.device) as device:
        device.fresh()
        assert device.exec(IMPORT) == "None\r\n"
        assert deploy.listing(device, "/lib") == {}


def test_several_boards(board: Board) -> None:
    with Board() as other:
        both = [board.device, other.device]
        done = usocket("deploy", *(f"--device={name}" for name in both))
        assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == both
        for name in both:
            with Device(name) as device:
                device.fresh()
                assert "usocket_compat" in device.exec(IMPORT)


def test_run_brings_the_same(board: Board, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import usocket_compat as net\nprint(net.__path__)\n")
    done = usocket("run", "--device", board.device, program)
    again = usocket("deploy", "--device", board.device)
    assert done.stdout.rpartition("/")[2].strip() in again.stdout
    assert "already" in again.stdout


def test_after_mip(device: Device, tmp_path: Path, confs: dict[str, Path]) -> None:
    """A flat package of .py, which the first import would find, makes room for the other."""
    deploy.sync(device, deploy.LAYER, sources(device, confs["many"], tmp_path))
    assert ast.literal_eval(device.exec(IMPORT)) == (deploy.LAYER, 11)
    version = deploy.version(deploy.ask(device), confs["few"])
    install.install(device, version)
    device.fresh()
    assert ast.literal_eval(device.exec(IMPORT)) == (f"{deploy.LAYER}/{version.name}", 5)
    assert deploy.listing(device, deploy.LAYER) == digests(version)


def test_without_mpy_cross(
    device: Device, confs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As .py, over the .mpy of before, and back."""
    facts = deploy.ask(device)
    compiled = deploy.version(facts, confs["many"])
    monkeypatch.setattr(deploy, "mpy_cross", lambda version: None)
    deploy._layer.cache_clear()
    plain = deploy.version(facts, confs["few"])
    assert plain.init == "__init__.py"
    for version, most in ((compiled, 11), (plain, 5), (compiled, 11)):
        install.install(device, version)
        device.fresh()
        assert ast.literal_eval(device.exec(IMPORT)) == (f"{deploy.LAYER}/{version.name}", most)
        assert deploy.listing(device, deploy.LAYER) == digests(version)
    deploy._layer.cache_clear()


def test_line_numbers(device: Device) -> None:
    """The line that names the folder takes the place of another."""
    install.install(device, deploy.version(deploy.ask(device)))
    with pytest.raises(UsocketError, match="AttributeError"):
        device.exec("import usocket_compat as n\nn.nothing")
    said = device.exec(
        "import sys, io\no = io.StringIO()\ntry: n.nothing\n"
        "except AttributeError as e: sys.print_exception(e, o)\nprint(o.getvalue())"
    )
    number = int(said.split('usocket_compat/__init__.py", line ')[1].split(",")[0])
    line = (files.PACKAGE / "__init__.py").read_text().splitlines()[number - 1]
    assert line.strip() == "raise AttributeError(name)"


def test_no_cost_in_heap(device: Device) -> None:
    """Beside a flat package of the same files."""
    facts = deploy.ask(device)
    measure = (
        "import gc\ngc.collect()\nm = gc.mem_alloc()\nimport usocket_compat as n\n"
        "n.zsock_close(n.zsock_socket())\ngc.collect()\nprint(gc.mem_alloc() - m)"
    )
    deploy.sync(device, deploy.LAYER, deploy.layer(facts))
    flat = int(device.exec(measure))
    install.install(device, deploy.version(facts))
    device.fresh()
    cost = int(device.exec(measure)) - flat
    loaded = int(device.exec("import sys\nprint(sum('usocket' in m for m in sys.modules))"))
    # The version's name, in the name of each file that is loaded.
    assert cost <= 16 * loaded


def test_damage_is_repaired(device: Device) -> None:
    version = deploy.version(deploy.ask(device))
    install.install(device, version)
    deploy.write(device, f"{deploy.LAYER}/{version.name}/zsock.mpy", b"M")
    deploy.write(device, f"{deploy.LAYER}/{version.name}/more.mpy", b"M")
    deploy.write(device, f"{deploy.LAYER}/something/else", b"x")
    assert install.install(device, version) == (2, 0, True)
    assert deploy.listing(device, deploy.LAYER) == digests(version)


def test_what_is_written_wrongly(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before stays."""
    facts = deploy.ask(device)
    first = deploy.version(facts)
    install.install(device, first)
    second = first._replace(
        name="01234567",
        files=tuple((n.replace(first.name, "01234567"), c + b"x") for n, c in first.files),
    )
    monkeypatch.setattr(install, "write", lambda d, path, content, sent: deploy.write(
        d, path, content[:-1] + b"y" if path.endswith("zio.mpy") else content, sent
    ))  # fmt: skip
    with pytest.raises(UsocketError, match="does not hold what was written to it: .*/zio.mpy"):
        install.install(device, second)
    device.fresh()
    assert ast.literal_eval(device.exec(IMPORT))[0] == f"{deploy.LAYER}/{first.name}"


def test_no_room(board: Board, confs: dict[str, Path]) -> None:
    """The version before stays, and what did not fit goes."""
    assert usocket("deploy", "--device", board.device, conf=confs["many"]).returncode == 0
    with Device(board.device) as again:
        again.fresh()
        version = deploy.version(deploy.ask(again), confs["many"])
        again.exec(
            "import os\ns = os.statvfs('/')\nf = open('/filler', 'wb')\n"
            "k = bytes(s[0])\nfor i in range(s[3] - 12): f.write(k)\nf.close()"
        )
    done = usocket("deploy", "--device", board.device, conf=confs["few"])
    assert done.returncode == 1
    wrong, hint = done.stderr.splitlines()
    assert "file system is full" in wrong and "mpremote" in hint
    with Device(board.device) as again:
        again.fresh()
        assert ast.literal_eval(again.exec(IMPORT)) == (f"{deploy.LAYER}/{version.name}", 11)
        assert deploy.listing(again, deploy.LAYER) == digests(version)
        again.exec("import os; os.remove('/filler')")


def test_only_what_is_needed(device: Device, tmp_path: Path) -> None:
    """What the configuration does without is not there, and what is left works."""
    conf = tmp_path / "small.conf"
    version = deploy.version(deploy.ask(device))
    assert not [name for name, _ in version.files if "nothreads" in name]
    assert [name for name, _ in version.files if "memory" in name]
    conf.write_text("CONFIG_NET_SOCKETPAIR=n\nCONFIG_USOCKET_THREADS=n\n")
    version = deploy.version(deploy.ask(device), conf)
    assert [name for name, _ in version.files if "nothreads" in name]
    assert not [name for name, _ in version.files if "memory" in name]
    install.install(device, version)
    device.fresh()
    assert device.exec(
        "import usocket_compat as n\nprint(n.capabilities()['socketpair'])\n"
        "try: n.zsock_socketpair()\nexcept OSError as e: print(e.errno == n.errno.EOPNOTSUPP)"
    ).split() == ["False", "True"]


def test_progress(board: Board) -> None:
    usocket("deploy", "--device", board.device, "--remove")
    ours, theirs = pty.openpty()
    command = [*USOCKET, "deploy", "--device", board.device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 1000)
            except OSError:
                break
    os.close(ours)
    assert process.returncode == 0
    assert f"writing to {board.device}".encode() in shown


# -- other forms ------------------------------------------------------------------------------

# A ROMFS partition as an ESP32's firmware gives it, which the virtual board has not.
ROM = """
import sys, vfs
class Rom:
    def ioctl(self, op, block):
        if op == 6:
            self.writeblocks(block, bytes([255]) * 4096)
        return {4: 32, 5: 4096}.get(op, 0)
    def at(self, block):
        f = open('/rom.img', 'r+b')
        f.seek(block * 4096)
        return f
    def writeblocks(self, block, data):
        with self.at(block) as f:
            f.write(data)
    def readblocks(self, block, data):
        with self.at(block) as f:
            f.readinto(data)
class Fake:
    umount = vfs.umount
    def rom_ioctl(op, *more):
        return 1 if op == 1 else Rom()
sys.modules['vfs'] = Fake
"""
MOUNT = """
import sys, vfs
with open(sys.argv[1], 'rb') as f:
    vfs.mount(vfs.VfsRom(f.read()), '/rom')
sys.path.insert(0, '/rom/lib')
import usocket_compat as n
print(n.__path__)
with open('/rom/lib/usocket_compat/port/esp32/stream.mpy', 'rb') as f:
    print(len(f.read()))
"""


def test_romfs(device: Device, tmp_path: Path) -> None:
    """What was written is what the real VfsRom mounts; half of it is nothing."""
    layer = deploy.layer(deploy.ask(device))
    image = romfs.image(layer)
    device.exec("with open('/rom.img', 'wb') as f:\n for i in range(32): f.write(bytes(4096))")
    device.exec(ROM)

    class Unplugged(Exception):
        pass

    def unplug(count: int, total: int) -> None:
        if count > total / 2:
            raise Unplugged

    assert romfs.write(device, image, lambda count, total: None)
    assert not romfs.write(device, image, lambda count, total: None), "it is there"
    content = bytes(device.transport.fs_readfile("/rom.img"))
    assert content[: len(image)] == image
    file = tmp_path / "image"
    file.write_bytes(content)
    program = tmp_path / "mount.py"
    program.write_text(MOUNT)
    interpreter = micropython.find("newest").path
    done = subprocess.run([interpreter, program, file], capture_output=True, text=True)
    size = len(layer["port/esp32/stream.mpy"])
    assert done.stdout.split() == ["/rom/lib/usocket_compat", str(size)], done
    with pytest.raises(Unplugged):
        romfs.write(device, romfs.image({**layer, "x.mpy": bytes(4000)}), unplug)
    assert not bytes(device.transport.fs_readfile("/rom.img")).startswith(image[:3])
    with pytest.raises(UsocketError, match="has 140000 bytes, the ROMFS of .* 131072"):
        romfs.write(device, bytes(140_000), unplug)
    device.exec("import os; os.mkdir('/rom'); f = open('/rom/main.py', 'w'); f.close()")
    with pytest.raises(UsocketError, match="holds more, .*: /rom/main.py"):
        romfs.write(device, image, unplug)
    device.exec("os.remove('/rom/main.py'); os.rmdir('/rom'); os.remove('/rom.img')")


LIST = """
import sys
sys.path.insert(0, sys.argv[1] + "/tools")
import manifestfile
variables = {"MPY_DIR": sys.argv[1], "MPY_LIB_DIR": ""}
found = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, variables)
found.execute(sys.argv[2])
for file in found.files():
    print(file.target_path, file.full_path)
"""


def test_manifest(tmp_path: Path) -> None:
    """MicroPython's own reader of manifests takes from it what the board needs."""
    folder = tmp_path / "frozen"
    for board in ("ESP32_GENERIC_S3", "ESP32_GENERIC"):
        done = usocket("deploy", "--board", board, "--manifest", folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"FROZEN_MANIFEST={folder}/manifest.py" in done.stdout
    source = micropython.tree(micropython.source("newest"), tmp_path / "src")
    command = [sys.executable, "-c", LIST, str(source), str(folder / "manifest.py")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = dict(line.split(" ") for line in listed.splitlines())
    chosen = deploy.configuration("ESP32_GENERIC")
    wanted = deploy.sources("esp32", chosen, tmp_path)
    assert found.keys() == wanted.keys()
    for name, path in found.items():
        assert Path(path).read_bytes() == wanted[name].read_bytes()
    assert "ESP32_GENERIC.conf" in (folder / "usocket_compat/_config.py").read_text()


# -- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "no board is plugged in"),
        (["--device", "/dev/nothing"], "there is no device /dev/nothing"),
        (["--device", "BOARD", "--romfs"], "the firmware of BOARD has no ROMFS"),
        (["--device", "BOARD", "--board", "UNIX"], "--board is for --manifest"),
        (["--manifest", "FOLDER"], "--manifest is for one board"),
        (["--manifest", "FOLDER", "--board", "TOASTER"], "there is no board 'TOASTER'"),
        (["--manifest", "FOLDER", "--board", "UNIX"], "FOLDER is there already"),
    ],
)
def test_mistakes(board: Board, tmp_path: Path, args: list[str], message: str) -> None:
    (tmp_path / "something").touch()
    names = {"BOARD": board.device, "FOLDER": str(tmp_path)}
    done = usocket("deploy", *(names.get(arg, arg) for arg in args))
    for name, value in names.items():
        message = message.replace(name, value)
    assert (done.returncode, done.stdout) == (1, "")
    wrong, hint = done.stderr.splitlines()
    assert wrong.startswith("usocket: " + message) and hint


def test_another_goes_first(board: Board) -> None:
    """What the board would import instead is named."""
    with Device(board.device) as device:
        device.fresh()
        deploy.write(device, "/usocket_compat/__init__.py", b"def zsock_socket(): pass\n")
    done = usocket("deploy", "--device", board.device)
    with Device(board.device) as device:
        device.fresh()
        deploy.sync(device, "/usocket_compat", {})
        device.exec("import os; os.rmdir('/usocket_compat')")
    assert done.returncode == 1
    wrong, hint = done.stderr.splitlines()
    assert "does not import what was deployed: it finds usocket_compat first" in wrong
    assert "mpremote fs rm" in hint


def test_taken_board(board: Board) -> None:
    with Device(board.device):
        done = usocket("deploy", "--device", board.device)
    assert done.stderr.startswith(f"usocket: {board.device} is in use by another program\n")


def test_help() -> None:
    done = usocket("deploy", "--help")
    assert done.returncode == 0
    for word in ("--device", "--remove", "--romfs", "--manifest", "--board", "rfc2217://"):
        assert word in done.stdout


# -- interrupted ------------------------------------------------------------------------------

IMPORT = """
def attempt():
    try:
        import usocket_compat as n
    except ImportError:
        return None
    from usocket_compat import _config
    n.zsock_close(n.zsock_socket())
    return n.__path__, _config.ZVFS_OPEN_MAX
print(attempt())
"""


class Known:
    """The states that are whole: name -> the files of it, ZVFS_OPEN_MAX, the package's path."""

    def __init__(self, device: Device, confs: dict[str, Path], tmp_path: Path):
        facts = deploy.ask(device)
        self.states = {}
        for name, conf in confs.items():
            version = deploy.version(facts, conf)
            path = f"{deploy.LAYER}/{version.name}"
            self.states[name] = (digests(version), int(SETTINGS[name].split("=")[1]), path)
        self.flat = sources(device, confs["many"], tmp_path)
        flat = {name: deploy.sha256(content) for name, content in self.flat.items()}
        self.states["flat"] = (flat, 11, deploy.LAYER)

    def find(self, board: Board) -> str:
        """Boot the board, and see which state it is in."""
        board.control("reset")
        with Device(board.device) as device:
            device.fresh()
            answer = ast.literal_eval(device.exec(IMPORT))
            there = deploy.listing(device, deploy.LAYER)
        if answer is None:
            return "none"
        for name, (wanted, most, path) in self.states.items():
            if answer == (path, most):
                assert wanted.items() <= there.items(), f"{name} is not whole"
                folder = path[len(deploy.LAYER) + 1 :]
                if folder:
                    others = [n for n in there if n.startswith(folder) and n not in wanted]
                    assert not others, "it has more files than it should"
                return name
        raise AssertionError(f"the board has none of the versions: {answer}")


class Line:
    """The board's side of a bridge: after so many bytes to the board something happens."""

    def __init__(self, line, limit: int, act: Callable[[], object], grace: float):
        self._line = line
        self._limit = limit
        self._act = act
        self._grace = grace
        self.count = 0

    def write(self, data: bytes) -> None:
        before, after = self.count, self.count + len(data)
        self.count = after
        if before <= self._limit < after:
            self._line.write(data[: self._limit - before])
            timer = threading.Timer(self._grace, self._act)
            timer.start()
            self._line.write(data[self._limit - before :])
            timer.join()
        else:
            self._line.write(data)

    def __getattr__(self, name: str):
        return getattr(self._line, name)


class Trap(Bridge):
    def __init__(self, device: str, limit: int, act: Callable[[], object], grace: float):
        super().__init__(device, "socket")
        self.line = self._line = Line(self._line, limit, act, grace)


def attempt(
    board: Board, after: str, confs: dict[str, Path], limit: int, grace: float, how: str
) -> tuple[int, str, int]:
    """Deploy that, interrupted after `limit` bytes; how it ended, how many bytes it sent."""
    words = ["--remove"] if after == "none" else []
    process: list[subprocess.Popen] = []

    def act() -> None:
        process[0].kill() if how == "kill" else board.control("reset")

    with Trap(board.device, limit, act, grace) as trap:
        with started("deploy", "--device", trap.url, *words, conf=confs.get(after)) as running:
            process.append(running)
            _, errors = running.communicate(timeout=SECONDS)
    return running.returncode, errors, trap.line.count


def interrupt(how: str, number: int, confs: dict[str, Path], folder: Path) -> list[str]:
    """INTERRUPTIONS / BOARDS times on a board of its own; where it ended each time."""
    chance = random.Random(f"{how} {number}")
    ends = []
    with Board() as board:
        with Device(board.device) as device:
            device.fresh()
            known = Known(device, confs, folder)
        # Bytes that each kind of change takes.
        costs = {}
        for before, after in (("none", "few"), ("few", "many"), ("many", "none")):
            status, errors, cost = attempt(board, after, confs, 1 << 40, 0, how)
            assert status == 0, errors
            assert known.find(board) == after
            costs[before == "none", after == "none"] = cost
        for step in range(INTERRUPTIONS // BOARDS):
            before = known.find(board)
            if step % 5 == 4:
                with Device(board.device) as device:
                    device.fresh()
                    deploy.sync(device, deploy.LAYER, known.flat)
                before = "flat"
            after = chance.choice([n for n in ("few", "many", "none") if n != before])
            limit = chance.randrange(costs[before == "none", after == "none"])
            grace = chance.choice([0, chance.uniform(0, GRACE)])
            status, errors, _ = attempt(board, after, confs, limit, grace, how)
            found = known.find(board)
            assert found in (before, after), (step, before, after, limit)
            ends.append("after" if found == after else "before")
            if how == "reset" and status:
                assert "Traceback" not in errors
                wrong, hint = errors.splitlines()
                assert wrong.startswith("usocket: ") and hint
        # Whatever lies about now is no obstacle.
        assert attempt(board, "few", confs, 1 << 40, 0, how)[0] == 0
        assert known.find(board) == "few"
        with Device(board.device) as device:
            device.fresh()
            assert deploy.listing(device, "/lib").keys() == {
                "usocket_compat/" + name for name in known.states["few"][0]
            }
    return ends


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["kill", "reset"])
def test_interrupted(confs: dict[str, Path], tmp_path_factory, how: str) -> None:
    # Not threads: what one of them starts would hold the other boards' lines for a moment.
    with ProcessPoolExecutor(BOARDS, multiprocessing.get_context("spawn")) as pool:
        runs = [
            pool.submit(interrupt, how, number, confs, tmp_path_factory.mktemp("flat"))
            for number in range(BOARDS)
        ]
        ends = [end for run in runs for end in run.result()]
    assert len(ends) == INTERRUPTIONS
    assert set(ends) == {"before", "after"}, "some come early, some late"
