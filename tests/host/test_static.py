"""Static checks: formatting, lint, types of the host tools and of what runs on a board."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from usocket_tools.files import PORTS, cache_dir

ROOT = Path(__file__).resolve().parents[2]
STUBS = "1.26.*"

# The on-device code has no annotations: what is checked is that the names it uses exist on
# MicroPython and that its own calls fit together.
MYPY = """\
[mypy]
mypy_path = {stubs}
custom_typeshed_dir = {stubs}
platform = linux
no_site_packages = True
check_untyped_defs = True
strict_optional = False
disable_error_code = var-annotated, no-redef, assignment
[mypy-usocket_tools.*]
ignore_missing_imports = True
"""
# What the stubs, or mypy, do not know. Pattern of an error -> why it is none.
KNOWN = {
    r'port/unix/.* Module has no attribute "errno"': "os.errno() is in the unix port",
    r'to "inet_ntop" has incompatible type "bytearray"': "any buffer will do",
    r'Module "port" has no attribute "esp32"': "that port is not there yet",
    r'"None" has no attribute': "a list made of None is filled later",
}


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "command",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]],
    ids=["ruff-check", "ruff-format", "mypy-tools"],
)
def test_clean(command):
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def stubs(port: str) -> Path:
    """The folder of MicroPython's stub packages for this port, kept in the cache."""
    folder = cache_dir() / "stubs" / f"{port}-{STUBS[:-2]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            package = f"micropython-{port}-stubs=={STUBS}"
            done = run("pip", "install", "-q", "--target", str(work / "new"), package)
            assert done.returncode == 0, done.stderr
            (work / "new").rename(folder)
        finally:
            shutil.rmtree(work)
    return folder


@pytest.mark.parametrize("port", ["unix", "esp32"])
def test_device_types(port, tmp_path):
    folder = stubs(port)
    config = MYPY.format(stubs=folder)
    modules = ["port"]
    if (PORTS / port).is_dir():
        modules += [
            f"port.{port}.{file.stem}".replace(".__init__", "")
            for file in sorted((PORTS / port).glob("*.py"))
            if file.stem != "cpython"
        ]
    # The other ports, and CPython's part of this one, are not for this interpreter.
    for other in ["port.unix.cpython"] + (["port.unix.*"] if port != "unix" else []):
        config += f"[mypy-{other}]\nfollow_imports = skip\n"
    (tmp_path / "mypy.ini").write_text(config)
    flags = ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path / "cache")]
    flags += ["-p", "usocket_compat", *(flag for name in modules for flag in ("-m", name))]
    done = run("mypy", *flags)
    assert not done.stderr, done.stderr
    errors = [
        line
        for line in done.stdout.splitlines()
        if ": error: " in line
        and not line.startswith(str(folder))
        and not any(re.search(pattern, line) for pattern in KNOWN)
    ]
    assert re.search(r"checked (?!0 )\d+ source files", done.stdout), done.stdout
    assert errors == []
