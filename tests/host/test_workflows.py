# SPDX-License-Identifier: MIT
"""The workflows for GitHub: this project's, and the one that a user copies."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from usocket_tools import cli, files
from usocket_tools.findings import of_machine

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / ".github/workflows/test.yml"
USERS = ROOT / "examples/project/.github/workflows/test.yml"


def job(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    assert found["permissions"] == {"contents": "read"}
    (one,) = found["jobs"].values()
    return dict(one)


def action(file: Path, name: str) -> dict[str, Any]:
    (found,) = [s for s in job(file)["steps"] if s.get("uses", "").startswith(f"actions/{name}@")]
    return dict(found)


def commands(file: Path) -> list[str]:
    lines = [step["run"] for step in job(file)["steps"] if "run" in step]
    return [line for text in lines for line in text.splitlines()]


@pytest.mark.parametrize("file", [OURS, USERS], ids=["ours", "users"])
def test_cache_report_and_versions(file, monkeypatch):
    monkeypatch.delenv("USOCKET_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    cache = action(file, "cache")["with"]
    assert Path(cache["path"]).expanduser() == files.cache_dir()
    for pattern in re.findall(r"'([^']+)'", cache["key"]):
        top = ROOT if file == OURS else USERS.parents[2]
        assert list(top.glob(pattern.replace("/**", "/**/*"))), pattern
    text = (ROOT / "pyproject.toml").read_text()
    oldest = re.findall(r'requires-python = ">=([\d.]+)"', text)
    versions = job(file)["strategy"]["matrix"]["python"]
    # Texts, since 3.10 is no number.
    assert versions[:1] == oldest and all(isinstance(each, str) for each in versions)
    assert of_machine.numbers(versions[-1]) >= list(sys.version_info[:2])
    report = action(file, "upload-artifact")["with"]["path"]
    text = file.read_text()
    assert f"--junit-xml={report}" in text


def test_packages_are_those_that_doctor_asks_for(monkeypatch):
    monkeypatch.setattr(of_machine.setup, "has_package", lambda name: False)
    monkeypatch.setattr(of_machine.interpreters, "cached", lambda *args: [])
    found = [*of_machine.micropython(), of_machine.slirp()]
    wanted = {word for each in found for word in re.findall(r"apt-get install ([^,]*)", each.hint)}
    (install,) = [line for line in commands(USERS) if "install -y" in line]
    assert set(install.partition(" -y ")[2].split()) == set(" ".join(wanted).split())


def test_commands_are_there(monkeypatch):
    """Those of this project, and make's targets."""
    load = cli.load
    monkeypatch.setattr(cli, "load", lambda name: load(name)._replace(do=lambda args: 0))
    ours = [line for line in commands(USERS) if line.startswith("usocket ")]
    assert ours
    for line in ours:
        assert cli.main(shlex.split(line)[1:]) == 0
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    assert {line.split()[1] for line in commands(OURS)} <= set(targets)
    needs = (USERS.parents[2] / "requirements.txt").read_text().split()
    assert needs == ["pytest", "usocket-compat"]
