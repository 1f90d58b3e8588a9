"""`make setup`: what it does when packages are missing. Nothing is installed here."""

from __future__ import annotations

import subprocess

import pytest

from usocket_tools.make import setup


@pytest.fixture
def commands(monkeypatch):
    """The commands that setup would run; sudo wants a password."""
    ran = []

    def run(command, **options):
        ran.append([str(part) for part in command])
        return subprocess.CompletedProcess(command, 1 if "sudo" in command[0] else 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(setup, "command", lambda name: f"/usr/bin/{name}")
    return ran


def test_without_root_it_prints_the_line_to_run(commands, monkeypatch, capsys):
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    setup.install(["libffi-dev", "nginx-light", "mosquitto"])
    assert capsys.readouterr().out.splitlines()[-1].split() == (
        "sudo apt-get install -y --no-install-recommends libffi-dev nginx-light mosquitto"
        " && sudo systemctl disable --now nginx mosquitto"
    ).split(" ")
    assert commands == [["/usr/bin/sudo", "-n", "true"]] or commands == [["sudo", "-n", "true"]]


def test_as_root_no_service_is_started(commands, monkeypatch, tmp_path):
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(setup, "POLICY", policy)
    setup.install(["nginx-light"])
    first, *_, last = commands
    assert first == ["tee", str(policy)]
    assert last == ["update-rc.d", "nginx", "disable"]
    apt = next(i for i, command in enumerate(commands) if "install" in command)
    assert "nginx-light" in commands[apt]
    assert commands.index(["rm", "-f", str(policy)]) > apt


def test_an_existing_policy_is_kept(commands, monkeypatch, tmp_path):
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    monkeypatch.setattr(setup, "POLICY", policy)
    setup.install(["curl"])
    assert not any(str(policy) in command for command in commands)


def test_elsewhere_than_on_debian(monkeypatch, capsys):
    monkeypatch.setattr(setup, "command", lambda name: None)
    setup.install(["curl", "make"])
    assert "not a Debian system" in capsys.readouterr().out


def test_an_old_python_is_told(monkeypatch, capsys):
    monkeypatch.setattr(setup.sys, "version_info", (3, 8, 1))
    assert setup.main() == 1
    assert "Python 3.9" in capsys.readouterr().err


def test_this_machine_is_set_up():
    assert [package for package in setup.PACKAGES if not setup.has_package(package)] == []
