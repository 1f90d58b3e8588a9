"""The rules that keep the on-device code small and one-directional."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import port as port_interface
from usocket_tools import micropython
from usocket_tools.files import device_files, ports

ROOT = Path(__file__).resolve().parents[2]
FILE_MOST = 400  # lines of a file
CORE_MOST = 1000  # lines above the port that a program with a TCP socket loads
HEAP = "64k"  # of the 64-bit interpreter, that such a program fits into
CORE = "import usocket_compat as net; net.zsock_close(net.zsock_socket())"


def device_sources() -> dict[str, Path]:
    return {name: file for port in ports() for name, file in device_files(port).items()}


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_files_are_small():
    sizes = {name: lines(file) for name, file in device_sources().items()}
    assert {name: n for name, n in sizes.items() if n > FILE_MOST} == {}


def test_core_is_small():
    program = CORE + (
        "; import sys; print([m.__file__ for name, m in sys.modules.items()"
        " if name.startswith('usocket_compat') and 'port' not in name.split('.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {file: lines(Path(file)) for file in ast.literal_eval(done.stdout)}
    assert sum(loaded.values()) <= CORE_MOST, loaded


def test_core_fits_a_small_heap(tmp_path):
    interpreter = micropython.find("newest")
    if not interpreter.mpy_cross:
        pytest.skip("this MicroPython has no mpy-cross beside it")
    for name, file in device_files("unix").items():
        if file.name == "cpython.py":
            continue  # for another interpreter
        compiled = (tmp_path / name).with_suffix(".mpy")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([interpreter.mpy_cross, file, "-o", compiled], check=True)
    done = subprocess.run(
        [interpreter.path, "-X", f"heapsize={HEAP}", "-c", CORE],
        cwd=tmp_path,
        env={"MICROPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def imported(file: Path) -> set[str]:
    """Modules that the file imports, relative ones with their dots."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {base + "." * bool(node.module) + alias.name for alias in node.names} | {base}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "__import__":
            found.add(ast.unparse(node.args[0]).strip("'\""))
    return found


def test_ports_know_nothing_of_the_layer():
    for name, file in device_sources().items():
        if name.startswith("usocket_compat/port/"):
            above = {m for m in imported(file) if re.match(r"usocket_compat|\.\.", m)}
            if "usocket_compat._config" in above:
                above -= {"usocket_compat._config", "usocket_compat"}  # constants, above nothing
            assert not above, f"{name} imports {above}"


def test_one_file_finds_the_port():
    for name, file in device_sources().items():
        if not name.startswith("usocket_compat/port/") and name != "usocket_compat/_port.py":
            found = {m for m in imported(file) if re.search(r"\bport\b", m)}
            assert not found, f"{name} imports {found}"


def test_one_file_asks_for_the_platform():
    asking = [n for n, file in device_sources().items() if "sys.platform" in file.read_text()]
    assert asking == ["usocket_compat/port/__init__.py"]


def test_table_stands_alone():
    """fdtable.py knows of sockets as little as can be, and calls nothing of a port."""
    assert imported(ROOT / "usocket_compat/fdtable.py") <= {
        *(".", "._config", "._port", ".errno", "._port.allocate_lock", "._port.load"),
        *("_thread", "_thread.allocate_lock"),
    }


def documented() -> set[str]:
    """Names in port/__init__.py that have a comment beside them."""
    return set(re.findall(r'^    "(\w+)",  # \S', (ROOT / "port/__init__.py").read_text(), re.M))


def test_operations_are_documented():
    assert documented() == {*port_interface.OPS, *port_interface.NEEDED}


def asked_of_port(file: Path) -> set[str]:
    """Names that the file takes from the port, which the layer calls p."""
    asked = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute):
            if re.fullmatch(r"p|zio\.p|(_port\.)?(load|start)\(\)", ast.unparse(node.value)):
                asked.add(node.attr)
        elif isinstance(node, ast.Call):
            # op("shutdown"), getattr(p, "waiter", None)
            called = re.match(r"op\('(\w+)'\)|\w+attr\((?:zio\.)?p, '(\w+)'", ast.unparse(node))
            asked |= {name for name in (called.groups() if called else ()) if name}
    return asked


def test_no_other_operations_are_used():
    how_to = (ROOT / "docs/adding-a-port.md").read_text()
    known = documented() | {"numbers"} | set(re.findall(r"`(\w+)\(", how_to))
    asked = {
        name: asked_of_port(file) - known
        for name, file in device_sources().items()
        if not name.startswith("usocket_compat/port/")
    }
    assert {name: names for name, names in asked.items() if names} == {}


@pytest.mark.parametrize("name", ["cpython", "libc", "native"])
def test_ports_have_what_is_needed(name):
    tree = ast.parse((ROOT / "port/unix" / f"{name}.py").read_text())
    has = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            has.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            has |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            has |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    assert set(port_interface.NEEDED) <= has


def constants(file: Path) -> dict[str, int]:
    """Names of the form _X = const(...), which only this file has."""
    found: dict[str, int] = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("const("):
            value = ast.unparse(node.value.args[0])
            found[node.targets[0].id] = eval(value, {}, dict(found))
    return found


STATES = "NEW PENDING LISTEN DEAD EOF HELD DGRAM GONE BLOCKS FAILED".split()


def test_constants_of_the_esp32_port_agree():
    """Each file says them again, since they cost no heap that way."""
    tree = ast.parse((ROOT / "port/esp32/numbers.py").read_text())
    lines = next(
        ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
    )
    numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", " ".join(lines))}
    text = (ROOT / "port/esp32/__init__.py").read_text()
    again = re.search(r"_NAMES = \((.*?)\)\n", text, re.DOTALL)
    assert (
        again
        and dict(re.findall(r"(\w+)=(\d+)", again[1])).items()
        <= {name: str(value) for name, value in numbers.items()}.items()
    )
    wanted = {name: 1 << bit for bit, name in enumerate(STATES)}
    for name in "PEEK WAITALL DONTWAIT TRUNC NOSIGNAL MORE EOR OOB ERRQUEUE".split():
        wanted[name] = numbers["MSG_" + name]
    for name in "IN OUT ERR HUP NVAL".split():
        wanted[name] = numbers["POLL" + name]
    wanted["EAGAIN"] = numbers["EAGAIN"]
    seen = set()
    for file in (ROOT / "port/esp32").glob("*.py"):
        for name, value in constants(file).items():
            if name[1:] in wanted:
                assert value == wanted[name[1:]], f"{file.name}: {name}"
                seen.add(name[1:])
    assert seen == set(wanted)
