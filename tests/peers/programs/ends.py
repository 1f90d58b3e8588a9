# The end of a TLS connection that is full: ends.py FOLDER HOW PORT VERSION. FOLDER has certs.py,
# HOW is close, shutdown or nonblocking. A line when it is full, then what became of it.
import sys

import usocket_compat as net
from usocket_compat import errno

sys.path.append(sys.argv[1])
import certs

how, port, version = sys.argv[2], int(sys.argv[3]), sys.argv[4]
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
# A size that is set stays: else the system lets it grow while it is filled.
net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDBUF, 1 << 16)
net.zsock_connect(fd, ("127.0.0.1", port))


def full(data):
    """Sends until there is no room for long: how many bytes have been taken."""
    count = found_none = 0
    while found_none < 8:
        try:
            count += net.zsock_send(fd, data, net.MSG_DONTWAIT)
            found_none = 0
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise
            # What was begun goes out here, if it can.
            net.zsock_poll([net.zsock_pollfd(fd, net.POLLOUT)], 100)
            found_none += 1
    return count


count = full(b"x" * 16000)
if how == "nonblocking":
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    try:
        net.zsock_shutdown(fd, net.SHUT_WR)
        print("it had room")
    except OSError as e:
        print("full", count, e.errno == errno.EAGAIN)
    try:
        net.zsock_send(fd, b"y")
    except OSError as e:
        print(e.errno == errno.EPIPE)
    while True:
        pfd = net.zsock_pollfd(fd, net.POLLOUT)
        net.zsock_poll([pfd], 10000)
        try:
            net.zsock_shutdown(fd, net.SHUT_WR)
            break
        except OSError as e:
            assert e.errno == errno.EAGAIN
    net.zsock_fcntl(fd, net.F_SETFL, 0)
else:
    print("full", count)
    if how == "shutdown":
        net.zsock_shutdown(fd, net.SHUT_WR)
if how != "close":
    print(net.zsock_recv(fd, 3, net.MSG_WAITALL), net.zsock_recv(fd, 1))
net.zsock_close(fd)
print(net.fds())
