"""A client written with the layer against nginx."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import peers
import pytest
from targets import HostTarget

CLIENT = Path(__file__).parent / "programs" / "fetch.py"
SIZES = {"big": 6_000_000, "small": 1234, "empty": 0}
LIMIT = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "root"
    root.mkdir()
    os.chmod(folder, 0o755)
    for name, size in SIZES.items():
        (root / name).write_bytes(os.urandom(size))
    with peers.nginx(folder, root) as port:
        yield port, root


def line(root: Path, name: str) -> str:
    """What the client prints of a whole answer."""
    content = (root / name).read_bytes()
    return f"200 {len(content)} {hashlib.sha256(content).hexdigest()}"


def fetch(target: HostTarget, *args: object) -> list[str]:
    process = target.run(CLIENT, *map(str, args))
    lines = process.rest(LIMIT)
    assert process.end() == "", "\n".join(lines)
    return lines


def test_download(target: HostTarget, site) -> None:
    port, root = site
    for name in SIZES:
        assert fetch(target, "download", port, "/" + name) == [line(root, name), "eof True"]


def test_download_over_af_unix(target: HostTarget, site) -> None:
    port, root = site
    found = fetch(target, "download", port, "/big", root.parent / "nginx.sock")
    assert found == [line(root, "big"), "eof True"]


def test_keep_alive(target: HostTarget, site) -> None:
    port, root = site
    assert fetch(target, "keep-alive", port, "/small") == [line(root, "small")] * 20


def test_head(target: HostTarget, site) -> None:
    port, _ = site
    assert fetch(target, "head", port, "/big") == [f"200 {SIZES['big']} 0"] * 2


def test_many_connections(target: HostTarget, site) -> None:
    port, root = site
    assert fetch(target, "many", port, "/small") == [line(root, "small")] * 50


def test_going_away(target: HostTarget, site) -> None:
    port, root = site
    assert fetch(target, "given-up", port, "/slow/big") == ["gone"]
    assert fetch(target, "download", port, "/small") == [line(root, "small"), "eof True"]


def test_timeout_then_answer(target: HostTarget, site) -> None:
    port, root = site
    assert fetch(target, "timeout", port, "/small") == ["EAGAIN", line(root, "small")]
