"""Types: what runs on a board against MicroPython's stub packages, the rest against CPython's.

The on-device code has no annotations. What is checked is that the modules and names it uses exist
on MicroPython, and that its own calls fit together.
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from port.unix import numbers
from usocket_tools import micropython
from usocket_tools.files import cache_dir, device_files

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("1.25", "1.26")
MYPY = """\
[mypy]
platform = linux
no_site_packages = True
check_untyped_defs = True
strict_optional = False
# A name may stand for several kinds of a thing, one for each way of running.
disable_error_code = var-annotated, no-redef, assignment
{more}
[mypy-usocket_tools.*]
ignore_missing_imports = True
# Not for this interpreter.
[mypy-{other}]
follow_imports = skip
"""
STUBS = """\
mypy_path = {stubs}
custom_typeshed_dir = {stubs}
"""
# What the stub packages, or mypy, do not know: pattern of an error -> why it is none.
KNOWN = {
    r'port/unix/.* Module has no attribute "errno"': "os.errno() is in the unix port",
    r'to "inet_ntop" has incompatible type "bytearray"': "any buffer will do",
    r'Argument 2 to "getaddrinfo" .*expected "int"': "the unix port takes a service's name",
    r'library stub for module named "ffi"': "asked for where it may be missing",
    r'"None" has no attribute': "a global that is None until the port is loaded",
}
PLANTED = """
import socket

def planted():
    raise TimeoutError(socket.create_server(("", 0)), "xy".removeprefix("x"))
"""
# Names of CPython's builtins that MicroPython may lack -> why they are used.
GUARDED = {
    "cast": "of a memoryview, asked for with hasattr",
    "release": "of a lock",
}


def run(*command) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=ROOT, capture_output=True, text=True
    )


def stubs(port: str, version: str) -> Path:
    """The folder of MicroPython's stub packages, in the cache: they would shadow CPython's."""
    folder = cache_dir() / "stubs" / f"{port}-{version}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            package = f"micropython-{port}-stubs=={version}.*"
            done = run("pip", "install", "-q", "--target", work / "new", package)
            assert done.returncode == 0, done.stderr
            (work / "new").rename(folder)
        finally:
            shutil.rmtree(work)
    return folder


def on_micropython(port: str) -> list[Path]:
    """What a board with this port loads; as long as there is no such port, the files above it."""
    there = (ROOT / "port" / port).is_dir()
    files = device_files(port if there else "unix").values()
    return [f for f in files if f.name != "cpython.py" and (there or f.parent.name != "unix")]


def errors(config: str, tmp_path: Path, *files: Path) -> list[str]:
    (tmp_path / "mypy.ini").write_text(config)
    # The files that are named, and not what they import.
    flags = ["--config-file", tmp_path / "mypy.ini", "--cache-dir", tmp_path / "cache"]
    done = run("mypy", *flags, "--explicit-package-bases", *files)
    assert not done.stderr, done.stderr
    assert re.search(r"\(.*checked [1-9]\d* source file|no issues found in [1-9]", done.stdout)
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def device_errors(port: str, version: str, tmp_path: Path, *files: Path) -> list[str]:
    folder = stubs(port, version)
    other = "port.unix.cpython,port.esp32.*" if port == "unix" else "port.unix.*"
    config = MYPY.format(more=STUBS.format(stubs=folder), other=other)
    return [
        line
        for line in errors(config, tmp_path, *files)
        if not any(re.search(pattern, line) for pattern in KNOWN)
        and not line.startswith(str(folder))
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("port", ["unix", "esp32"])
def test_device_modules(port, version, tmp_path):
    assert device_errors(port, version, tmp_path, *on_micropython(port)) == []
    (tmp_path / "planted.py").write_text(PLANTED)
    (found,) = device_errors(port, version, tmp_path, tmp_path / "planted.py")
    assert 'Module has no attribute "create_server"' in found


def builtin_names(source: str) -> set[str]:
    """What the source uses of CPython's builtins, and of the methods of builtin types."""
    types = (str, bytes, bytearray, memoryview, int, float, list, tuple, dict, set)
    methods = {name for type in types for name in dir(type)}
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in methods:
            names.add(node.attr)
        elif isinstance(node, ast.Name) and hasattr(builtins, node.id):
            names.add(node.id)
    return names - set(GUARDED)


def lacking(names: set[str], version: str) -> list[str]:
    """Those that this MicroPython does not have."""
    program = f"""
import builtins
places = (builtins, "", b"", bytearray(), memoryview(b""), 0, 0.0, [], (), {{}}, set())
print([name for name in {sorted(names)!r} if not any([hasattr(p, name) for p in places])])
"""
    interpreter = micropython.find(version).path
    done = subprocess.run([interpreter, "-c", program], capture_output=True, text=True)
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_device_builtins(version):
    """The stub packages have CPython's builtins; the interpreter knows better."""
    names = {name for f in on_micropython("unix") for name in builtin_names(f.read_text())}
    assert {"bytearray", "append", "OverflowError"} <= names
    assert lacking(names, version) == []
    assert lacking(builtin_names(PLANTED), version) == ["TimeoutError", "removeprefix"]


def test_on_cpython(tmp_path):
    files = [*sorted((ROOT / "usocket_compat").glob("*.py")), ROOT / "port/unix/cpython.py"]
    config = MYPY.format(more="", other="port.unix.libc,port.unix.native,port.esp32.*")
    assert [
        line
        for line in errors(config, tmp_path, *files)
        if not any(re.search(pattern, line) for pattern in KNOWN)
    ] == []


def test_host_tools():
    done = run("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_match_the_layer(tmp_path):
    """typings/ says what there is, with the arguments that it has."""
    env = {**os.environ, "MYPYPATH": str(ROOT / "typings")}
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "usocket_compat"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    # Modules of the package that are its own business have no stubs.
    wrong = [
        line
        for line in done.stdout.splitlines()
        if not re.fullmatch(r"usocket_compat\.(\w+ failed to find|__all__ is not .*) stubs?", line)
    ]
    assert (wrong, done.stderr) == ([], "")
    stub = (ROOT / "typings/usocket_compat/errno.pyi").read_text()
    assert re.findall(r"(\w+): int", stub) == [
        name for name in numbers.names() if name[0] == "E" and name[3:4] != "_"
    ]


def test_stubs_serve_programs(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    config = f"[mypy]\nstrict = True\nmypy_path = {ROOT / 'typings'}\n"
    found = errors(config, tmp_path, program)
    wrong = [n for n, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    assert [int(line.split(":")[1]) for line in found] == wrong


PROGRAM = """\
import usocket_compat as net
from usocket_compat import errno

fd = net.zsock_socket(net.AF_INET6, net.SOCK_DGRAM)
data: bytes = net.recv(fd, 5)
count: int = net.recv(fd, bytearray(5), net.MSG_PEEK)
text: str = net.recv(fd, 5)  # wrong
net.recv(fd, b"read-only")
net.send(fd, "text")  # wrong
net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.5)
net.poll([net.pollfd(fd, net.POLLIN)], 0)
net.sock()  # wrong
print(errno.EAGAIN, errno.ENONSENSE)  # wrong
"""
