# A program of WebREPL's shape, on the drop-in: a listener that calls back, its client a second
# terminal that is told of data by a callback too. And sockets that nobody closes.
import io
import os
import select
import socket

PORT = 8266
CALLBACK = 20
seen = []


class Terminal(io.IOBase):
    def __init__(self, s):
        self.s = s

    def readinto(self, buf):
        return self.s.readinto(buf)

    def write(self, data):
        return self.s.write(data)

    def ioctl(self, request, arg):
        if request == 4:
            self.s.close()
        return 0


def accept_conn(listen_sock):
    cl, addr = listen_sock.accept()
    seen.append(addr[0])
    cl.setblocking(False)
    cl.setsockopt(socket.SOL_SOCKET, CALLBACK, os.dupterm_notify)
    os.dupterm(Terminal(cl))


listen_s = socket.socket()
listen_s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listen_s.bind(("0.0.0.0", PORT))
listen_s.listen(1)
listen_s.setsockopt(socket.SOL_SOCKET, CALLBACK, accept_conn)
# In each of the states that a socket can be in.
plain = socket.socket()
waits = socket.socket()
waits.settimeout(5)
by_fd = socket.socket()
by_fd.fileno()
datagrams = socket.socket(type=socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", 0))
poll = select.poll()
for s in (plain, waits, by_fd, datagrams):
    poll.register(s, select.POLLIN)
print("ready", socket.__file__)
