"""Markdown, and the subjects of commits."""

from __future__ import annotations

import re
import shutil
import subprocess

import prose
import pytest

SUBJECT_MOST = 72
# Commits of before are not looked at. Not a commit's name, which a rebase changes.
SINCE = "2026-11-28T00:00:00Z"

PAGE = """\
- One sentence. {long}.
Short. All of it.
{long}
| a row. Of a table | {long} | {long} |
```
{long}. {long}. {long}.
```
"""
LONG = "One sentence, " + "as long as it likes, " * 4 + "is one line"


def test_a_long_line_is_one_sentence():
    found = {file.name: prose.wrong(file.read_text(encoding="utf-8")) for file in prose.pages()}
    assert {"README.md", "architecture.md"} <= found.keys()
    assert {name: numbers for name, numbers in found.items() if numbers} == {}, (
        "`.venv/bin/python tests/static/prose.py --write` breaks them"
    )


def test_what_is_broken():
    page = PAGE.format(long=LONG)
    assert prose.wrong(page) == [1]
    lines = [part for _, _, parts in prose.mended(page) for part in parts]
    assert lines[:2] == ["- One sentence.", f"  {LONG}."]
    assert lines[2:] == page.split("\n")[1:]
    assert prose.sentences('Say "so." (Or `not`.) e.g. Thus') == [
        'Say "so."',
        "(Or `not`.) e.g. Thus",
    ]


# Words at which readers have stopped, and what they read on with.
STOPS = {
    "anew": "again",
    "for ever": "without limit",
    "is no int": "is not an int",
    "beforehand": "before",
}


@pytest.mark.parametrize("word", STOPS)
def test_words_that_everybody_reads(word):
    pattern = re.compile(rf"\b{word}\b", re.I)
    pages = [*prose.pages(), prose.ROOT / "Kconfig"]
    found = [file.name for file in pages if pattern.search(file.read_text(encoding="utf-8"))]
    assert found == [], f"rather: {STOPS[word]}"


def git(*arguments: str) -> str:
    command = ["git", "-C", str(prose.ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_subjects_of_commits_are_short():
    if not shutil.which("git") or not (prose.ROOT / ".git").exists():
        pytest.skip("no repository: an archive has no commits")
    if git("rev-parse", "--is-shallow-repository").strip() == "true":
        pytest.skip("a shallow clone: its commits are not there")
    subjects = git("log", "--no-merges", "--format=%h %s", f"--since={SINCE}").splitlines()
    assert [line for line in subjects if len(line.partition(" ")[2]) > SUBJECT_MOST] == []
