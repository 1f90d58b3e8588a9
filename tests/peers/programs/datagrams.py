# A DTLS client or server of the layer's: datagrams.py WHAT NAME=VALUE...
import sys

import usocket_compat as net
from usocket_compat import errno

args = dict([each.split("=", 1) for each in sys.argv[2:]])
S = net.SOL_TLS
TAG = 1
ADDRESS = args.get("host", "127.0.0.1"), int(args["port"])


def dtls():
    for name, kind in (
        ("ca", net.TLS_CREDENTIAL_CA_CERTIFICATE),
        ("cert", net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE),
        ("key", net.TLS_CREDENTIAL_PRIVATE_KEY),
    ):
        if name in args:
            with open(args[name], "rb") as file:
                net.tls_credential_add(TAG, kind, file.read())
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM, net.IPPROTO_DTLS_1_2)
    net.zsock_setsockopt(fd, S, net.TLS_SEC_TAG_LIST, [TAG])
    if "name" in args:
        net.zsock_setsockopt(fd, S, net.TLS_HOSTNAME, args["name"])
    if "verify" in args:
        net.zsock_setsockopt(fd, S, net.TLS_PEER_VERIFY, int(args["verify"]))
    return fd


def say(e):
    for name in "ECONNABORTED ECONNREFUSED ENOTCONN ETIMEDOUT EAGAIN EINVAL".split():
        if getattr(errno, name) == e.errno:
            print("error", name, e.args[1] if len(e.args) > 1 else "")
            return
    print("error", e.errno)


def connect():
    """Connects, sends as many lines as are asked for, says what comes until the end."""
    fd = dtls()
    try:
        net.zsock_connect(fd, ADDRESS)
        print("connected")
        for n in range(int(args["lines"])):
            net.zsock_send(fd, b"line %d\n" % n)
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, int(args.get("timeout", 20)))
        while True:
            data, addr = net.zsock_recvfrom(fd, 2000)
            print(data, addr == ADDRESS)
            net.zsock_send(fd, b"seen\n")
    except OSError as e:
        say(e)
    net.zsock_close(fd)
    print(net.fds())


def line(n):
    """n bytes of text, other ones for each n: a line to OpenSSL, and no command of its."""
    made = bytearray(n)  # in place: a bare board has no room for a list of 4096
    text = b"%d:" % n
    for i in range(n - 1):
        made[i] = text[i] if i < len(text) else 97 + (n + i) % 23
    made[n - 1] = 10
    return made


def exchange():
    """Sends datagrams of these sizes, then says of those that come whether they are lines."""
    fd = dtls()
    try:
        net.zsock_connect(fd, ADDRESS)
        print("connected")
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 20)
        for n in args["sizes"].split(","):
            print("sent", net.zsock_send(fd, line(int(n))))
        for _ in range(int(args["times"])):
            data = net.zsock_recv(fd, 2000)
            print("came", len(data), data == line(len(data)))
    except OSError as e:
        say(e)
    net.zsock_close(fd)
    print(net.fds())


def serve():
    """Answers with what comes, in capitals, to as many sessions as are asked for."""
    fd = dtls()
    net.zsock_setsockopt(fd, S, net.TLS_DTLS_ROLE, net.TLS_DTLS_ROLE_SERVER)
    net.zsock_bind(fd, ADDRESS)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 20)
    print("ready")
    try:
        for _ in range(int(args["times"])):
            data, addr = net.zsock_recvfrom(fd, 2000)
            print(data)
            net.zsock_sendto(fd, data.upper(), 0, addr)
    except OSError as e:
        say(e)
    net.zsock_close(fd)
    print(net.fds())


globals()[sys.argv[1]]()
