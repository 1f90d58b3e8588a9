"""Libraries of the package index, unmodified, as they lie in their source archives.

pip finds the archives, with this machine's configuration. It installs nothing: the setup.py of
such packages is not run. What was fetched is kept, and each archive is known by its sha256.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

from usocket_tools.builds import building
from usocket_tools.files import cache_dir


class Library(NamedTuple):
    archive: str
    sha256: str
    # What of it a program imports, by patterns below this folder.
    modules: tuple[str, ...]
    below: str = "."
    # The project in the index, where that is another name.
    project: str = ""


LIBRARIES = {
    "aiomqttc": Library(
        "aiomqttc-1.0.7.tar.gz",
        "cd41bd0ef0f36e3c73213f38b2eb6bb2b4f27637f77831240a9e4c8ce5ca51a2",
        ("aiomqttc.py",),
    ),
    "micro-nats": Library(
        "micro_nats-1.0.2.tar.gz",
        "db029eb101250a8fdadf6bf93cc8b32adb4ee947bc035fd1ad235db3e577a757",
        ("micro_nats/**/*.py",),
    ),
    "microdot": Library(
        "microdot-2.7.0.tar.gz",
        "e11f39f0f5564bb5db69f728902740ed592d632ae7a03e24ca3a88cd59ad2f53",
        ("microdot/*.py",),
        "src",
    ),
    "microdot's tests": Library(
        "microdot-2.7.0.tar.gz",
        "e11f39f0f5564bb5db69f728902740ed592d632ae7a03e24ca3a88cd59ad2f53",
        # Without __init__.py, which imports what needs jinja and jwt.
        ("tests/mock_socket.py", "tests/test_*.py"),
        project="microdot",
    ),
    "micropg": Library(
        "micropg-0.3.4.tar.gz",
        "13f7a1b3b734289469288154aa1a1585c6527dbd821bf3a999c994b2944c0c0b",
        ("micropg.py",),
    ),
    "micropython-mdns": Library(
        "micropython_mdns-1.8.0.tar.gz",
        "ebdae77acebebf05a409074bc365f20de4ea40f9ebb19ed76904d3f3d4728866",
        ("mdns_client/**/*.py",),
    ),
    "micropython-mqtt-async": Library(
        "micropython-mqtt-async-0.7b4.tar.gz",
        "c10a8a34064adad629f71f7ea559f7070169ce13c180265509f68f58618eec2b",
        ("mqtt_async.py",),
    ),
    "micropython-umqtt-robust2": Library(
        "micropython-umqtt.robust2-2.2.0.tar.gz",
        "da3a09a570868d8e4ae6d2fad475230f6f2b130b45711be6873f83b10ebd4a6c",
        ("umqtt/robust2.py",),
    ),
    "micropython-umqtt-simple": Library(
        "micropython-umqtt.simple-1.3.4.tar.gz",
        "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f",
        ("umqtt/simple.py",),
    ),
    "micropython-umqtt-simple2": Library(
        "micropython-umqtt.simple2-2.2.0.tar.gz",
        "48fd4da7701b95986293b06d343fbc564ebe7dfa82f5c8c09364c20df755f0e4",
        ("umqtt/__init__.py", "umqtt/errno.py", "umqtt/simple2.py"),
    ),
    "micropython-unittest": Library(
        "micropython-unittest-0.4.tar.gz",
        "83b4a65c44b2f6382bc3dd8fbbe002b5679dbfc3744b99eaa59802e6fd14cf67",
        ("unittest.py",),
    ),
    "micropython-urequests": Library(
        "micropython-urequests-0.9.1.tar.gz",
        "15ed0132bcff1a84e87049d9d7780ce26df0810fa674aa89d187e17493d6e3c5",
        ("urequests/__init__.py",),
    ),
    "uiperf3": Library(
        "uiperf3-0.1.2.tar.gz",
        "93e7c742328334afb14a7005df4bd0d57a0eb9688c2cf3068fb9a8d99568011f",
        ("uiperf3.py",),
    ),
}

# pip's own way from a name to an archive, in a process of its own: the indexes, certificates and
# proxies that this machine's pip is configured with.
_FETCH = """
import sys
from pip._internal.commands import create_command

name, archive, target = sys.argv[1:]
command = create_command("download")
options, _ = command.parse_args([name])
with command.main_context():
    session = command.get_default_session(options)
    finder = command._build_package_finder(options, session)
    links = [c.link for c in finder.find_all_candidates(name) if c.link.filename == archive]
    if not links:
        sys.exit(f"pip finds no {archive}")
    if links[0].is_file:
        data = open(links[0].file_path, "rb").read()
    else:
        answer = session.get(links[0].url_without_fragment)
        answer.raise_for_status()
        data = answer.content
with open(target, "wb") as file:
    file.write(data)
"""


def folder(name: str) -> Path:
    """The unpacked archive, fetched if it is not in the cache."""
    library = LIBRARIES[name]
    kept = cache_dir() / "libraries" / f"{library.archive[:-7]}-{library.sha256[:8]}"

    def fetch(work: Path, done: Path) -> None:
        archive = work / library.archive
        project = library.project or name
        command = [sys.executable, "-c", _FETCH, project, library.archive, str(archive)]
        said = subprocess.run(command, capture_output=True, text=True)
        assert archive.is_file(), f"{name} cannot be fetched:\n{said.stderr}"
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert found == library.sha256, f"{library.archive} is another file: {found}"
        with tarfile.open(archive) as tar:
            tar.extractall(work / "all")
        (top,) = (work / "all").iterdir()
        for entry in top.iterdir():
            entry.rename(done / entry.name)

    building.kept(kept, fetch)
    return kept


def root(name: str) -> Path:
    """The folder that belongs on the path."""
    return folder(name) / LIBRARIES[name].below


def modules(name: str) -> dict[str, Path]:
    """Its modules: path below the root, without suffix -> file."""
    top = root(name)
    found = {}
    for pattern in LIBRARIES[name].modules:
        for file in sorted(top.glob(pattern)):
            found[file.relative_to(top).with_suffix("").as_posix()] = file
    assert found, f"{name} holds nothing of {LIBRARIES[name].modules}"
    return found
