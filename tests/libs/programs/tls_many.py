# Many handshakes, half of which fail, and what is left of them. Arguments: host, how many, and the
# ports of servers: a good one, and others that each break off in another way.
import gc
import os
import socket
import ssl
import sys

host, count, good, *others = sys.argv[1:]


def attempt(port):
    s = socket.socket()
    try:
        s.connect(socket.getaddrinfo(host, int(port))[0][-1])
        s = ssl.wrap_socket(s, server_hostname="test.local")
        s.write(b"hello")
        return s.read(5) == b"hello"
    except OSError:
        # What a handshake over a Python object held when that raised an error is the collector's.
        gc.collect()
        return False
    finally:
        s.close()


def state():
    gc.collect()
    fds = len(list(os.ilistdir("/proc/self/fd"))) if sys.platform == "linux" else 0
    return gc.mem_alloc(), fds


well = 0
for i in range(int(count)):
    if i == 20:
        before = state()
    port = others[i // 2 % len(others)] if i % 2 else good
    well += attempt(port)
after = state()
print(well, after[0] - before[0] < 1000, after[1] - before[1])
