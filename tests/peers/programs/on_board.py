"""On this machine: on_board.py VARIANT DNS CONF PROGRAM ARGUMENT ...: the program on a new board.

A virtual one. DNS: the name server that its firmware is told of, "" for none; CONF: the
configuration.
"""

from __future__ import annotations

import os
import subprocess
import sys

from usocket_tools.vboard.board import Board

variant, server, conf, *program = sys.argv[1:]
options = {"dns": server} if server else {}
with Board(variant=variant, **options) as board:
    command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
    environ = {**os.environ, "USOCKET_COMPAT_CONF": conf}
    sys.exit(subprocess.run([*command, *program], env=environ).returncode)
