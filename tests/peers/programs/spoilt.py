# Connections on whose way back something is changed: spoilt.py FOLDER PORT VERSION TIMES. FOLDER
# has certs.py. An echo answers. A line for each.
import sys

import usocket_compat as net

sys.path.append(sys.argv[1])
import certs

port, version, times = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
data = bytes([n % 251 for n in range(24000)])
for _ in range(times):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
    for option in (net.SO_RCVTIMEO, net.SO_SNDTIMEO):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, option, 2)
    got = b""
    try:
        net.zsock_connect(fd, ("127.0.0.1", port))
        for at in range(0, len(data), 8000):
            net.zsock_send(fd, data[at : at + 8000])
        while len(got) < len(data):
            pfd = net.zsock_pollfd(fd, net.POLLIN)
            net.zsock_poll([pfd], 2000)
            part = net.zsock_recv(fd, 5000)
            if not part:
                print("the end")
                break
            got += part
        else:
            print("all")
    except OSError as e:
        again = 0
        try:
            again = net.zsock_recv(fd, 1)
        except OSError as other:
            again = other.errno
        print(e.errno, again, *e.args[1:])
    if got != data[: len(got)]:
        print("other data")
    net.zsock_close(fd)
print(net.fds())
