# SPDX-License-Identifier: MIT
"""Ancillary data of the drop-in: its sizes are CPython's, and fds of the layer go through."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import placed

LENGTHS = (*range(20), 255, 1000)

SIZES = f"""
import socket
print([(socket.CMSG_LEN(n), socket.CMSG_SPACE(n)) for n in {LENGTHS}])
for call in socket.CMSG_LEN, socket.CMSG_SPACE:
    for n in -1, 0x7fffffff:
        try:
            print(call(n))
        except OverflowError:
            print("too large")
"""

FDS = """
import socket
a, b = socket.socketpair()
there, back = socket.socketpair()
print(socket.send_fds(a, [b"two ", b"of them"], [there.fileno(), back.fileno()]))
data, fds, flags, address = socket.recv_fds(b, 100, 2)
print(data, len(fds), flags)
with socket.socket(fileno=fds[0]) as one, socket.socket(fileno=fds[1]) as other:
    one.send(b"through")
    print(other.recv(20))
print(socket.send_fds(a, [b"none"], []), socket.recv_fds(b, 100, 4)[:2])
"""


def printed(program: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [placed.unix(), "-c", program],
        env=placed.unix_environment(),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
    )
    return done.stdout.splitlines()


def test_sizes_are_the_systems(tmp_path):
    expected = [(socket.CMSG_LEN(n), socket.CMSG_SPACE(n)) for n in LENGTHS]
    assert printed(SIZES, tmp_path) == [str(expected), *["too large"] * 4]


def test_fds_go_through(tmp_path):
    # POSIX: what arrives is another number for the same end.
    assert printed(FDS, tmp_path) == [
        "11",
        "b'two of them' 2 0",
        "b'through'",
        "4 (b'none', [])",
    ]
