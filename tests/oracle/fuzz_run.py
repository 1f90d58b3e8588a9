# Runs fuzzed cases on the layer, under any interpreter:
#     INTERPRETER fuzz_run.py CASES
# CASES has one expression on a line, (operation, arguments...); for each a line of what came out
# is printed. Other exceptions than those that bad input may lead to end the run.
import sys
from array import array

import usocket_compat as net


def udp4():
    return net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)


def udp6():
    return net.zsock_socket(net.AF_INET6, net.SOCK_DGRAM)


def tcp4():
    return net.zsock_socket()


def tcp6():
    return net.zsock_socket(net.AF_INET6)


def unixd():
    return net.zsock_socket(net.AF_UNIX, net.SOCK_DGRAM)


def unix():
    return net.zsock_socket(net.AF_UNIX)


MAKERS = {"udp4": udp4, "udp6": udp6, "tcp4": tcp4, "tcp6": tcp6, "unix": unix, "unixd": unixd}


def on_socket(kind, call, *args):
    """One call on a new socket."""
    fd = MAKERS[kind]()
    try:
        return getattr(net, "zsock_" + call)(fd, *args)
    finally:
        net.zsock_close(fd)


def ancillary(ancdata, room, flags):
    """Through a pair and back; says what came, and closes the fds that came."""
    a, b = net.zsock_socketpair()
    try:
        net.zsock_sendmsg(a, [b"x"], ancdata, net.MSG_DONTWAIT)
        got = net.zsock_recvmsg(b, [bytearray(4)], room, flags | net.MSG_DONTWAIT)
        kinds = []
        for level, kind, data in got[1]:
            kinds.append((level, kind, len(data)))
            if (level, kind) == (net.SOL_SOCKET, net.SCM_RIGHTS):
                for fd in array("i", data):
                    net.zsock_close(fd)
        return got[0], kinds, got[2]
    finally:
        net.zsock_close(a)
        net.zsock_close(b)


def make(*args):
    net.zsock_close(net.zsock_socket(*args))


def result(call, args):
    """The name of the exception or the value, as text."""
    try:
        return "gave " + repr(call(*args))
    except net.gaierror as e:
        assert isinstance(e.errno, int), repr(e)
        return "gaierror"
    except OSError as e:
        assert isinstance(e.errno, int), repr(e)
        return "OSError %d" % e.errno
    except (TypeError, OverflowError) as e:
        return type(e).__name__
    except ValueError:
        return "ValueError"  # UnicodeError too


def run(case):
    name = case[0]
    call = {"socket": make, "on_socket": on_socket, "ancillary": ancillary}.get(name)
    if call is None:
        call = getattr(net, name, None) or getattr(net, "zsock_" + name)
    text = result(call, case[1:])
    assert len(net.fds()) == 0, "%d fds are left in the table" % len(net.fds())
    return text


def main():
    with open(sys.argv[1]) as f:
        for line in f:
            case = eval(line)
            try:
                print(run(case))
            except Exception:
                print("of", line, end="")
                raise


if __name__ == "__main__":
    main()
