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
from usocket_tools.builds import interpreters
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
NOT_CPYTHON = ",".join(
    f"port.unix.{name}" for name in "libc native fast nogil firmware clib".split()
)
NOT_CPYTHON += ",port.esp32.*"
# The engine of TLS there.
TLS = "tlsmake", "tlspem", "tlssource"
NOT_CPYTHON += "".join(f",usocket_compat.{name}" for name in TLS)
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
    r'"None" (has no attribute|not callable)|"None" is not index': "None until the layer gives it",
    r'/tls.py:.*error: Cannot determine type of "': "tlsmake.py gives a Stream its attributes",
    r'Item Module of ".*has no attribute "changes"': "a port's table or fdtable.py, both modules",
    r'Item "MutableSequence\[str\]" of .*"rpartition"': "a str on MicroPython, a list on CPython",
    r'module named "usocket_compat.port"': "where it is installed, port/ is inside the package",
    r'library stub for module named "uctypes"': "MicroPython's alone, as what it is asked for",
    r'Module "asyncio" has no attribute "core"': "of MicroPython",
    r'Name "ptr(8|32)" is not defined': "a type of viper's",
}
PLANTED = """
import socket

def planted():
    raise TimeoutError(socket.create_server(("", 0)), "xy".removeprefix("x"))
"""
HOSTS_TLS = "tlshost.py", "tlshostctx.py", "tlshostown.py"
# Names of CPython's builtins that MicroPython may lack -> why they are used.
GUARDED = {
    "cast": "of a memoryview, asked for with hasattr",
    "release": "of a lock",
    "__doc__": "of a function, asked for with hasattr",
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
    others = "cpython.py", "hosts.py", "epollhost.py", "aiohost.py", *HOSTS_TLS  # CPython's
    return [f for f in files if f.name not in others and (there or f.parent.name != "unix")]


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
    other += "".join([f",usocket_compat.{name[:-3]}" for name in ("aiohost.py", *HOSTS_TLS)])
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
    interpreter = interpreters.find(version).path
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
    # so*.py are of the drop-in modules, which CPython has no use for.
    files = sorted((ROOT / "usocket_compat").glob("[!s]*.py"))
    files += sorted((ROOT / "usocket_compat").glob("s[!o]*.py"))
    files = [file for file in files if file.stem not in TLS]
    files += [ROOT / "port/unix" / name for name in ("cpython.py", "hosts.py", "epollhost.py")]
    config = MYPY.format(more="", other=NOT_CPYTHON)
    assert [
        line
        for line in errors(config, tmp_path, *files)
        if not any(re.search(pattern, line) for pattern in KNOWN)
    ] == []


def test_host_tools():
    done = run("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


# What is a port, or runs on MicroPython too, has no annotations.
UNANNOTATED = {"loopback_port"}
ON_MICROPYTHON = set("board board_aio board_dropin_heap board_heap counts dropin peer".split())
ON_MICROPYTHON |= {"inturn", "workload", "workload_tls", "workload_streams", "peer_tls"}


def test_harness_and_bench(tmp_path):
    files = [f for f in (ROOT / "bench").glob("*.py") if f.stem not in ON_MICROPYTHON]
    files += [f for f in (ROOT / "tests/harness").glob("*.py") if f.stem not in UNANNOTATED]
    files.append(ROOT / "tests/conftest.py")
    (tmp_path / "usocket_tools").symlink_to(ROOT / "tools")  # as it is installed
    config = "[mypy]\nstrict = True\nfollow_imports = silent\n"
    config += f"mypy_path = {tmp_path}:{ROOT / 'tests/harness'}:{ROOT / 'bench'}\n"
    for module in ("esptool", "kconfiglib", "menuconfig", "mpremote", "serial", "xdist"):
        config += f"[mypy-{module}.*]\nignore_missing_imports = True\n"
    program = "from usocket_tools.suite.onboard import Target\nTarget().start(5)\n"
    (tmp_path / "wrong.py").write_text(program)
    assert errors(config, tmp_path, *files) == []
    assert len(errors(config, tmp_path, tmp_path / "wrong.py")) == 2


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


def shape(node: ast.FunctionDef) -> tuple[list[str], int]:
    """The names of the arguments, and how many have to be given."""
    arguments = [a.arg for a in node.args.args]
    needed = len(arguments) - len(node.args.defaults)
    # Those with an underscore are the drop-in's own business.
    return [a for a in arguments if a[0] != "_"], needed


def functions(file: Path, name: str = "") -> dict[str, ast.FunctionDef]:
    """Those of a file, or of a class in it."""
    body = ast.parse(file.read_text()).body
    if name:
        (body,) = [n.body for n in body if isinstance(n, ast.ClassDef) and n.name == name]
    return {n.name: n for n in body if isinstance(n, ast.FunctionDef)}


def table(name: str) -> dict[str, str]:
    """A table of usocket_compat/sonames.py: name -> the file that has it."""
    tree = ast.parse((ROOT / "usocket_compat/sonames.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            lines = ast.literal_eval(node.value).split("|")[1:]
            return {word: line.split()[0] for line in lines for word in line.split()[1:]}
    raise AssertionError(f"no {name}")


def dropin(module: str, name: str) -> dict[str, tuple[list[str], int]]:
    """The functions or methods of the drop-in that have a place in its sources."""
    found = functions(ROOT / f"dropin/{module}.py", name)
    if module == "socket":
        for word, file in table("_METHODS" if name else "_PUBLIC").items():
            there = functions(ROOT / f"usocket_compat/so{file}.py")
            if word in there and not re.match("[a-z]_|again", word):
                found[word] = there[word]
    elif not name:
        found["select"] = functions(ROOT / "usocket_compat/sopoll.py")["select"]
    if name == "socket":
        found["new"] = found["__init__"]
    return {
        word: shape(node)
        for word, node in found.items()
        if word[0] != "_" and word != "later"  # its own business
    }


@pytest.mark.parametrize(
    ("module", "name"), [("socket", ""), ("socket", "socket"), ("select", ""), ("select", "poll")]
)
def test_stubs_match_the_drop_in(module: str, name: str) -> None:
    stubbed = functions(ROOT / f"typings/dropin/{module}.pyi", name)
    there = dropin(module, name)
    assert there
    if name == "socket":
        stubbed["new"] = stubbed["__init__"]
    for word, arguments in there.items():
        assert shape(stubbed[word]) == arguments, word
    if module == "socket":
        # What is left to the layer, or loads from a file: there by its name at least.
        known = {*table("_METHODS"), *table("_PUBLIC"), *there, "new"}
        known |= {"read", "readinto", "readline", "write"}
        known |= set(re.findall(r"(?:inet|hton|ntoh|geth)\w+", " ".join(stubbed)))
        assert {w for w in stubbed if w[0] != "_"} <= known


def test_stubs_of_the_drop_in_serve_programs(tmp_path):
    """Before those of MicroPython's packages, which lack what it adds."""
    program = tmp_path / "program.py"
    program.write_text(DROPIN_PROGRAM)
    wrong = [
        n for n, line in enumerate(DROPIN_PROGRAM.splitlines(), 1) if line.endswith("# wrong")
    ]
    for port in ("unix", "esp32"):
        folder = stubs(port, VERSIONS[-1])
        config = (
            f"[mypy]\nplatform = linux\nno_site_packages = True\nstrict = True\n"
            f"mypy_path = {ROOT / 'typings/dropin'}:{ROOT / 'typings'}:{folder}\n"
            f"custom_typeshed_dir = {folder}\n"
        )
        work = tmp_path / port
        work.mkdir()
        # Not those that the stub packages have in themselves.
        found = [n for n in errors(config, work, program) if "/stubs/" not in n.partition(":")[0]]
        assert [int(line.split(":")[1]) for line in found] == wrong, found


DROPIN_PROGRAM = """\
import select
import socket

from usocket_compat import aio, dns


async def names() -> None:
    for family, type, proto, name, address in await aio.getaddrinfo("example.com", 80):
        data: bytes = await aio.recv(3, 100)
        text: str = await aio.recv(3, 100)  # wrong
    await aio.sendall(3, "text")  # wrong


with socket.create_connection(("localhost", 80), timeout=5) as s:
    s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    data: bytes = s.recv(100)
    count: int = s.recv_into(bytearray(5))
    text: str = s.recv(5)  # wrong
    s.no_such_call()  # wrong
    print(s.getsockname(), s.gettimeout(), s.makefile("rb"), s.readline())
    poller = select.poll()
    poller.register(s, select.POLLIN)
    for ready, events in poller.ipoll(1000):
        print(ready is s, events & select.POLLNVAL)
    print(select.select([s], [], [], 0.5)[0])
    poller.poll("soon")  # wrong
dns.set_servers([("1.1.1.1", 53)])
try:
    s.recv(1)
except socket.timeout as e:
    print(e.errno)
"""

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
