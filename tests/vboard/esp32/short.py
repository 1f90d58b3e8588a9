# A TLS server of a board whose client asks for short records: short.py PORT. It sends a letter
# after the other in pieces, and does not go on with what a send has left: "NUMBERS" it was told.
import sys

import usocket_compat as net
from usocket_compat import errno

for name, kind in (
    ("server.der", net.TLS_CREDENTIAL_SERVER_CERTIFICATE),
    ("server.key", net.TLS_CREDENTIAL_PRIVATE_KEY),
):
    with open(name, "rb") as file:
        net.tls_credential_add(1, kind, file.read())
lfd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
net.zsock_setsockopt(lfd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
net.zsock_bind(lfd, ("0.0.0.0", int(sys.argv[1])))
net.zsock_listen(lfd, 1)
print("ready")
fd, _ = net.zsock_accept(lfd)
pfd = net.zsock_pollfd(fd, net.POLLOUT)
told = [0] * 8
for n in range(40):
    piece = bytes([97 + n % 8]) * 3000
    while True:
        try:
            told[n % 8] += net.zsock_send(fd, piece, net.MSG_DONTWAIT)
            break
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise
            net.zsock_poll([pfd], 1000)
net.zsock_send(fd, b"!")
print("told", told)
try:
    net.zsock_recv(fd, 1)
except OSError:
    pass  # openssl goes without close_notify
net.zsock_close(fd)
net.zsock_close(lfd)
