"""The list of on-device files, and the staged copy of them."""

from __future__ import annotations

import pytest

from usocket_tools import files
from usocket_tools.errors import UsocketError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("USOCKET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_cache_dir(monkeypatch, tmp_path, cache):
    assert files.cache_dir() == cache
    monkeypatch.delenv("USOCKET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_dir() == tmp_path / "usocket_compat"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_dir() == tmp_path / ".cache" / "usocket_compat"


def test_device_files():
    found = files.device_files("unix")
    for name in ("__init__.py", "_config.py", "port/__init__.py", "port/unix/__init__.py"):
        assert found[f"usocket_compat/{name}"].is_file()
    assert all(file.suffix == ".py" for file in found.values())
    with pytest.raises(UsocketError, match="no port 'toaster'"):
        files.device_files("toaster")


def test_stage():
    folder = files.stage("unix", "ZVFS_OPEN_MAX = 5\n")
    assert (folder / "usocket_compat/_config.py").read_text() == "ZVFS_OPEN_MAX = 5\n"
    names = {file.relative_to(folder).as_posix() for file in folder.rglob("*.py")}
    assert names == set(files.device_files("unix"))
    assert files.stage("unix", "ZVFS_OPEN_MAX = 5\n") == folder
    assert files.stage("unix", "ZVFS_OPEN_MAX = 6\n") != folder
    assert sorted(each.name[:5] for each in folder.parent.iterdir()) == ["unix-", "unix-"]
