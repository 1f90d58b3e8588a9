# SPDX-License-Identifier: MIT
# How Board starts a virtual board: with Ctrl-C held back until here.
import signal
import sys

from ..cli import main

try:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    status = main(["vboard", *sys.argv[1:]])
except KeyboardInterrupt:
    status = 130
sys.exit(status)
