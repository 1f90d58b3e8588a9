# SPDX-License-Identifier: MIT
# What `usocket doctor` says of `import socket`: whose module a program gets, and with it asyncio
# and WebREPL, on a board and in the unix target's MicroPython.
from __future__ import annotations

import importlib.metadata
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .. import files
from ..boards import answers, filesystem, identity
from ..boards.device import Device
from ..builds import interpreters
from ..errors import UsocketError
from ..layer import bundle, compiling, dropin, kconfig, micropypath
from .finding import NOTE, OK, WRONG, Finding

# For each module its file ('' for what is built in), an error, and whether it has put itself into
# the place of the old name, as the drop-in does. Then those who have another one than that.
_SEEN = """
import sys
def seen(names):
    found = {}
    for n in names:
        try:
            m = __import__(n)
            found[n] = getattr(m, '__file__', ''), '', sys.modules.get('u' + n) is m
        except Exception as e:
            found[n] = '', repr(e), False
    other = []
    for who, n in (('asyncio', 'select'), ('webrepl', 'socket')):
        try:
            m = __import__(who)
            m = getattr(m, 'core', m)
            if getattr(m, n) is not sys.modules.get(n, __import__(n)):
                other.append(who)
        except Exception:
            pass
    return found, other
print(seen(%r))
"""
_LAYER = """
def layer():
    try:
        import usocket_compat as n
        return n.__version__, n.__path__
    except Exception:
        return None
print(layer())
"""
_WHO = {"asyncio": "asyncio", "webrepl": "WebREPL"}
_VERSION = answers.either(answers.nothing, answers.parts(answers.text(), answers.text()))


def _seen() -> answers.Shape:
    module = answers.parts(answers.text(), answers.text(), answers.flag)
    return answers.parts(
        answers.record(dict.fromkeys(dropin.modules(), module)),
        answers.several(_WHO.__contains__),
    )


def board(
    device: Device, facts: identity.Facts, wanted: kconfig.Values, source: str
) -> Iterator[Finding]:
    name = device.name
    found, other = answers.ask(device, _SEEN % (dropin.modules(),), _seen())
    layer = answers.ask(device, _LAYER, _VERSION)
    there = dropin.look(device)
    inside = dropin.look(device, f"{layer[1]}/{dropin.INSIDE}") if layer else {}
    known = _known(facts, layer, inside)
    brings = f"`usocket deploy --device {name}` brings the set that is configured."
    kinds = {}
    for module, (path, error, stands) in found.items():
        kind = _kind(module, path, stands, there, known)
        kinds[module] = kind
        if kind in (_OURS, _STALE) and layer is None:
            yield Finding(
                WRONG,
                f"{name}: `import {module}` finds the drop-in, whose layer is not there",
                f"{brings} With --remove it takes what is left away.",
            )
        elif error:
            yield Finding(
                WRONG,
                f"{name}: `import {module}` does not work: {error}",
                f"{brings} Files that are not of this project: `mpremote fs rm`."
                if kind == _OTHER
                else f"{brings} With --remove the firmware's own is there again.",
            )
        elif kind == _STAND_IN:
            yield Finding(
                NOTE, f"{name}: the change of its {module} was interrupted; it works", brings
            )
        elif kind == _STALE:
            yield Finding(
                NOTE,
                f"{name}: its drop-in {module} is of another version than the layer",
                brings,
            )
        elif kind == _OTHER:
            yield Finding(
                NOTE,
                f"{name}: `import {module}` finds {path or _shown(module, there)}, which is not of"
                " this project",
                "`mpremote fs rm` removes it, if it is not meant to be there.",
            )
    if set(kinds.values()) <= {_OURS} or set(kinds.values()) <= {_FIRMWARE}:
        yield _verdict(name, kinds, layer, found, wanted, source)
    elif _FIRMWARE in kinds.values() and _OURS in kinds.values():
        yield Finding(
            NOTE,
            f"{name}: the drop-in is there in part: "
            + ", ".join(f"{module} is {kind}" for module, kind in kinds.items()),
            brings,
        )
    for who in other:
        yield Finding(
            NOTE,
            f"{name}: {_WHO[who]} has another socket or select than `import` finds now",
            "boot.py may have loaded it before sys.path was changed.",
        )


def _shown(module: str, there: dropin.Places) -> str:
    return f"{dropin.LIB}/{dropin.effective(module, there)}"


# Whose a module is.
_FIRMWARE, _OURS, _STALE = "the firmware's own", "the drop-in", "an old drop-in"
_STAND_IN, _OTHER = "between two versions", "another's"


def _verdict(
    name: str,
    kinds: dict[str, str],
    layer: tuple[str, str] | None,
    found: dict[str, tuple[str, str, bool]],
    wanted: kconfig.Values,
    source: str,
) -> Finding:
    """Where both modules are of one kind."""
    who = f"{name}: `import socket`, asyncio and WebREPL have "
    ours = set(kinds.values()) == {_OURS}
    if ours and layer:
        frozen = ", frozen into its firmware" if "/" not in found["socket"][0] else ""
        text = f"{who}the drop-in of usocket_compat {layer[0]}{frozen}"
        if not wanted["USOCKET_DROPIN"] and not frozen:
            return Finding(
                NOTE,
                f"{text}; {source} has USOCKET_DROPIN=n",
                "`usocket deploy` takes it away, and `usocket run` of a program that names"
                " usocket_compat; with CONFIG_USOCKET_DROPIN=y it stays.",
            )
        return Finding(OK, text)
    if wanted["USOCKET_DROPIN"]:
        return Finding(
            NOTE,
            f"{who}the firmware's own; {source} has USOCKET_DROPIN=y",
            f"`usocket deploy --device {name}` brings the drop-in.",
        )
    return Finding(OK, f"{who}the firmware's own")


def _known(
    facts: identity.Facts, layer: tuple[str, str] | None, inside: dropin.Places
) -> dict[str, set[str]]:
    """Module -> digests of the files that fit the layer of the board."""
    known: dict[str, set[str]] = {module: set() for module in dropin.modules()}
    for name, place in inside.items():
        known[name.partition(".")[0]].add(place.digest)
    here = importlib.metadata.version("usocket-compat")
    if not inside and layer and layer[0] == here:
        # As mip brings them; or in a ROMFS.
        chosen = bundle.configuration(facts.board)
        compiled = bundle.dropin_modules(compiling.Compiler(facts), chosen)
        for name, content in compiled.items():
            known[name.partition(".")[0]].add(filesystem.sha256(content))
        for module, file in files.dropin_files().items():
            known[module].add(filesystem.sha256(file.read_bytes()))
    return known


def _kind(
    module: str, path: str, stands: bool, there: dropin.Places, known: dict[str, set[str]]
) -> str:
    now = dropin.effective(module, there)
    if now and dropin.stands_in(now, there[now]):
        return _STAND_IN
    if now and (not path or path == f"{dropin.LIB}/{now}"):
        if not dropin.ours(now, there[now]):
            return _OTHER
        return _OURS if there[now].digest in known[module] else _STALE
    if not path:
        return _FIRMWARE
    # Frozen, in a ROMFS or elsewhere, where its file is not looked at.
    return _OURS if stands else _OTHER


# The unix target.


def unix(interpreter: interpreters.Interpreter) -> Finding:
    """What a program has that `usocket run --target unix` starts."""
    what = f"MicroPython {interpreter.version} by `usocket run --target unix`: `import socket`"
    try:
        conf = kconfig.named()
        wanted = kconfig.load(conf or kconfig.board_file("UNIX"))["USOCKET_DROPIN"]
        environment = {k: v for k, v in os.environ.items() if k != kconfig.NAMED}
        environment["MICROPYPATH"] = micropypath.search_path(conf)
        done = subprocess.run(
            [interpreter.path, "-c", _SEEN % (dropin.modules(),)],
            capture_output=True,
            text=True,
            timeout=10,
            env=environment,
            cwd="/",
        )
        found, _ = answers.parsed(str(interpreter.path), done.stdout, _seen())
    except (OSError, subprocess.SubprocessError, UnicodeError, answers.Nonsense):
        return Finding(
            WRONG,
            f"{what} cannot be tried",
            "`usocket micropython --newest` prints the interpreter's path.",
        )
    except UsocketError as error:
        return Finding(WRONG, str(error), error.hint)
    own = {str(file) for file in files.dropin_files().values()}
    for module, (path, trouble, _) in found.items():
        if trouble:
            return Finding(
                WRONG,
                f"{what.replace('socket`', module + '`')} does not work: {trouble}",
                f"It finds {Path(path)}." if path else "MICROPYPATH may lead to another file.",
            )
        if path and path not in own:
            return Finding(
                NOTE,
                f"{what.replace('socket`', module + '`')} finds {path}",
                "MICROPYPATH leads to it.",
            )
    paths = {path for path, _, _ in found.values()}
    if wanted and paths <= own:
        release = importlib.metadata.version("usocket-compat")
        return Finding(OK, f"{what} and asyncio have the drop-in of usocket_compat {release}")
    return Finding(OK, f"{what} and asyncio have its own socket")
