# SPDX-License-Identifier: MIT
# Waiting in the platform: a blocking socket without a timeout that has waited once goes on to do
# so within its calls, a tick at a time. That is one call of the system instead of three.

from . import _config
from .zbase import p

_tick = p.TICK if _config.USOCKET_THREADS else 0


def arm(sock):
    """Lets calls on it wait in the platform, if nothing but a close limits their time."""
    if not sock.may_arm or sock.rcvtimeo or sock.sndtimeo:
        return False
    sock.armed = False  # its place
    sock.p.block(sock.h, _tick, _tick)
    sock.armed = True
    return True


def disarm(sock):
    """From now on no call on it waits in the platform."""
    sock.armed = False
    sock.p.block(sock.h)
