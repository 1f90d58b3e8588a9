# A server whose peers are killed, on the port of its argument: reports how each connection ended.
import sys

import usocket_compat as net
from usocket_compat import errno

listener = net.zsock_socket()
net.zsock_bind(listener, ("127.0.0.1", int(sys.argv[1])))
net.zsock_listen(listener)
print("ready")

while True:
    fd, _ = net.zsock_accept(listener)
    got = 0
    try:
        net.zsock_send(fd, b"hello")
        while True:
            data = net.zsock_recv(fd, 1000)
            if not data:
                end = "EOF"
                break
            got += len(data)
    except OSError as e:
        end = "ECONNRESET" if e.errno == errno.ECONNRESET else repr(e)
    after = "nothing"
    try:
        for _ in range(5):
            net.zsock_send(fd, bytes(1000))
            net.zsock_poll([net.zsock_pollfd(fd, 0)], 20)
    except OSError as e:
        after = "EPIPE" if e.errno == errno.EPIPE else repr(e)
    net.zsock_close(fd)
    print(got, end, after, len(net.fds()))
