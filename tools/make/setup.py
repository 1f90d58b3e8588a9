# SPDX-License-Identifier: MIT
# `make setup`: system packages where they are missing, then .venv with the usocket command.
# Runs under the system's python3: the standard library alone, and syntax that an old Python
# reads, so that it can say what is wrong.
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Optional

TOP = Path(__file__).resolve().parents[2]
VENV = TOP / ".venv"
STAMP = VENV / "usocket-setup"
# CPython's own tests, which Debian packages by themselves.
TESTSUITE = "libpython%d.%d-testsuite" % sys.version_info[:2]
POLICY = Path("/usr/sbin/policy-rc.d")

# Debian package -> the command that shows it is there; None: has_package looks further.
PACKAGES = {
    "gcc": "gcc",
    "libc6-dev": None,
    "make": "make",
    "pkg-config": "pkg-config",
    "libffi-dev": None,
    "libslirp0": None,
    "xz-utils": "xz",
    "bzip2": "bzip2",
    "openssl": "openssl",
    "python3-venv": None,
    "gcc-multilib": None,
    "curl": "curl",
    "nginx-light": "nginx",
    "dnsmasq-base": "dnsmasq",
    "mosquitto": "mosquitto",
    "mosquitto-clients": "mosquitto_sub",
    "postgresql": None,
    "iperf3": "iperf3",
    "nats-server": "nats-server",
    "lua5.4": "lua5.4",
    "lua-socket": None,
    "nodejs": "node",
    "iproute2": "ip",
    "util-linux": "unshare",
    TESTSUITE: None,
}

# Wanted as programs, not as services: neither started now nor at the next boot.
SERVICES = {
    "nginx-light": "nginx",
    "mosquitto": "mosquitto",
    "postgresql": "postgresql",
    "nats-server": "nats-server",
}


def main() -> int:
    if sys.version_info < (3, 9):
        return fail("Python 3.9 or later is needed; name one: make setup PYTHON=python3.11")
    if not sys.platform.startswith(("linux", "darwin")):
        return fail("Linux or macOS is needed")
    digest = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == digest:
        return 0
    missing = [package for package in PACKAGES if not has_package(package)]
    if missing:
        install(missing)
        missing = [package for package in missing if not has_package(package)]
        if "python3-venv" in missing:
            return fail("without python3-venv there is no .venv; install it and run this again")
    make_venv()
    if missing:
        # No stamp: the next run looks again.
        print("setup: .venv is ready, but some tests need what is missing: " + ", ".join(missing))
    else:
        STAMP.write_text(digest)
        print("setup: .venv is ready; .venv/bin/usocket --help")
    return 0


def fail(message: str) -> int:
    print(f"setup: {message}", file=sys.stderr)
    return 1


def fingerprint() -> str:
    """Changes when .venv has to be made anew: other dependencies, another Python or place."""
    digest = hashlib.sha256((TOP / "pyproject.toml").read_bytes())
    digest.update(Path(__file__).read_bytes())
    digest.update(f"{sys.version} {sys.base_prefix} {TOP}".encode())
    return digest.hexdigest()


def command(name: str) -> Optional[str]:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def has_package(package: str) -> bool:
    if package == "libffi-dev":
        pkg_config = command("pkg-config")
        return bool(pkg_config) and quiet(str(pkg_config), "--exists", "libffi")
    if package == "libc6-dev":
        # Debian's gcc does without it, and then compiles nothing that MicroPython is made of.
        gcc = command("gcc")
        program = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
        return bool(gcc) and quiet(
            str(gcc), "-x", "c", "-o", "/dev/null", "-", "-lpthread", "-lm", text=program
        )
    if package == "libslirp0":
        load = "import ctypes; ctypes.CDLL('libslirp.so.0')"
        return sys.platform != "linux" or quiet(sys.executable, "-c", load)
    if package == "python3-venv":
        return quiet(sys.executable, "-c", "import ensurepip, venv")
    if package == "postgresql":
        # Debian keeps its programs by version, out of the way.
        kept = Path("/usr/lib/postgresql").glob("*/bin/initdb")
        return any(kept) or command("initdb") is not None
    if package == "lua-socket":
        lua = command("lua5.4")
        return bool(lua) and quiet(str(lua), "-e", "require 'socket'")
    if package == TESTSUITE:
        return quiet(sys.executable, "-c", "import test.test_socketserver")
    if package == "gcc-multilib":
        if platform.machine() != "x86_64" or sys.platform != "linux":
            return True
        gcc = command("gcc")
        return bool(gcc) and quiet(
            str(gcc), "-m32", "-E", "-x", "c", "-", text="#include <stdio.h>\n"
        )
    if package in ("iproute2", "util-linux") and sys.platform != "linux":
        return True
    return command(PACKAGES[package] or package) is not None


def quiet(*arguments: str, text: str = "") -> bool:
    return not subprocess.run(arguments, input=text.encode(), capture_output=True).returncode


def install(missing: List[str]) -> None:
    if not command("apt-get"):
        print(
            "setup: this is not a Debian system; please install what these Debian packages"
            " hold: " + " ".join(missing)
        )
        return
    services = [service for package, service in SERVICES.items() if package in missing]
    apt = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() == 0:
        sudo = []
    elif command("sudo") and quiet("sudo", "-n", "true"):
        sudo = ["sudo", "-n"]
    else:
        line = "sudo " + " ".join(apt)
        if services:
            line += " && sudo systemctl disable --now " + " ".join(services)
        print("setup: packages are missing; please run\n  " + line)
        return
    print("setup: installing " + " ".join(missing), flush=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    ours = not POLICY.exists()
    if ours:
        subprocess.run(
            [*sudo, "tee", str(POLICY)], input=b"#!/bin/sh\nexit 101\n", stdout=subprocess.DEVNULL
        )
        subprocess.run([*sudo, "chmod", "755", str(POLICY)])
    try:
        subprocess.run([*sudo, "apt-get", "update", "-q"], stdout=subprocess.DEVNULL)
        subprocess.run([*sudo, *environment, *apt, "-q"], stdout=subprocess.DEVNULL)
    finally:
        if ours:
            subprocess.run([*sudo, "rm", "-f", str(POLICY)])
    for service in services:
        subprocess.run([*sudo, "update-rc.d", service, "disable"], stdout=subprocess.DEVNULL)


def make_venv() -> None:
    python = VENV / "bin" / "python"
    same = f"import sys; sys.exit(sys.version != {sys.version!r})"
    if not (python.is_file() and quiet(str(python), "-c", same)):
        print(f"setup: making .venv with Python {platform.python_version()}", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    print("setup: installing the usocket command and what it needs into .venv", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "-e", f"{TOP}[dev]"], check=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(fail(f"{' '.join(map(str, error.cmd))} failed"))
    except OSError as error:
        sys.exit(fail(str(error)))
