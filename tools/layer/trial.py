# SPDX-License-Identifier: MIT
# What was brought to a board, tried there: whether a program finds it, and can use it.
from __future__ import annotations

from ..boards import answers
from ..boards.device import Device
from ..errors import UsocketError
from . import dropin

# What of it is imported, and that it works; in a function, so that nothing stays.
_TRY = """
def attempt():
    import usocket_compat as n
    try:
        n.zsock_close(n.zsock_socket())
    except Exception as e:
        return n.__path__, repr(e)
    return n.__path__, ''
print(attempt())
"""
_TRY_DROPIN = """
def attempt(names):
    for n in names:
        try:
            p = getattr(__import__(n), '__file__', '')
        except Exception as e:
            return n, '', repr(e)
        if p.rpartition('.')[0] != '{lib}/' + n:
            return n, p, ''
print(attempt({names!r}))
"""


def layer(device: Device, expected: str) -> None:
    """Whether a program on the board finds what was brought, and can use it."""
    device.fresh()
    path, error = answers.ask(device, _TRY, answers.parts(answers.text(), answers.text()))
    if path != expected:
        raise UsocketError(
            f"{device.name} does not import what was deployed: it finds {path} first",
            "That one is frozen into its firmware; `usocket flash` writes another."
            if path.startswith(".frozen")
            else "`usocket deploy --remove` removes it from /lib, `mpremote fs rm -r` from"
            " elsewhere.",
        )
    if error:
        raise UsocketError(
            f"{device.name}: the layer is on the board, but no socket can be opened: {error}",
            "`usocket doctor` says more.",
        )


def modules(device: Device, folder: str) -> None:
    """The same of the drop-in modules."""
    code = _TRY_DROPIN.format(lib=folder, names=dropin.modules())
    names = dropin.modules()
    place = answers.parts(names.__contains__, answers.text(), answers.text())
    found = answers.ask(device, code, answers.either(answers.nothing, place))
    if found is None:
        return
    name, path, error = found
    if error:
        raise UsocketError(
            f"{device.name}: the drop-in {name} is on the board, but does not work: {error}",
            "`usocket deploy --remove` takes it away; `usocket doctor` says more.",
        )
    raise UsocketError(
        f"{device.name} does not import the drop-in {name}: it finds {path or 'its own'} first",
        "`mpremote fs rm` removes it; what is not in the file system is frozen into the firmware.",
    )
