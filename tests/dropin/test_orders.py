"""Who comes first, the layer or the drop-in, and who sees which: every order of the imports."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import placed
import pytest

from usocket_tools.vboard.board import Board

# Modules and first uses, one of each in any order.
STEPS = {
    "socket": "import socket",
    "select": "import select",
    "layer": "import usocket_compat as net; net.zsock_close(net.zsock_socket())",
    "asyncio": "import asyncio",
}
WORKS = """
import sys
import socket, select, usocket, uselect
import usocket_compat as net
assert usocket is socket and uselect is select, "old names"
assert socket.native is not socket and not hasattr(socket.native, "native")
from usocket_compat.zbase import p
assert hasattr(socket.socket(), "gettimeout") and not hasattr(socket.native.socket(), "gettimeout")
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(1)
fd = net.zsock_socket()
net.zsock_connect(fd, ("127.0.0.1", PORT))
s = listener.accept()[0]
net.zsock_send(fd, b"through both")
poll = select.poll()
poll.register(s, select.POLLIN)
assert poll.poll(2000), "poll"
assert s.recv(20) == b"through both"
s.sendall(b"and back")
fds = [net.zsock_pollfd(fd, net.POLLIN)]
assert net.zsock_poll(fds, 2000) == 1
assert net.zsock_recv(fd, 20) == b"and back"
for each in s, listener:
    each.close()
net.zsock_close(fd)
print("works")
"""
ORDERS = [order for n in (1, 2, 3, 4) for order in itertools.permutations(STEPS, n)]
# Old code before and after the first `import socket`.
ALIASES = {
    "before": "import usocket, uselect\nold = usocket.socket\nimport socket, select\n"
    "assert old is socket.native.socket and uselect is not select\nprint('works')\n",
    "after": "import socket, select\nimport usocket, uselect\n"
    "assert usocket.socket is socket.socket and uselect.poll is select.poll\nprint('works')\n",
    "alone": "import usocket, uselect\nassert not hasattr(usocket.socket, 'gettimeout')\n"
    "assert not hasattr(usocket, 'native') and not hasattr(uselect, 'native')\nprint('works')\n",
    "inside": "import sys\nfrom socket import socket\nimport usocket\n"
    "assert usocket is sys.modules['socket'] and usocket.socket is socket\nprint('works')\n",
    "anew": "import sys\nimport socket\nfirst = socket.native\ndel sys.modules['socket']\n"
    "import socket\nassert socket.native is first and sys.modules['usocket'] is socket\n"
    "print('works')\n",
}
BOTH = [*(("order", order) for order in ORDERS), *(("alias", name) for name in ALIASES)]
_port = itertools.count(8400)


def program(kind: str, what: tuple[str, ...] | str) -> str:
    if isinstance(what, str):
        return ALIASES[what]
    return "\n".join(STEPS[step] for step in what) + WORKS.replace("PORT", str(next(_port)))


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        placed.on_board(board.device)
        yield board


@pytest.mark.parametrize(("kind", "what"), BOTH, ids=str)
def test_on_unix(kind: str, what, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(program(kind, what))
    done = subprocess.run(
        [placed.unix(), file],
        env=placed.unix_environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("works\n", "")


@pytest.mark.parametrize(
    ("kind", "what"),
    [each for each in BOTH if each[0] == "alias" or len(each[1]) in (1, 3)],
    ids=str,
)
def test_on_a_board(board: Board, kind: str, what, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(program(kind, what))
    assert placed.run(board.device, file).replace("\r", "") == "works\n"
