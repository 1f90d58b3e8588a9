# A handler that raises out of OpenSSL's write: doubt.py FOLDER PORT VERSION FULL. FOLDER has
# certs.py. FULL is 1 for a write that leaves a record half out. CPython alone.
import sys

import usocket_compat as net
from usocket_compat.zbase import tab

sys.path.append(sys.argv[1])
import certs

port, version, full = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDBUF, 1 << 16)
net.zsock_connect(fd, ("127.0.0.1", port))


class Hit(Exception):
    pass


engine = tab[fd].p.eng
write = engine.write


def interrupted(data):
    """Where CPython looks for signals: behind OpenSSL's call, before its result is known."""
    try:
        write(data)
    except OSError:
        engine.write = write
        raise Hit from None
    if not full:
        engine.write = write
        raise Hit
    return len(data)


engine.write = interrupted
try:
    while True:
        net.zsock_send(fd, b"a" * 16000)
except Hit:
    print("hit")
try:
    print(net.zsock_send(fd, b"b" * 50))
except OSError as e:
    print(*e.args)
net.zsock_close(fd)
print(net.fds())
