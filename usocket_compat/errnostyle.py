# SPDX-License-Identifier: MIT
# The calls of the package with an errno in the place of an exception, as Hare's and libuv's have:
# errnostyle.send(fd, data) is (0, count) or (errno, None); as libuv's status the errno is negative
# after errnostyle.negative = True. For who ports a program from there.

from sys import modules

_net = modules[__name__.rpartition(".")[0]]
negative = False
EOF = 4095  # libuv's UV_EOF, less the sign: the end of a stream, where that is an exception


class _Call:
    def __init__(self, call):
        self.call = call

    def __call__(self, *args, **more):
        try:
            return 0, self.call(*args, **more)
        except EOFError as e:
            code, so_far = EOF, e
        except OSError as e:
            code, so_far = e.errno, e
        done = getattr(so_far, "partial", None)
        done = getattr(so_far, "sent", None) if done is None else done
        return -code if negative else code, done


def connect_ex(fd, addr):
    """zsock_connect: 0 or an errno, as CPython's socket.connect_ex."""
    return _Call(_net.zsock_connect)(fd, addr)[0]


def __getattr__(name):
    """Any call of the package: (0, what it gives), or (errno, what it had: sent, partial, None).

    gaierror's errno is an EAI number.
    """
    found = getattr(_net, name)
    if not callable(found):
        return found
    value = globals()[name] = _Call(found)
    return value
