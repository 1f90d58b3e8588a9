# SPDX-License-Identifier: MIT
# What these programs share. Their arguments are the host's address and ports, see below.
import errno
import select
import socket
import sys
import time

HOST = sys.argv[1]
LOCAL = "127.0.0.1"
# They answer, echo (on IPv6 too), never close, never answer, are closed.
PORT_OPEN, PORT_ECHO, PORT_ECHO6, PORT_HELD, PORT_SILENT, PORT_CLOSED = map(int, sys.argv[2:])
# newlib's numbers that MicroPython's errno has no names for.
NAMES = {23: "ENFILE", 32: "EPIPE", 109: "ENOPROTOOPT", 127: "EISCONN"}


def say(text, f, *args):
    """What a call returns or raises, by name."""
    try:
        result = repr(f(*args))
    except OSError as e:
        result = errno.errorcode.get(e.errno) or NAMES.get(e.errno) or "OSError(%s)" % e.errno
    except Exception as e:
        result = type(e).__name__
    print(text, result)


def listener(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((LOCAL, port))
    s.listen(2)
    return s


def pair(port):
    """Both ends of a TCP connection of the board with itself."""
    server = listener(port)
    client = socket.socket()
    client.connect((LOCAL, port))
    accepted = server.accept()[0]
    server.close()
    return client, accepted


def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((LOCAL, port))
    s.settimeout(2)
    return s


def events(s, mask=select.POLLIN | select.POLLOUT, timeout=0):
    poller = select.poll()
    poller.register(s, mask)
    found = poller.poll(timeout)
    return found[0][1] if found else 0


def until(condition):
    """Wait for what the network has to bring first."""
    end = time.ticks_add(time.ticks_ms(), 5000)
    while not condition() and time.ticks_diff(end, time.ticks_ms()) > 0:
        time.sleep_ms(1)
