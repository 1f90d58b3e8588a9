# SPDX-License-Identifier: MIT
"""A release: what stands in its way, and that what it builds is what is tried."""

from __future__ import annotations

import email
import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from trove_classifiers import classifiers

from usocket_tools import files
from usocket_tools.errors import UsocketError
from usocket_tools.make import generate, mipindex, release

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE")


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A tree with the project's changes, whose generated files are in step."""
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    monkeypatch.setattr(generate, "stale", lambda top: [])
    return tmp_path


def test_nothing_stands_in_the_way(tree):
    assert release.problems(tree) == []


@pytest.mark.parametrize(
    ("version", "says"),
    [("0.3.0+dev", "three numbers"), ("99.0.0", r"does not begin with \[99.0.0\]")],
)
def test_a_version_that_is_not_this_one(version, says, tree, monkeypatch):
    monkeypatch.setattr(files, "version", lambda: version)
    assert any(re.search(says, problem) for problem in release.problems(tree))


def test_files_out_of_step(tree, monkeypatch):
    monkeypatch.setattr(generate, "stale", lambda top: ["package.json"])
    assert release.problems(tree) == ["out of step, run `make generate`: package.json"]


def test_changes_that_are_not_committed(tree):
    release._run("git", "init", "-q", tree)
    assert release.problems(tree) == ["there are changes that are not committed"]


def test_nothing_is_built_then(monkeypatch, capsys):
    monkeypatch.setattr(release, "problems", lambda top: ["the moon is full"])
    monkeypatch.setattr(release, "make", lambda top, folder: pytest.fail("built"))
    assert release.main() == 1
    assert "not yet:\nthe moon is full" in capsys.readouterr().err


def test_a_release_is_built_and_tried(tmp_path):
    folder = tmp_path / "release"
    release.make(ROOT, folder)
    version = files.version()
    names = {f"usocket_compat-{version}.tar.gz", f"usocket_compat-{version}-py3-none-any.whl"}
    assert {f.name for f in folder.iterdir()} == {*names, "mip", "SHA256SUMS"}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        told = email.message_from_bytes(wheel.read(f"usocket_compat-{version}.dist-info/METADATA"))
    assert set(told.get_all("Classifier")) <= set(classifiers)
    assert told["Author"] == "usocket_compat developers"
    # Each file of the index is one that a package has, and is what its name says.
    index = folder / "mip"
    wanted = set()
    for form in ("py", "6"):
        for name in mipindex.PACKAGES:
            latest = index / "package" / form / name / "latest.json"
            assert latest.read_text() == latest.with_name(f"{version}.json").read_text()
            wanted |= {short for _, short in json.loads(latest.read_text())["hashes"]}
    found = {f.name: f.read_bytes() for f in (index / "file").rglob("*") if f.is_file()}
    assert found.keys() == wanted
    for name, content in found.items():
        assert hashlib.sha256(content).hexdigest().startswith(name)


def test_a_program_that_says_something_else_stops_it():
    with pytest.raises(UsocketError, match="something else with the wheel"):
        release._same("accepted False\n", "the wheel")


# What goes with it


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_a_project_are_there(page):
    assert (ROOT / page).is_file()


def test_the_changelog_is_kept():
    """Its form is Keep a Changelog's: the newest first, each with a date, known headings."""
    text = (ROOT / "CHANGELOG.md").read_text()
    dates = re.findall(r"^## \[\d+\.\d+\.\d+\] - (\d{4}-\d\d-\d\d)$", text, re.M)
    assert dates and dates == sorted(dates, reverse=True)
    headings = set(re.findall(r"^### (.+)$", text, re.M))
    assert headings <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
