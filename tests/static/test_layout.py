"""The rules that keep the on-device code small and one-directional."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from port import interface
from usocket_tools.builds import interpreters
from usocket_tools.files import device_files, ports

ROOT = Path(__file__).resolve().parents[2]
FILE_MOST = 400  # lines of a file
# What is used together: on a board another file costs 330 bytes, and calls between two a word of
# the frame. On CPython one file is one platform.
LARGER = {"usocket_compat/port/esp32/__init__.py": 605, "usocket_compat/port/unix/cpython.py": 450}
CORE_MOST = 1000  # lines above the port that a program with a TCP socket loads
HEAP = "64k"  # of the 64-bit interpreter, that such a program fits into
CORE = "import usocket_compat as net; net.zsock_close(net.zsock_socket())"


def device_sources() -> dict[str, Path]:
    return {name: file for port in ports() for name, file in device_files(port).items()}


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_files_are_small():
    sizes = {name: lines(file) for name, file in device_sources().items()}
    assert {name: n for name, n in sizes.items() if n > LARGER.get(name, FILE_MOST)} == {}


def test_core_is_small(tmp_path):
    """What a board loads for its first socket."""
    folder = lazily_loaded(tmp_path)
    program = CORE + (
        "; import sys; print([name for name in sys.modules if name.startswith('usocket_compat')])"
    )
    done = subprocess.run(
        [interpreters.find("newest").path, "-c", program],
        cwd=folder,
        env={"MICROPYPATH": f"{folder}:.frozen"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = {
        name: lines(ROOT / (name.replace(".", "/") + ".py"))
        for name in ast.literal_eval(done.stdout)
        if name not in ("usocket_compat",) and ".port" not in name
    }
    assert sum(loaded.values()) <= CORE_MOST, loaded
    assert set(loaded) == {f"usocket_compat.{name}" for name in AT_ONCE}


def lazily_loaded(folder: Path) -> Path:
    """The unix port's files as a board has them: each loads when it is first used."""
    for name, file in device_files("unix").items():
        if file.name not in (
            "cpython.py",
            "hosts.py",
            "steps.py",
            "epollhost.py",
        ):  # for another interpreter
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text()
            if file.name == "_config.py":
                text += "\nUSOCKET_LAZY = True\nZVFS_OPEN_MAX = ZVFS_POLL_MAX = 16\n"
            (folder / name).write_text(text)
    return folder


def test_all_compile(tmp_path):
    """MicroPython takes each file, the oldest and the newest."""
    for which in ("oldest", "newest"):
        mpy_cross = interpreters.find(which).mpy_cross
        assert mpy_cross
        for file in device_sources().values():
            # Machine code, for any processor.
            subprocess.run([mpy_cross, "-march=x64", "-o", tmp_path / "x.mpy", file], check=True)


def test_core_fits_a_small_heap(tmp_path):
    interpreter = interpreters.find("newest")
    if not interpreter.mpy_cross:
        pytest.skip("this MicroPython has no mpy-cross beside it")
    # The port that has no machine code, as on a board.
    (lazily_loaded(tmp_path) / "usocket_compat/port/unix/fast.py").unlink()
    for file in tmp_path.rglob("*.py"):
        subprocess.run([interpreter.mpy_cross, file], check=True)
        file.unlink()
    done = subprocess.run(
        [interpreter.path, "-X", f"heapsize={HEAP}", "-c", CORE],
        cwd=tmp_path,
        env={"MICROPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


class Imports(ast.NodeVisitor):
    """Names that a file imports, each with whether it does so later, in a function.

    A name of this package has no dots; `load("x")` and the files named in LATER count too.
    """

    def __init__(self, file: Path):
        self.found: set[tuple[str, bool]] = set()
        self.depth = 0
        self.files = {other.stem for other in file.parent.glob("*.py")}
        self.visit(ast.parse(file.read_text()))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {(a.name, self.depth > 0) for a in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = [node.module] if node.module else [alias.name for alias in node.names]
        for name in names:
            if node.level == 1 and not node.module and name not in self.files:
                name = "__init__"  # a function of the package itself
            self.found.add(("." * (node.level - 1) + name, self.depth > 0))

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) in ("load", "__import__", "_module"):
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                self.found.add((str(argument.value), True))
            elif ast.unparse(node.func) == "__import__":
                # What is made of a package's name: named in one place only.
                self.found.add((ast.unparse(argument), True))
        self.generic_visit(node)


# What a program with a socket has loaded, each on those before it; everything else is rare.
AT_ONCE = ["_config", "fdtable", "zbase", "zsock"]
# The same where the port has no zsock_send of its own.
GENERIC = ["zio", "zrepoll"]
PACKAGES = ["usocket_compat", "port/esp32", "port/unix"]


def graph(package: str) -> dict[str, set[tuple[str, bool]]]:
    """File -> the files of its package that it imports, and whether later."""
    files = {file.stem: file for file in (ROOT / package).glob("*.py")}
    found = {}
    for name, file in files.items():
        imports = Imports(file).found
        found[name] = {
            (other.rpartition(".")[2], later)
            for other, later in imports
            if other in files or other.startswith(package.replace("/", ".") + ".")
        }
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circles(package):
    """Nor by what is imported later; but a package's first file may load the others when asked."""
    edges = {
        name: {other for other, later in found if not (later and name == "__init__")}
        for name, found in graph(package).items()
    }
    while edges:
        free = [name for name, others in edges.items() if not others & set(edges) - {name}]
        assert free, f"these import each other in a circle: {sorted(edges)}"
        for name in free:
            del edges[name]


def test_circles_would_be_found(tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    from .b import x\n")
    (tmp_path / "b.py").write_text("from . import a\nload('c')\n")
    assert Imports(tmp_path / "a.py").found == {("b", True)}
    assert Imports(tmp_path / "b.py").found == {("a", False), ("c", True)}


def test_what_is_rare_knows_the_table_and_zbase_alone():
    edges = graph("usocket_compat")
    allowed = {"_config", "fdtable", "zbase"}
    for at, name in enumerate(AT_ONCE):
        assert {o for o, later in edges[name] if not later} <= set(AT_ONCE[:at]) | {"_beside"}
    for name, found in edges.items():
        if name not in [*AT_ONCE, *GENERIC, "__init__", "names"]:  # names: of hosts
            others = {other for other, _ in found} & {*AT_ONCE, *GENERIC, "__init__"}
            assert others <= allowed, f"{name} imports {others}"


def test_ports_know_nothing_of_the_layer():
    for package in PACKAGES[1:]:
        for file in (ROOT / package).glob("*.py"):
            above = {name for name, _ in Imports(file).found if re.match(r"usocket_comp|\.", name)}
            assert not above, f"{file} imports {above}"


def test_one_file_finds_the_port():
    found = {
        name
        for name, file in device_sources().items()
        if not name.startswith("usocket_compat/port/")
        if any(re.search(r"\bport\b", other) for other, _ in Imports(file).found)
    }
    # zbase.py asks; _beside.py looks in a source tree and in a frozen firmware.
    assert found == {"usocket_compat/zbase.py", "usocket_compat/_beside.py"}


# Modules of the firmware that a file of the program can stand in for, as a file of that name on a
# board comes before them; and those which every name of the layer may be built on.
SHADOWED = "array binascii collections errno gc hashlib heapq io json math os platform random re"
SHADOWED += " select socket ssl struct time"
FOR_GOOD = {"sys", "micropython", "gc", "ffi", "uctypes", "network", "_thread", "math"}
HOSTS_TLS = "tlshost.py", "tlshostctx.py", "tlshostown.py"


def test_firmware_modules_have_names_that_no_file_shadows():
    """MicroPython finds usocket, but not socket, before a file of that name (PLATFORMS.md)."""
    for name, file in device_sources().items():
        if file.name in ("cpython.py", "epollhost.py", *HOSTS_TLS, "wifi.py", "_config.py"):
            continue  # CPython's; and a program's own
        text = re.sub(r"^else:\n(    .*\n)+", "", file.read_text(), flags=re.M)
        used = set(re.findall(r"^ *(?:import|from) (\w+)", text, re.M))
        assert not used & set(SHADOWED.split()) - FOR_GOOD, name


def listing(file: Path) -> dict[str, list[str]]:
    """Function -> the opcodes that MicroPython's compiler makes of it; `<module>` is the body."""
    done = subprocess.run(
        [interpreters.find("newest").path, "-v", "-v", file],
        capture_output=True,
        text=True,
        timeout=60,
    )
    blocks = re.split(r"^File .*?code block '([^']+)'.*$", done.stdout + done.stderr, flags=re.M)
    return {
        name: re.findall(r"^\d+ ([A-Z_]+)", body, re.M)
        for name, body in zip(blocks[1::2], blocks[2::2])
    }


def one_step(functions: dict[str, list[str]], name: str) -> list[str]:
    """What of a step's opcodes has to be undivided: of twin until it has stored both."""
    codes = functions[name]
    assert "RETURN_VALUE" in codes
    if name == "twin" and "END_FINALLY" in codes:
        codes = codes[: codes.index("END_FINALLY")]
    elif name == "twin":
        second = [at for at, code in enumerate(codes) if code == "STORE_SUBSCR"][1]
        codes = codes[: second + 1]
    return codes


def test_steps_of_the_table_have_no_branch():
    """So no callback, no Ctrl-C and, where there is a GIL, no thread comes in between (vm.c)."""
    steps = listing(ROOT / "usocket_compat/fdtable.py")
    for name in ("put", "take", "twin", "last"):
        assert not [code for code in one_step(steps, name) if "JUMP" in code or "ITER" in code], (
            name
        )
    for file, steps in (("memory", "_put _take _look _took"), ("events", "_take _add")):
        functions = listing(ROOT / f"port/esp32/{file}.py")
        for name in steps.split():
            assert not [c for c in functions[name] if "JUMP" in c or "ITER" in c], name
    # The test itself: this one has branches.
    assert [c for c in listing(ROOT / "usocket_compat/zbase.py")["get"] if "JUMP" in c]
    # Without a GIL: from where the lock is taken to where it is given back.
    for name, codes in listing(ROOT / "port/unix/nogil.py").items():
        if name in ("put", "take", "twin", "last", "divert"):
            step = one_step({name: codes}, name)
            assert not [code for code in step if code.startswith(("JUMP", "POP_JUMP"))], name


def test_who_has_a_tls_engine_is_written_down_without_a_branch():
    """From the lock to the caller's `try`, and in giving it back: nobody else would."""
    functions = listing(ROOT / "usocket_compat/tls.py")
    codes = functions["enter"]
    last = max(at for at, code in enumerate(codes) if "JUMP" in code)
    # The lock, whose it is, and back.
    assert [c for c in codes[last:] if c.startswith(("CALL", "STORE_SUB", "RETURN"))] == [
        "CALL_METHOD",
        "STORE_SUBSCR",
        "RETURN_VALUE",
    ]
    assert not [code for code in functions["release"] if "JUMP" in code]
    for file, names in (
        ("tls", "give take close"),
        ("tlsmore", "recv_held ready shutdown"),
        ("tlshake", "shake"),
        ("tlsdgram", "send take"),
        ("tlsdmore", "serve"),
    ):
        path = ROOT / f"usocket_compat/{file}.py"
        calls = [
            (function.name, block[at], block[at + 1])
            for function in ast.walk(ast.parse(path.read_text()))
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
            for block in (getattr(node, "body", None), getattr(node, "orelse", None))
            if isinstance(block, list)
            for at in range(len(block))
            if ast.unparse(block[at]).endswith(".enter()")
        ]
        assert {name for name, _, _ in calls} == set(names.split())
        for name, call, then in calls:
            assert isinstance(call, ast.Assign) and isinstance(then, ast.Try), (file, name)
            mine = ast.unparse(call.targets[0])
            given_back = ast.unparse(then.finalbody[-1])
            assert re.fullmatch(rf"(tls\.|dgram\.)?leave\[{mine}\]\((self|t)\)", given_back)
        assert path.read_text().count(".enter()") == len(calls)


def test_a_result_of_the_layer_comes_to_a_drop_in_socket_without_a_branch():
    """A socket whose fd was asked for: Ctrl-C behind the call would lose what was received."""
    functions = listing(ROOT / "usocket_compat/sofd.py")
    for name in ("_by_fd", "again", "recv_into", "recvfrom_into"):
        codes = functions[name]
        # The first call whose result is returned: in again, _by_fd's.
        ends = [at for at, code in enumerate(codes) if code == "RETURN_VALUE"]
        assert codes[ends[0] - 1].startswith("CALL_"), (name, codes)
    codes = functions["_by_fd"]
    assert codes.index("RETURN_VALUE") == codes.index("CALL_FUNCTION_VAR_KW") + 1


# What a board never loads, or has loaded before a callback of its program can call the layer.
BEFORE = {"__init__", "_config", "fdtable", "zbase", "zsock", "_beside", "wifi"}
BEFORE |= {"aio", "aiowait", "aiohost"}  # imported by the program
BEFORE |= {"zio", "zrepoll", "zpollset", "zarm"}
BEFORE |= {"tlshost", "tlshostctx", "tlshostown"}  # CPython's


PLAIN = r"(const|len|bytearray|[gs]etattr|hasattr|(?:p\.)?struct\.\w+|__name__\.rpartition|Handle|"
PLAIN += r"_Closed|getrandbits)\("


def test_bodies_of_what_loads_later_have_no_branch():
    """A callback that comes in while a file loads would find half of it.

    What the bodies call has none either: MicroPython's own, and `number` for the names it has.
    """
    known = re.search(r"_NAMES = \((.*?)\)\n", (ROOT / "port/esp32/__init__.py").read_text(), re.S)
    names = set(re.findall(r"(\w+)=", known[1]))
    for package in PACKAGES[:2]:
        for file in sorted((ROOT / package).glob("*.py")):
            if package == "usocket_compat" and file.stem in BEFORE:
                continue
            # errno.py ends with one, when all is there.
            codes = [c for c in listing(file)["<module>"] if "JUMP" in c]
            assert len(codes) <= (4 if file.stem == "errno" else 0), file
            for top in ast.parse(file.read_text()).body:
                for node in ast.walk(top) if isinstance(top, ast.Assign) else ():
                    if isinstance(node, ast.Call):
                        call = ast.unparse(node)
                        asked = re.fullmatch(r"p\.number\('(\w+)'\)", call)
                        assert (asked and asked[1] in names) or re.match(PLAIN, call), (file, call)
    codes = listing(ROOT / "port/esp32/__init__.py")["number"]
    assert not [c for c in codes[: codes.index("RETURN_VALUE")] if "JUMP" in c]


def test_one_file_asks_for_the_platform():
    asking = [n for n, file in device_sources().items() if "sys.platform" in file.read_text()]
    assert asking == ["usocket_compat/port/__init__.py"]


def documented() -> set[str]:
    """Names in port/interface.py that have a comment beside or above them."""
    text = (ROOT / "port/interface.py").read_text()
    return set(re.findall(r'^    "(\w+)",  # \S', text, re.M)) | set(
        re.findall(r'^    # .*\n(?:    "\w+",\n)*?    "(\w+)",\n', text, re.M)
    )


def test_operations_are_documented():
    every = {*interface.OPS, *interface.NEEDED, *interface.BETTER}
    # Several that one comment tells about: whole calls.
    assert documented() | {n for n in interface.BETTER if n.startswith("zsock_")} == every


def asked_of_port(file: Path) -> set[str]:
    """Names that the file takes from the port, which the layer calls p."""
    asked = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute):
            if ast.unparse(node.value) == "p":
                asked.add(node.attr)
        elif isinstance(node, ast.Call):
            # op("shutdown"), getattr(p, "pollset", None)
            called = re.match(r"op\('(\w+)'\)|\w+attr\(p, '(\w+)'", ast.unparse(node))
            asked |= {name for name in (called.groups() if called else ()) if name}
    return asked


def test_no_other_operations_are_used():
    # The last line of zsock.py gives these to the port.
    known = {*interface.OPS, *interface.NEEDED, *interface.BETTER}
    known |= {"layer", "tab", "send_rest", "recv_rest"}
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
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            has |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            has |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    assert set(interface.NEEDED) <= has


def constants(file: Path) -> dict[str, int]:
    """Names of the form _X = const(...), which only this file has."""
    found: dict[str, int] = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("const("):
            value = ast.unparse(node.value.args[0])
            found[node.targets[0].id] = eval(value, {}, dict(found))
    return found


LEGEND = re.compile(
    r"^# ([A-Z]+) +(\S[^;]*); beside: ([A-Z ]+|none)\n# +set: ([^;]*);\s(?:# )? *cleared: (.*)$",
    re.M,
)


def legend() -> dict[str, tuple[set[str], set[str], set[str]]]:
    """The table of port/esp32/conn.py: bit -> those beside it, who sets it, who clears it."""
    text = (ROOT / "port/esp32/conn.py").read_text()
    return {
        bit: (set(beside.split()) - {"none"}, set(by.split()) - {"#"}, set(cleared.split()))
        for bit, _, beside, by, cleared in LEGEND.findall(text)
    }


def names_in(node: ast.AST) -> set[str]:
    """Bits that an expression sets: not those of a mask."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        return set()
    if isinstance(node, ast.Name):
        return {node.id[1:]} if node.id[:1] == "_" else set()
    if isinstance(node, ast.IfExp):
        return names_in(node.body) | names_in(node.orelse)
    return {name for child in ast.iter_child_nodes(node) for name in names_in(child)}


class States(ast.NodeVisitor):
    """(function, the new state) of each place that gives a handle one."""

    def __init__(self, file: Path):
        self.prefix = "" if file.stem == "__init__" else file.stem + "."
        self.found: list[tuple[str, ast.expr]] = []
        self.within = ""
        self.visit(ast.parse(file.read_text()))

    def visit_scope(self, node):
        self.within = node.name
        self.generic_visit(node)

    visit_FunctionDef = visit_ClassDef = visit_scope

    def add(self, value: ast.expr, owner: str) -> None:
        self.found.append((self.prefix + owner, value))

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) == "set_state":
            self.add(node.args[1], self.within)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = ast.unparse(node.targets[0])
        if target == "CLOSED.st":
            self.add(node.value, "CLOSED")
        elif self.within != "set_state" and (
            target == "st" and self.within == "Handle" or re.fullmatch(r"\w+\.st", target)
        ):
            self.add(node.value, self.within)

    def visit_Return(self, node: ast.Return) -> None:
        if self.within == "outcome" and node.value:
            self.add(node.value, self.within)


def test_the_legend_of_states_is_true():
    """Whether each combination is allowed is seen in tests/vboard/test_differential.py."""
    table = legend()
    assert list(table) == STATES
    places = [found for f in (ROOT / "port/esp32").glob("*.py") for found in States(f).found]
    for bit, (beside, setters, clearers) in table.items():
        assert setters == {function for function, value in places if bit in names_in(value)}, bit
        for function in clearers - {"never"}:
            values = [value for name, value in places if name == function]
            assert any(bit not in names_in(value) for value in values), (bit, function)
        for other in beside:
            assert bit in table[other][0], f"{bit} beside {other}, but not the other way round"


STATES = "NEW PENDING LISTEN DEAD EOF HELD DGRAM GONE BLOCKS FAILED AWAY WAITS TAKES".split()


def test_constants_of_the_esp32_port_agree():
    """Each file says them again, since they cost no heap that way."""
    tree = ast.parse((ROOT / "port/esp32/numbers.py").read_text())
    lines = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TEXT"
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


def test_no_file_of_the_esp32_port_has_the_name_of_what_is_in_it():
    """MicroPython puts a file that it loads into its package by its name, over what is there."""
    path = ROOT / "port/esp32/__init__.py"
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets = [each for target in node.targets for each in ast.walk(target)]
            names |= {each.id for each in targets if isinstance(each, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {each.asname or each.name for each in node.names}
    (later,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LATER"
    )
    names |= {word for word in later.split() if not word.startswith("|")}
    files = {each.stem for each in path.parent.glob("*.py")}
    assert {"polls", "tight"} <= files
    assert not names & files
