# A key that both know: psk.py VERSION connect PORT TAG..., or psk.py VERSION serve PORT TIMES.
import sys

import usocket_compat as net

version, what, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
# The second has the name of the first, the third its key.
for tag, name, key in ((1, b"me", 16), (2, b"me", 20), (3, b"else", 16), (4, b"you", 24)):
    net.tls_credential_add(tag, net.TLS_CREDENTIAL_PSK, bytes(range(key)))
    net.tls_credential_add(tag, net.TLS_CREDENTIAL_PSK_ID, name)


def tls(tags):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, tags)
    return fd


def told(call, *args):
    try:
        return call(*args)
    except OSError as e:
        print(*e.args)


if what == "connect":
    for tag in sys.argv[4:]:
        fd = tls([int(tag)])
        if told(lambda: net.zsock_connect(fd, ("127.0.0.1", port)) or True):
            net.zsock_send(fd, b"abc\n")
            print(net.zsock_recv(fd, 4, net.MSG_WAITALL))
        net.zsock_close(fd)
else:
    lfd = tls([1, 4])
    net.zsock_setsockopt(lfd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(lfd, ("127.0.0.1", port))
    net.zsock_listen(lfd, 4)
    print("ready")
    for _ in range(int(sys.argv[4])):
        accepted = told(net.zsock_accept, lfd)
        if accepted:
            print(net.zsock_recv(accepted[0], 5, net.MSG_WAITALL))
            net.zsock_close(accepted[0])
    net.zsock_close(lfd)
print(net.fds())
