# With few descriptors in the process: what fails is EMFILE, and nothing is lost.
import usocket_compat as net
from usocket_compat import errno


def until_it_fails(make):
    fds = []
    while True:
        try:
            fds.append(make())
        except OSError as e:
            return fds, e.errno == errno.EMFILE


def close(fds):
    for fd in fds:
        net.zsock_close(fd)


listener = net.zsock_socket()
port = 20000
while True:
    try:
        net.zsock_bind(listener, ("127.0.0.1", port))
        break
    except OSError:
        port += 1
net.zsock_listen(listener)
client = net.zsock_socket()
net.zsock_connect(client, ("127.0.0.1", port))

for _ in range(3):
    fds, emfile = until_it_fails(net.zsock_socket)
    print(emfile, len(net.fds()) == len(fds) + 2)
    try:
        net.zsock_accept(listener)
    except OSError as e:
        print(e.errno == errno.EMFILE, len(net.fds()) == len(fds) + 2)
    close(fds)

server, _ = net.zsock_accept(listener)
net.zsock_send(server, b"late")
print(net.zsock_recv(client, 9))
close([listener, client, server])
print(len(net.fds()))
