# 1 MB both ways at once through an echo: bulk.py FOLDER HOST PORT VERSION BYTES.
# FOLDER has certs.py.
import sys

try:
    from hashlib import sha256
except ImportError:
    from uhashlib import sha256
try:
    from random import choice
except ImportError:
    from urandom import choice

import usocket_compat as net
from usocket_compat import errno

sys.path.append(sys.argv[1])
import certs

host, port, version, size = sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
net.zsock_connect(fd, (host, port))
net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
PIECES = 1, 2, 99, 1000, 5000, 16383, 16384
block = bytes([n * 7 % 251 for n in range(16384 + 251)])
sent, received = sha256(), sha256()
left_out = left_in = size
piece = b""
buf = bytearray(16384)
pfd = net.zsock_pollfd(fd, 0)
while left_in:
    pfd.events = net.POLLIN | (net.POLLOUT if left_out else 0)
    assert net.zsock_poll([pfd], 30000), "nothing comes"
    if pfd.revents & net.POLLOUT:
        if not piece:
            at = left_out % 251
            piece = block[at : at + min(choice(PIECES), left_out)]
        try:
            n = net.zsock_send(fd, piece)
            sent.update(piece[:n])
            piece = piece[n:]
            left_out -= n
        except OSError as e:
            assert e.errno == errno.EAGAIN
    if pfd.revents & net.POLLIN:
        try:
            n = net.zsock_recv(fd, memoryview(buf)[: choice(PIECES)])
            assert n
            received.update(memoryview(buf)[:n])
            left_in -= n
        except OSError as e:
            assert e.errno == errno.EAGAIN
print(left_out, sent.digest() == received.digest())
net.zsock_close(fd)
print(net.fds())
