# SPDX-License-Identifier: MIT
"""What the documentation shows is run, what it names exists, and its pages can be built."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import mpremote.main
import pytest
from pages import Block, blocks, inline, links

import usocket_compat
from usocket_tools import cli
from usocket_tools.vboard.board import Board

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
BLOCKS = [block for page in PAGES for block in blocks(page)]
USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
EVERYWHERE = ("cpython", "unix", "vboard")
SECONDS = 60
WIFI = "lab\nsecret99\n"
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
            names = [word[2:].replace("-", "_") for word in words[::2]]
            running[key] = Board(**dict(zip(names, words[1::2])))
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
    kinds = ("python", "sh", "c", "text", "", "{eval-rst}", "{toctree}")
    assert block.language in kinds
    marks = {
        "python": r"|on: (cpython|unix|vboard)( (cpython|unix|vboard))*(, in the checkout)?"
        r"|on: vboard( --\S+ \S+)+|fragment: .+|test: (test_\w+)",
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
    done = subprocess.run(
        [*command, str(file)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    if block.prints is not None:
        assert done.stdout == block.prints


def test_first_server(boards, tmp_path):
    (block,) = [block for block in BLOCKS if block.mark == "test: test_first_server"]
    file = tmp_path / "server.py"
    file.write_text(block.text)
    board = boards()
    port = board.forward("0:7000")
    command = [*USOCKET, "run", "--device", board.device, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "on 10.0.2.15 port 7000\n"
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


def test_zephyr_program(tmp_path):
    """With Zephyr's names made those of POSIX it does the same as the one in Python."""
    ((block, after),) = [
        (block, BLOCKS[n + 1 :]) for n, block in enumerate(BLOCKS) if block.language == "c"
    ]
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


# Commands


@pytest.fixture
def parse(monkeypatch) -> Callable[[list[str]], int]:
    """The usocket command as far as its arguments go."""
    for name, command in list(cli.COMMANDS.items()):
        monkeypatch.setitem(cli.COMMANDS, name, command._replace(do=lambda args: 0))
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
            assert end.code == 0 and "--help" in words
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


INLINE = sorted(
    {
        text
        for page in PAGES
        for text in inline(page)
        if re.match(r"(usocket|make|mpremote) [a-z]", text)
    }
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
            assert not word.startswith("--") or re.search(rf"{word}\b", help), word
    elif program == "make":
        assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), re.M)
    else:
        assert name in mpremote.main._COMMANDS


# What is complete


def public_names() -> set[str]:
    return set(usocket_compat.__all__) - {"errno"}


def test_api_has_every_call():
    text = (DOCS / "api.md").read_text()
    listed = set(re.findall(r"(?:auto(?:function|class)|exception):: (\w+)(?!.*\.)", text))
    calls = {name for name in public_names() if callable(getattr(usocket_compat, name))}
    # The POSIX names are the same objects as the long ones.
    assert listed == {name for name in calls if not {"zsock_" + name, "zvfs_" + name} & calls}


def test_every_call_has_a_docstring():
    for name in public_names() - {"gaierror"}:  # the platform's own
        value = getattr(usocket_compat, name)
        assert not callable(value) or value.__doc__, name


def test_constants_are_those_of_every_port():
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (DOCS / "constants.md").read_text()))
    assert named == set(usocket_compat._port.load().names())


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


def build(folder: Path, output: Path) -> subprocess.CompletedProcess:
    command = ["sphinx", "-q", "-W", "--keep-going", "-d", f"{output}-trees", "-b", "html"]
    return subprocess.run(
        [sys.executable, "-m", *command, str(folder), str(output)],
        env=environment(),
        capture_output=True,
        text=True,
    )


def test_pages_can_be_built(tmp_path):
    done = build(DOCS, tmp_path / "html")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    api = (tmp_path / "html" / "api.html").read_text()
    assert "The addresses of a host and service" in api
    for file in (tmp_path / "html").rglob("*"):
        if file.suffix in (".html", ".css"):
            text = file.read_text()
            loads = re.findall(
                r"""(?:<(?:script|img|link)[^>]*(?:src|href)=["']?|url\(["']?)\S+""", text
            )
            assert not [each for each in loads if "//" in each], file.name


@pytest.mark.parametrize(
    "text",
    [
        "[gone](gone.md)",
        "[gone](parity.md#gone)",
        "```{eval-rst}\n.. autofunction:: usocket_compat.gone\n```",
    ],
    ids=["page", "heading", "function"],
)
def test_a_dead_link_is_found(text, tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs")
    with (tmp_path / "docs" / "vboard.md").open("a") as file:
        file.write("\n" + text + "\n")
    done = build(tmp_path / "docs", tmp_path / "html")
    assert done.returncode == 1 and "gone" in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for link in links(page):
        if not re.match(r"https?:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_every_page_is_in_the_contents():
    contents = next(b for b in blocks(DOCS / "index.md") if b.language == "{toctree}").text
    assert set(contents.split()) - {":hidden:"} == {p.stem for p in DOCS.glob("*.md")} - {"index"}
