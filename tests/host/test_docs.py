# SPDX-License-Identifier: MIT
"""What the documentation shows is run, what it names exists, and its pages can be built."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable
from xml.etree import ElementTree

import mpremote.main
import pytest
from pages import Block, blocks, inline, links

for part in ("libs", "peers"):
    sys.path.append(str(Path(__file__).parents[1] / part))

import peers  # noqa: E402
from certificates import Certificates  # noqa: E402
from tls_servers import nginx, now  # noqa: E402

import usocket_compat  # noqa: E402
from usocket_compat import zbase  # noqa: E402
from usocket_tools import cli  # noqa: E402
from usocket_tools.boards.device import Device  # noqa: E402
from usocket_tools.vboard.board import Board  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
BLOCKS = [block for page in PAGES for block in blocks(page)]
USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
EVERYWHERE = ("cpython", "unix", "vboard")
SECONDS = 60
WIFI = "lab\nsecret99\n"
DROPIN = "CONFIG_ZVFS_OPEN_MAX=10\nCONFIG_ZVFS_POLL_MAX=10\nCONFIG_USOCKET_DROPIN=y\n"
MOST_FRAGMENTS = 3
DEVICE = "/dev/ttyUSB0"


def targets(block: Block) -> list[str]:
    """Where a program is to be run."""
    if not block.mark:
        return list(EVERYWHERE)
    if not block.mark.startswith("on: "):
        return []
    mark = block.mark[len("on: ") :].partition(",")[0]
    return [mark] if " --" in mark else mark.split()


PROGRAMS = [
    pytest.param(block, target, id=f"{block.id}-{target.split()[0]}")
    for block in BLOCKS
    if block.language == "python"
    for target in targets(block)
]
COMMANDS = [
    pytest.param(block, line, id=f"{block.id}-{line}")
    for block in BLOCKS
    if block.language == "sh"
    for line in block.text.splitlines()
]
WALKS = [pytest.param(block, id=block.id) for block in BLOCKS if block.mark.startswith("run ")]


@pytest.fixture(scope="module")
def boards() -> Iterator[Callable[..., Board]]:
    """The virtual board with these options, one for all programs."""
    running: dict[str, Board] = {}

    def board(*words: str) -> Board:
        key = " ".join(words)
        if key not in running:
            options = [option.partition(" ") for option in f" {key}".split(" --")[1:]]
            running[key] = Board(**{name: value or True for name, _, value in options})
        return running[key]

    yield board
    for each in running.values():
        each.stop()


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


# The blocks


def test_there_are_blocks():
    languages = [block.language for block in BLOCKS]
    assert languages.count("python") > 10 and languages.count("sh") > 10 and "c" in languages


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.id)
def test_a_block_says_what_it_is(block):
    kinds = (
        "python",
        "sh",
        "c",
        "text",
        "toml",
        "yaml",
        "",
        "{eval-rst}",
        "{toctree}",
        "{include} ../README.md",
        "{include} ../CHANGELOG.md",
    )
    assert block.language in kinds
    marks = {
        "python": r"|on: (cpython|unix|vboard)( (cpython|unix|vboard))*(, in the checkout)?"
        r"|on: (cpython|unix|vboard)( (cpython|unix|vboard))*, with the drop-in"
        r"|on: vboard( --\S+( [^- ]\S*)?)+|fragment: .+|test: (test_\w+)",
        "sh": r"|run on the virtual board(, with (first\.py|wifi\.txt)|, in the checkout)?",
    }
    match = re.fullmatch(marks.get(block.language, ""), block.mark)
    assert match, f"no such mark: {block.mark}"
    if block.mark.startswith("test: "):
        assert block.mark[len("test: ") :] in globals()


def test_fragments_are_few():
    fragments = [block for block in BLOCKS if block.mark.startswith("fragment: ")]
    assert len(fragments) <= MOST_FRAGMENTS
    for block in fragments:
        ast.parse(block.text)


# Programs


@pytest.mark.parametrize(("block", "where"), PROGRAMS)
def test_program(block, where, boards, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(block.text)
    name, *options = where.split()
    command = [*USOCKET, "run", "--target", name]
    if name == "vboard":
        command = [*USOCKET, "run", "--device", boards(*options).device]
    env = environment()
    if block.mark.endswith(", with the drop-in"):
        conf = tmp_path / "my.conf"
        conf.write_text(DROPIN)
        env["USOCKET_COMPAT_CONF"] = str(conf)
    done = subprocess.run(
        [*command, str(file)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    if block.prints is not None:
        assert done.stdout == block.prints


@pytest.mark.parametrize("where", EVERYWHERE)
def test_first_server(where, boards, tmp_path):
    (block,) = [block for block in BLOCKS if block.mark == "test: test_first_server"]
    file = tmp_path / "server.py"
    file.write_text(block.text)
    port, words, first = 7000, ["--target", where], []
    if where == "vboard":
        board = boards()
        port, words = board.forward("0:7000"), ["--device", board.device]
        first = ["on 10.0.2.15\n"]
    command = [*USOCKET, "run", *words, str(file)]
    more = {"env": {**environment(), "PYTHONUNBUFFERED": "1"}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more) as process:
        try:
            assert process.stdout
            for line in [*first, "port 7000\n"]:
                assert process.stdout.readline() == line
            for text in (b"hello", b"x" * 3000):
                with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
                    client.sendall(text)
                    answer = b""
                    while len(answer) < len(text):
                        data = client.recv(4096)
                        assert data
                        answer += data
                    assert answer == text
                assert process.stdout.readline().startswith("from ")
        finally:
            process.terminate()


def test_template() -> None:
    """The page has the project's test, which test_packaging.py runs, and its workflow."""
    (block,) = [block for block in BLOCKS if block.mark == "test: test_template"]
    project = ROOT / "examples" / "project"
    assert block.text == (project / "test_server.py").read_text()
    workflow = (project / ".github/workflows/test.yml").read_text()
    assert workflow in [block.text for block in BLOCKS if block.language == "yaml"]


def certificates():
    sys.path.append(str(ROOT / "tests" / "common"))
    import certs

    return certs


def test_first_tls_client(boards, tmp_path):
    """Each target, to a server of CPython's; and to one that it has no reason to trust."""
    (block,) = [block for block in BLOCKS if block.mark == "test: test_first_tls_client"]
    certs = certificates()
    file = tmp_path / "client.py"
    file.write_text(block.text)
    (tmp_path / "ca.der").write_bytes(certs.CA)
    chain = tmp_path / "server.pem"
    key = ssl.DER_cert_to_PEM_cert(certs.SERVER_KEY).replace("CERTIFICATE", "PRIVATE KEY")
    chain.write_text(key + ssl.DER_cert_to_PEM_cert(certs.SERVER))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    board = boards()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

        def serve() -> None:
            for _ in range(3):
                with listener.accept()[0] as s:
                    s.settimeout(SECONDS)
                    with context.wrap_socket(s, server_side=True) as secure:
                        secure.recv(100)
                        secure.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        write = f"f = open('ca.der', 'wb'); f.write({certs.CA!r}); f.close()"
        subprocess.run(
            [Path(sys.executable).parent / "mpremote", "connect", board.device, "exec", write],
            check=True,
            timeout=SECONDS,
        )
        for where, host in (
            (["--target", "cpython"], "127.0.0.1"),
            (["--target", "unix", "--micropython", "newest"], "127.0.0.1"),
            (["--device", board.device], "10.0.2.2"),
        ):
            done = subprocess.run(
                [*USOCKET, "run", *where, str(file), host, port],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            assert done.stdout == "b'HTTP/1.0 200 OK'\n", (where, done.stdout + done.stderr)


def tls_line(start: str, port: int) -> list[str]:
    """A command of openssl's on the page, with the port of a test in the place of its own."""
    texts = [b.text for b in BLOCKS if b.page == "tls-sockets.md" and b.language == "text"]
    (line,) = [each for text in texts for each in text.splitlines() if each.startswith(start)]
    program, *words = shlex.split(re.sub(r"\b9\d{3}\b", str(port), line))
    return [peers.program(program), *words]


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory, boards) -> Path:
    """What the page's commands make, in a folder and on the board, whose clock is set."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(tls_line("openssl req ", 0), cwd=folder, check=True, capture_output=True)
    words = ["certs", "server.pem", "--key", "server.key"]
    subprocess.run([*USOCKET, *words], cwd=folder, env=environment(), check=True)
    with Device(boards().device) as device:
        device.fresh()
        for name in ("ca.der", "server.der", "server.key.der"):
            data = (folder / name).read_bytes()
            device.exec(f"with open({name!r}, 'wb') as f: f.write({data!r})")
        device.exec(f"import machine; machine.RTC().datetime(({now()}))")
    return folder


@contextlib.contextmanager
def with_input(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """One that is spoken to line by line, and ended."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    env = {**environment(), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=env, text=True, errors="replace", bufsize=1, **pipes
    ) as process:
        late = threading.Timer(SECONDS, process.kill)
        late.start()
        try:
            yield process
        finally:
            late.cancel()
            process.terminate()


def until(process: subprocess.Popen[str], line: str) -> None:
    said = []
    for each in process.stdout or ():
        said.append(each)
        if each == line + "\n":
            return
    raise AssertionError("".join(said))


def program_of(mark: str, where: str, boards, folder: Path) -> list[str]:
    (block,) = [block for block in BLOCKS if block.mark == mark]
    (folder / "program.py").write_text(block.text)
    words = ["--target", where, *(["--micropython", "newest"] if where == "unix" else [])]
    if where == "vboard":
        words = ["--device", boards().device]
    return [*USOCKET, "run", *words, "program.py"]


@pytest.mark.parametrize("where", ["cpython", "unix", "vboard"])
def test_first_tls_server(where, boards, tls_files):
    """For one openssl after the other, of which the second trusts somebody else."""
    command = program_of("test: test_first_tls_server", where, boards, tls_files)
    inside = peers.free_port()
    port = boards().forward(f"0:{inside}") if where == "vboard" else inside
    line = tls_line("openssl s_client -connect ", port)
    (tls_files / "other.pem").write_text(ssl.DER_cert_to_PEM_cert(certificates().OTHER_CA))
    other = [each if each != "server.pem" else "other.pem" for each in line]
    with with_input([*command, str(inside)], tls_files) as server:
        until(server, "ready")
        for argv in line, other, line:
            with with_input(argv, tls_files) as client:
                if argv == other:
                    assert client.wait(SECONDS) == 1
                    assert (server.stdout.readline()).startswith("failed: ECONN")
                    continue
                until(client, "Verification: OK")
                client.stdin.write("abc\n")
                until(client, "ABC")
                until(server, "b'abc\\n'")
                client.stdin.write("Q\n")
                client.wait(SECONDS)


@pytest.mark.parametrize("where", ["unix", "vboard"])
def test_first_dtls_client(where, boards, tls_files):
    """Against openssl, which is the page's command."""
    command = program_of("test: test_first_dtls_client", where, boards, tls_files)
    host = Board.host if where == "vboard" else "localhost"
    port = peers.free_port()
    with with_input(tls_line("openssl s_server -dtls1_2 ", port), tls_files) as server:
        until(server, "ACCEPT")
        with with_input([*command, host, str(port)], tls_files) as client:
            until(server, "hello")
            server.stdin.write("typed\n")
            assert client.communicate()[0] == "b'typed\\n'\n"


@pytest.mark.parametrize("where", ["unix", "vboard"])
def test_first_dtls_server(where, boards, tls_files):
    """For one openssl after the other, each of which says that it ends."""
    command = program_of("test: test_first_dtls_server", where, boards, tls_files)
    inside = peers.free_port()
    port = boards().forward(f"udp:0:{inside}") if where == "vboard" else inside
    with with_input([*command, str(inside)], tls_files) as server:
        until(server, "ready")
        for _ in range(2):
            with with_input(tls_line("openssl s_client -dtls1_2 ", port), tls_files) as client:
                until(client, "Verified peername: server.test")
                client.stdin.write("abc\n")
                until(client, "ABC")
                client.stdin.write("Q\n")
                client.wait(SECONDS)
            until(server, "b'abc\\n'")


STUB = """\
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#define zsock_pollfd pollfd
#define ZSOCK_POLLIN POLLIN
"""


@pytest.mark.parametrize("block", [pytest.param(b, id=b.id) for b in BLOCKS if b.language == "c"])
def test_zephyr_program(block: Block, tmp_path: Path) -> None:
    """With Zephyr's names made those of POSIX it does the same as the one in Python below it."""
    after = BLOCKS[BLOCKS.index(block) + 1 :]
    header = tmp_path / "zephyr" / "net" / "socket.h"
    header.parent.mkdir(parents=True)
    calls = set(re.findall(r"zsock_(\w+)\(", block.text))
    header.write_text(STUB + "".join(f"#define zsock_{name} {name}\n" for name in calls))
    (tmp_path / "program.c").write_text(block.text)
    subprocess.run(
        ["gcc", "-Wall", "-Werror", "-I", tmp_path, "-o", "program", "program.c"],
        cwd=tmp_path,
        check=True,
    )
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0
    assert done.stdout == next(other.prints for other in after if other.prints)


def tls_program(text: str, host: str, port: int, where: str, boards, folder: Path) -> str:
    """What it prints when its server is this one."""
    program = folder / "program.py"
    program.write_text(text.replace('"example.com", 443', f"{host!r}, {port}"))
    words = ["--target", "unix"]
    if where == "vboard":
        words = ["--device", boards().device]
    done = subprocess.run(
        [*USOCKET, "run", *words, str(program)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return done.stdout


@pytest.mark.parametrize("where", ["unix", "vboard"])
def test_first_tls_program(where, boards, tmp_path):
    """It gets what it asks for, of the one that the authority vouches for, and of no other."""
    (block,) = [block for block in BLOCKS if block.mark == "test: test_first_tls_program"]
    os.chmod(tmp_path, 0o755)
    (tmp_path / "root").mkdir()
    (tmp_path / "root/index.html").write_text("hello")
    made = Certificates(tmp_path)
    made.issue("example", names="DNS:example.com")
    host = Board.host if where == "vboard" else "127.0.0.1"
    for authority in ("ca", "other"):
        made.der(authority)
        ca = (tmp_path / f"{authority}.der").read_bytes()
        if where == "vboard":
            with Device(boards().device) as device:
                device.fresh()
                device.exec(f"with open('ca.der', 'wb') as f: f.write({ca!r})")
                device.exec(f"import machine; machine.RTC().datetime(({now()}))")
        with nginx(made, "example") as port:
            # The one beside the program; made anew for the second.
            (tmp_path / "here").mkdir(exist_ok=True)
            (tmp_path / "here/ca.der").write_bytes(ca)
            said = tls_program(block.text, host, port, where, boards, tmp_path / "here")
        if authority == "ca":
            assert said == "HTTP/1.1 200 OK\n"
        else:
            assert "not correctly signed by the trusted CA" in said and "200" not in said


# Commands


@pytest.fixture
def parse(monkeypatch) -> Callable[[list[str]], int]:
    """The usocket command as far as its arguments go."""
    load = cli.load
    monkeypatch.setattr(cli, "load", lambda name: load(name)._replace(do=lambda args: 0))
    return cli.main


@pytest.mark.parametrize(("block", "line"), COMMANDS)
def test_command(block, line, parse):
    words = shlex.split(line)
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if words[0] == "usocket":
        try:
            assert parse(words[1:]) == 0
        except SystemExit as end:
            assert end.code == 0 and "--help" in words  # noqa: PT017 - of some commands alone
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.M)
    elif words[0] == "mpremote":
        rest = words[3:] if words[1] == "connect" else words[1:]
        assert rest[0] in mpremote.main._COMMANDS
    else:
        assert words == ["pip", "install", "."]
    for word in words:
        if word.startswith(("examples/", "board_configs/")):
            assert (ROOT / word).is_file()


@pytest.mark.parametrize("block", WALKS)
def test_commands_run(block, boards, tmp_path):
    (first,) = [b for b in BLOCKS if b.page == "first-steps.md" and "hello, me" in b.text]
    (tmp_path / "first.py").write_text(first.text)
    (tmp_path / "wifi.txt").write_text(WIFI)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    device = boards().device
    folder = ROOT if block.mark.endswith("in the checkout") else tmp_path
    for line in block.text.splitlines():
        done = subprocess.run(
            ["bash", "-c", line.replace(DEVICE, device)],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if line.startswith("usocket run") and line.endswith(" first.py"):
            assert done.stdout == first.prints


A_COMMAND = re.compile(r"(usocket|make|mpremote) [a-z]")
FOR_DEVELOPERS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "tests" / "README.md"]
INLINE = sorted(
    {text for page in [*PAGES, *FOR_DEVELOPERS] for text in inline(page) if A_COMMAND.match(text)}
)


@pytest.mark.parametrize("text", INLINE)
def test_command_named_in_the_text(text, parse, capsys):
    program, name, *rest = shlex.split(text)
    if program == "usocket":
        below = rest[:1] if name == "config" and rest else []
        with pytest.raises(SystemExit) as end:
            parse([name, *below, "--help"])
        assert end.value.code == 0
        help = capsys.readouterr().out
        for word in rest:
            assert not word.startswith("-") or re.search(rf"(?<![\w-]){word}\b", help), word
    elif program == "make":
        assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.M)
    else:
        assert name in {*mpremote.main._COMMANDS, *mpremote.main._BUILTIN_COMMAND_EXPANSIONS}


# What is complete


def public_names() -> set[str]:
    return set(usocket_compat.__all__) - {"errno"}


def test_api_has_every_call():
    text = (DOCS / "api.md").read_text()
    listed = set(re.findall(r"(?:auto(?:function|class)|exception):: (\w+)(?!.*\.)", text))
    calls = {name for name in public_names() if callable(getattr(usocket_compat, name))}
    # The POSIX names are the same objects as the long ones, and Zephyr's net_X are X.
    same = {name for name in calls if {"zsock_" + name, "zvfs_" + name} & calls}
    same |= {name for name in calls if re.match("net_(?!socket_service)", name)}
    assert listed == calls - same


def test_every_call_has_a_docstring():
    for name in public_names() - {"gaierror"}:  # the platform's own
        value = getattr(usocket_compat, name)
        assert not callable(value) or value.__doc__, name


def test_constants_are_those_of_every_port():
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (DOCS / "constants.md").read_text()))
    assert named == set(zbase.p.names())


# Messages


def messages() -> list[str]:
    """The texts in the sources, `...` where something is put in."""
    found = []
    for folder in ("tools", "usocket_compat", "port"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts = [
                        str(part.value) if isinstance(part, ast.Constant) else "..."
                        for part in node.values
                    ]
                    found.append("".join(parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(re.sub(r"\{\w*\}", "...", node.value))
    return found


SAID = sorted(
    {
        text
        for message in messages()
        for text in re.findall(r"`([^`]+)`", message)
        if A_COMMAND.match(text)
    }
)


@pytest.mark.parametrize("text", SAID)
def test_command_named_in_a_message(text, parse, capsys):
    test_command_named_in_the_text(text, parse, capsys)


def shown_messages() -> list[str]:
    text = (DOCS / "troubleshooting.md").read_text().partition("## From a program")[0]
    return re.findall(r"^\| `(.+?)` \|", text, re.M)


@pytest.fixture(scope="module")
def known_messages() -> list[str]:
    return messages()


def test_there_are_messages():
    assert len(shown_messages()) > 25


@pytest.mark.parametrize("shown", shown_messages())
def test_message_is_in_the_sources(shown, known_messages):
    """Its words, in one text of the sources."""
    words = [part for part in re.split(r"\.\.\.", shown) if part.strip(" :.;,")]
    assert words, "nothing but dots"
    pattern = re.compile(".*".join(re.escape(part.strip(" :")) for part in words), re.S)
    assert any(pattern.search(text) for text in known_messages)


# The pages


def build(folder: Path, output: Path, builder: str = "html") -> subprocess.CompletedProcess:
    command = ["sphinx", "-q", "-W", "--keep-going", "-d", f"{output}-trees", "-b", builder]
    return subprocess.run(
        [sys.executable, "-m", *command, str(folder), str(output)],
        env=environment(),
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages, and what Sphinx said."""
    folder = tmp_path_factory.mktemp("pages") / "html"
    return folder, build(DOCS, folder)


def test_pages_can_be_built(built):
    folder, done = built
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    api = (folder / "api.html").read_text()
    assert "The addresses of a host and service" in api
    for file in folder.rglob("*"):
        if file.suffix in (".html", ".css"):
            text = file.read_text()
            loads = re.findall(
                r"""(?:<(?:script|img|link)[^>]*(?:src|href)=["']?|url\(["']?)\S+""", text
            )
            assert not [each for each in loads if "//" in each], file.name


def test_signatures_have_names(built):
    folder, _ = built
    text = re.sub(r"<[^>]*>", "", (folder / "api.html").read_text())
    for signature in (
        "zsock_socket(family=AF_INET, type=SOCK_STREAM, proto=0)",
        "zsock_socketpair(family=AF_UNIX, type=SOCK_STREAM, proto=0)",
        "zsock_getaddrinfo(host, service, family=AF_UNSPEC, type=0, proto=0, flags=0)",
    ):
        assert signature in re.sub(r"\s+", " ", text)


def test_dead_links_are_found(tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs")
    # Three pages, whose links to the others are dead too: a whole build takes long.
    for page in (tmp_path / "docs").glob("*.md"):
        if page.stem not in ("index", "vboard", "parity"):
            page.unlink()
    with (tmp_path / "docs" / "vboard.md").open("a") as file:
        file.write("\n[gone](gone.md)\n\n[gone](parity.md#not-there)\n\n")
        file.write("```{eval-rst}\n.. autofunction:: usocket_compat.lost\n```\n")
    done = build(tmp_path / "docs", tmp_path / "html", "dummy")
    assert done.returncode == 1
    for missing in ("gone.md", "not-there", "'lost' from module 'usocket_compat'"):
        assert missing in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for link in links(page):
        if not re.match(r"https?:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_every_page_is_in_the_contents():
    groups = [b.text for b in blocks(DOCS / "index.md") if b.language == "{toctree}"]
    assert all(group.startswith(":hidden:\n:caption: ") for group in groups)
    listed = [name for group in groups for name in group.splitlines()[2:] if name]
    assert sorted(listed) == sorted({p.stem for p in DOCS.glob("*.md")} - {"index"})


DRAWINGS = sorted((DOCS / "img").glob("*.svg"))


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: file.name)
def test_a_drawing_names_what_is_there(file):
    """And has a title for those who do not see it, a page, and ids that no other drawing has."""
    drawing = ElementTree.parse(file).getroot()
    prefix = f"{drawing.get('aria-labelledby').partition('-')[0]}-"
    ids = [each.get("id") for each in drawing.iter() if each.get("id")]
    assert all(name.startswith(prefix) for name in ids)
    assert drawing.find("{http://www.w3.org/2000/svg}title").text
    assert any(f"(img/{file.name})" in page.read_text() for page in DOCS.glob("*.md"))
    text = " ".join(drawing.itertext())
    for name in re.findall(r"\bport/\w+|\b(?:cpython|fast|libc|native)\.py\b", text):
        assert (ROOT / name).exists() or (ROOT / "port" / "unix" / name).exists(), name
