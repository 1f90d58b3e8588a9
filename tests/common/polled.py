# What a Poller tells of, in its tests.
from check import SOON

QUIET = 30  # ms in which nothing is to happen


def tokens(poller, ms=SOON):
    return [event.token for event in poller.poll(ms)]
