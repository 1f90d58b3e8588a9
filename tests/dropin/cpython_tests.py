# SPDX-License-Identifier: MIT
"""Runs CPython's tests of sockets, each in a process of its own; a program of test_cpython.py.

    cpython_tests.py dropin|standard  NAMES-FILE  [OUTPUT-FILE]

With `standard` the interpreter's own modules are tested. Writes a line of JSON for each test: its
name (without "test."), how it ended (ok, skipped, failed, hung) and why.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import types
import unittest
from pathlib import Path

MODULES = ("test_socket", "test_select", "test_selectors", "test_socketserver")
AT_ONCE = 4  # most of them wait most of the time
SECONDS = 20  # for one test


def layer_fcntl(fd, command: int, value: int = 0) -> int:
    from usocket_compat import F_GETFL, F_SETFL, zsock_fcntl

    known = {fcntl.F_GETFL: F_GETFL, fcntl.F_SETFL: F_SETFL}
    return zsock_fcntl(fd if isinstance(fd, int) else fd.fileno(), known[command], value)


def install() -> None:
    """From now on `import socket` and `import select` are the drop-in's."""
    import cpython_build

    standard = sys.modules["socket"], sys.modules["select"]
    ours, ours_select = cpython_build.load()
    for name, loaded in list(sys.modules.items()):
        # Those that hold the standard modules are loaded anew when they are asked for.
        held = vars(loaded) if isinstance(loaded, types.ModuleType) else {}
        keeps = name.startswith(("usocket_compat", "port", "cpython_build", "__main__"))
        if not keeps and any(held.get(n) in standard for n in ("socket", "select")):
            del sys.modules[name]
    sys.modules.update(socket=ours, select=ours_select)
    from usocket_compat import soerr

    # MicroPython has no TimeoutError; where there is one it is socket.timeout.
    soerr.timeout = standard[0].timeout
    # What loads when it is first used must be there for tests that ask the class for it.
    with ours.socket() as one:
        for name in dir(standard[0].socket):
            getattr(one, name, None)
    # Names of CPython's own that its tests look through.
    ours.socket._closed = property(lambda self: self._k == 4)
    ours.socket._sendfile_use_send = ours.socket.sendfile
    import selectors

    # A built-in function is no method of a class that has it.
    selectors.SelectSelector._select = staticmethod(ours_select.select)
    # A number given to it is an fd of the layer.
    fcntl.fcntl = layer_fcntl


def tests() -> dict[str, unittest.TestCase]:
    found = {}

    def add(suite):
        for each in suite:
            if isinstance(each, unittest.TestSuite):
                add(each)
            else:
                found[each.id().partition("test.")[2]] = each

    for name in MODULES:
        add(
            unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"test.{name}"))
        )
    return found


def skipped(test: unittest.TestCase) -> str | None:
    """Why it is not to be run, as its decorators say."""
    for marked in type(test), getattr(test, test._testMethodName):
        if getattr(marked, "__unittest_skip__", False):
            return marked.__unittest_skip_why__
    return None


def outcome(test: unittest.TestCase) -> tuple[str, str]:
    result = unittest.TestResult()
    result.failfast = False
    unittest.TestSuite([test]).run(result)
    for kind in (result.errors, result.failures):
        if kind:
            return "failed", kind[0][1]
    if result.unexpectedSuccesses:
        return "failed", "unexpected success"
    if result.skipped:
        return "skipped", result.skipped[0][1]
    return "ok", ""


def start(test: unittest.TestCase, folder: str) -> tuple[int, int]:
    """A process for it, and where its outcome comes."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    os.setpgid(0, 0)
    os.close(out)
    os.chdir(tempfile.mkdtemp(dir=folder))
    for fd in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), fd)
    try:
        said = outcome(test)
    except BaseException as e:
        said = "failed", repr(e)
    with open(into, "w") as file:
        json.dump(said, file)
    os._exit(0)


def run(wanted: dict[str, unittest.TestCase], folder: str, tell) -> None:
    waiting = list(wanted.items())
    running = {}
    poller = selectors.DefaultSelector()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            name, test = waiting.pop(0)
            why = skipped(test)
            if why is not None:
                tell(name, "skipped", why)
                continue
            pid, out = start(test, folder)
            running[out] = [name, pid, time.monotonic() + SECONDS, b""]
            poller.register(out, selectors.EVENT_READ)
        ready = {key.fd for key, _ in poller.select(0.2)}
        for out, state in list(running.items()):
            name, pid, end, said = state
            if out in ready:
                data = os.read(out, 65536)
                state[3] += data
                if data:
                    continue
            elif time.monotonic() < end:
                continue
            # The process group, so that what the test started ends too.
            for which in (-pid, pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(which, signal.SIGKILL)
            os.waitpid(pid, 0)
            poller.unregister(out)
            os.close(out)
            del running[out]
            if out in ready:
                tell(name, *(json.loads(said) if said else ("failed", "the process died")))
            else:
                tell(name, "hung", f"more than {SECONDS} s")


def main() -> None:
    which, names, *output = sys.argv[1:]
    if which == "dropin":
        install()
    known = tests()
    wanted = Path(names).read_text().split() or list(known)
    with open(output[0], "w") if output else sys.stdout as file:

        def tell(name: str, how: str, why: str) -> None:
            print(json.dumps([name, how, why]), file=file, flush=True)

        with tempfile.TemporaryDirectory(prefix="usocket-test-") as folder:
            run({name: known[name] for name in wanted}, folder, tell)
    os._exit(0)


if __name__ == "__main__":
    main()
