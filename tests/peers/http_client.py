# An HTTP client on the layer: http_client.py PORT. Runs on every host target.
import sys

import usocket_compat as net

PORT = int(sys.argv[1])


def connect():
    fd = net.socket()
    net.connect(fd, ("127.0.0.1", PORT))
    return fd


def request(fd, method, path, last=False):
    net.send(
        fd,
        b"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n"
        % (method, path, b"close" if last else b"keep-alive"),
    )


def head(fd):
    """The status line, the length of the body, and what came of the body already."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = net.recv(fd, 1024)
        if not part:
            raise OSError("the server closed within the head")
        data += part
    lines, body = data.split(b"\r\n\r\n", 1)
    lines = lines.split(b"\r\n")
    for line in lines[1:]:
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            return lines[0], int(value), body
    return lines[0], 0, body


def digest(fd):
    """Sum and length of a body; Adler-32 by hand, for MicroPython has no zlib.adler32."""
    status, size, body = head(fd)
    a, b = 1, 0
    left = size
    buf = bytearray(65536)
    view = memoryview(buf)
    while True:
        left -= len(body)
        for byte in body:
            a += byte
            b += a
        a %= 65521
        b %= 65521
        if not left:
            return status, size, b << 16 | a
        n = net.recv(fd, view[: min(left, len(buf))])
        if not n:
            raise OSError("the server closed within the body")
        body = view[:n]


# One connection, kept: HEAD, the small file twice, then the large one by buffer.
fd = connect()
request(fd, b"HEAD", b"/small.bin")
print("head", *head(fd)[:2])
for _ in range(2):
    request(fd, b"GET", b"/small.bin")
    print("small", *digest(fd))
request(fd, b"GET", b"/missing")
print("missing", digest(fd)[0])
request(fd, b"GET", b"/large.bin", last=True)
print("large", *digest(fd))
print("end", net.recv(fd, 10))
net.close(fd)

# Many at once, each answered after all were asked; poll says when.
fds = [connect() for _ in range(30)]
for fd in fds:
    request(fd, b"GET", b"/small.bin")
pfds = [net.zsock_pollfd(fd, net.POLLIN) for fd in fds]
answered = 0
while pfds:
    net.poll(pfds, 5000)
    for pfd in [pfd for pfd in pfds if pfd.revents]:
        if digest(pfd.fd)[1]:
            answered += 1
        pfds.remove(pfd)
print("answered", answered)
for fd in fds:
    net.close(fd)
