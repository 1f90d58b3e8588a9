# Signals whose handler raises wherever it comes, while data goes through an echo: storm.py FOLDER
# PORT VERSION TIMES. FOLDER has certs.py. CPython alone.
import random
import signal
import sys

import usocket_compat as net
from usocket_compat import errno

sys.path.append(sys.argv[1])
import certs

port, version, times = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2


class Hit(Exception):
    pass


armed = False


def handler(*_):
    if armed:
        raise Hit


def connected():
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 10)
    net.zsock_connect(fd, ("127.0.0.1", port))
    return fd


signal.signal(signal.SIGALRM, handler)
hits = 0
fd = connected()
while hits < times:
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00005, 0.0005))
    try:
        armed = True
        for _ in range(50):
            net.zsock_send(fd, b"0123456789" * 7)
            net.zsock_recv(fd, 70)
            net.zsock_poll([net.zsock_pollfd(fd, net.POLLIN)], 0)
        armed = False
    except Hit:
        armed = False
        hits += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    # Which of the interrupted calls have sent or taken is not known: the rest is whole digits.
    net.zsock_send(fd, b"end.")
    got = b""
    while got[-4:] != b"end.":
        part = net.zsock_recv(fd, 10000)
        assert part, "the connection has ended"
        got += part
    assert not got[:-4].strip(b"0123456789"), got
    if not hits % 50:
        net.zsock_close(fd)
        fd = connected()
print("hits", hits)
net.zsock_close(fd)
try:
    net.zsock_send(fd, b"x")
except OSError as e:
    print(e.errno == errno.EBADF, net.fds())
