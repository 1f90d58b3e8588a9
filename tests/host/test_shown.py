"""What the command says never drives the terminal: names of files, arguments, settings."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import unicodedata

import pytest

from usocket_tools import shown

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
# Unicode's classes of direction that are marks, embeddings, overrides and isolates (annex 9).
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = {0x061C, 0x200E, 0x200F}


def drives(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in TURNS
        or ord(character) in MARKS
    )


def test_every_character():
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if not drives(character):
            assert shown.shown(character) == character, hex(number)
            continue
        escaped = shown.shown(character)
        assert escaped.isascii() and escaped.isprintable(), hex(number)
        assert escaped.encode().decode("unicode_escape") == character
        kept = character in "\n\t"
        assert shown.shown(character, lines=True) == (character if kept else escaped)


@pytest.mark.parametrize("coding", ["utf-8", "ascii", "latin-1"])
def test_a_stream_that_cannot_encode_it(coding, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), coding)
    monkeypatch.setattr(sys, "stdout", stream)
    shown.say("grüße ☃ \x1b", "two")
    text = stream.buffer.getvalue().decode(coding)
    expected = "grüße ☃".encode(coding, "backslashreplace").decode(coding)
    assert text == expected + " \\x1b\ntwo\n"


EVIL = "\x1b]0;owned\x07\x9b2J\u202egnp.\nusocket: a lie"
ESCAPED = r"\x1b]0;owned\x07\x9b2J\u202egnp.\nusocket: a lie"


def usocket(*words: object, env=None) -> subprocess.CompletedProcess:
    command = [*USOCKET, *map(str, words)]
    env = {**os.environ, "PYTHONUTF8": "1", **(env or {})}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=env, timeout=60)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--target", "cpython", EVIL],
        ["run", "--target", EVIL, "x.py"],
        ["run", "--device", EVIL, __file__],
        ["flash", EVIL],
        ["deploy", "--device", EVIL],
        ["deploy", "--manifest", "x", "--board", EVIL],
        ["doctor", "--device", EVIL],
        ["config", "check", EVIL],
        ["config", EVIL],
        ["config", "set", "--board", "UNIX", EVIL],
        ["vboard", "--control", EVIL],
        ["vboard", "--mac", EVIL],
        ["micropython", "--version", EVIL],
        ["test", EVIL],
        [EVIL],
        ["micropython", "more", EVIL],
    ],
    ids=lambda words: "-".join(word for word in words if word != EVIL),
)
def test_a_name_is_shown_escaped(words):
    done = usocket(*words)
    assert done.returncode in (1, 2)
    text = done.stdout + done.stderr
    assert [c for c in text if drives(c) and c not in "\n\t"] == []
    assert not any(line.startswith("usocket: a lie") for line in text.splitlines())
    # Some say it in quotes, as Python does.
    assert ESCAPED in text.replace("\\\\", "\\") or words == ["test", EVIL], text


def test_a_file_of_the_configuration(tmp_path):
    conf = tmp_path / (EVIL.replace("/", "") + ".conf")
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=8\n")
    done = usocket("config", "check", conf)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/{ESCAPED}.conf: fine\n")
    # What is generated is for a board: the name is in a comment, and stays in it.
    done = usocket("config", "generate", "--board", conf)
    assert done.returncode == 0 and f"and {ESCAPED}.conf by" in done.stdout.partition("\n")[0]


def test_a_name_that_is_no_text(tmp_path):
    """Bytes that are no UTF-8, which Python cannot print."""
    done = subprocess.run(
        [*USOCKET, "config", "check", os.fsencode(tmp_path) + b"/\xff.conf"],
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 1 and rb"\udcff.conf" in done.stderr
    assert b"Traceback" not in done.stderr
