# An HTTP/1.1 client, for nginx: fetch.py WHAT PORT PATH [SOCKET]. Prints what it found.
import hashlib
import sys

import usocket_compat as net

WHAT, PORT, PATH = sys.argv[1], int(sys.argv[2]), sys.argv[3]
BUF = bytearray(16384)


def connect():
    if len(sys.argv) > 4:
        fd = net.zsock_socket(net.AF_UNIX)
        net.zsock_connect(fd, sys.argv[4])
    else:
        fd = net.zsock_socket()
        net.zsock_connect(fd, ("127.0.0.1", PORT))
    return fd


def request(fd, method="GET", more=""):
    text = "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (method, PATH, more)
    data = memoryview(text.encode())
    while data:
        data = data[net.zsock_send(fd, data) :]


def head(fd):
    """Status and headers, and what of the body came with them."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = net.zsock_recv(fd, 4096)
        if not chunk:
            raise OSError("EOF in the head")
        data += chunk
    text, _, rest = data.partition(b"\r\n\r\n")
    lines = text.decode().split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(lines[0].split()[1]), headers, rest


def body(fd, length, rest):
    """Count and digest of the body."""
    digest = hashlib.sha256()
    digest.update(rest)
    got = len(rest)
    while got < length:
        n = net.zsock_recv(fd, memoryview(BUF)[: min(len(BUF), length - got)])
        if not n:
            break
        digest.update(memoryview(BUF)[:n])
        got += n
    return got, "".join("%02x" % byte for byte in digest.digest())


def whole(fd):
    status, headers, rest = head(fd)
    got, digest = body(fd, int(headers["content-length"]), rest)
    return status, got, digest


def download():
    fd = connect()
    request(fd, more="Connection: close\r\n")
    print(*whole(fd))
    print("eof", net.zsock_recv(fd, 1) == b"")
    net.zsock_close(fd)


def keep_alive():
    fd = connect()
    for _ in range(20):
        request(fd)
        print(*whole(fd))
    net.zsock_close(fd)


def method_head():
    fd = connect()
    for _ in range(2):
        request(fd, "HEAD")
        status, headers, rest = head(fd)
        print(status, headers["content-length"], len(rest))
    net.zsock_close(fd)


def many():
    fds = [connect() for _ in range(50)]
    for fd in fds:
        request(fd)
    polls = [net.zsock_pollfd(fd, net.POLLIN) for fd in fds]
    while polls:
        if not net.zsock_poll(polls, 5000):
            raise OSError("nginx does not answer")
        for p in [p for p in polls if p.revents]:
            print(*whole(p.fd))
            net.zsock_close(p.fd)
            polls.remove(p)


def given_up():
    # nginx is in the middle of a slow answer when the client goes away, again and again.
    for _ in range(30):
        fd = connect()
        request(fd)
        head(fd)
        net.zsock_close(fd)
    print("gone")


def timeout():
    fd = connect()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.2)
    try:
        net.zsock_recv(fd, 1)
    except OSError as e:
        print("EAGAIN" if e.errno == net.errno.EAGAIN else e)
    request(fd)
    print(*whole(fd))
    net.zsock_close(fd)


{
    "download": download,
    "keep-alive": keep_alive,
    "head": method_head,
    "many": many,
    "given-up": given_up,
    "timeout": timeout,
}[WHAT]()
