# HTTP/1.1 in the shape of micropython-lib's requests, with what that leaves out: connections that
# are kept, and chunks. Arguments: host, port.
import binascii
import hashlib
import socket
import sys

HOST, PORT = sys.argv[1], int(sys.argv[2])


def connect():
    info = socket.getaddrinfo(HOST, PORT, 0, socket.SOCK_STREAM)[0]
    s = socket.socket(info[0], info[1], info[2])
    s.connect(info[-1])
    return s


def ask(s, path, more=b""):
    s.write(b"%s /%s HTTP/1.1\r\n" % (b"GET", path))
    s.write(b"Host: %s\r\n" % HOST)
    # Of a str too, as old programs do.
    s.write("Accept: */*\r\n")
    s.write(more + b"\r\n")
    line = s.readline()
    if not line:
        return "closed"
    status = line.split(None, 2)[1].decode()
    length, chunked = 0, False
    while True:
        line = s.readline()
        if not line or line == b"\r\n":
            break
        name, _, value = line.decode().lower().partition(":")
        if name == "content-length":
            length = int(value)
        chunked = chunked or name == "transfer-encoding" and "chunked" in value
    digest = hashlib.sha256()
    total = 0
    for data in chunks(s) if chunked else [s.read(length) if length else b""]:
        digest.update(data)
        total += len(data)
    kind = "chunked" if chunked else "whole"
    return "%s %s %d %s" % (status, kind, total, binascii.hexlify(digest.digest()).decode())


def chunks(s):
    while True:
        size = int(s.readline(), 16)
        data = s.read(size) if size else b""
        s.readline()
        if not size:
            return
        yield data


s = connect()
for _ in range(5):
    print(ask(s, b"small"))
print(ask(s, b"chunked/text"))
print(ask(s, b"small"))
print(ask(s, b"moved"))
print("ready")
# The server closes a connection on which nothing comes.
print("end", s.read(1), s.read(1), s.recv(10), s.readline())
s.close()
s = connect()
print(ask(s, b"chunked/text", b"Connection: close\r\n"), s.read())
s.close()
with_timeout = connect()
with_timeout.settimeout(0.2)
try:
    with_timeout.recv(1)
except OSError as e:
    print("timeout", e.errno)
with_timeout.settimeout(5)
print(ask(with_timeout, b"small"))
with_timeout.close()
