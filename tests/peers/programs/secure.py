# A TLS client or server of the layer's: secure.py WHAT NAME=VALUE...
import sys

import usocket_compat as net
from usocket_compat import errno

args = dict([each.split("=", 1) for each in sys.argv[2:]])
S = net.SOL_TLS


def data(name):
    with open(name, "rb") as file:
        return file.read()


def credentials():
    """The tags of what the arguments name."""
    tags = []
    for name, tag, kind in (
        ("ca", 1, net.TLS_CREDENTIAL_CA_CERTIFICATE),
        ("cert", 2, net.TLS_CREDENTIAL_PUBLIC_CERTIFICATE),
        ("key", 2, net.TLS_CREDENTIAL_PRIVATE_KEY),
    ):
        if name in args:
            net.tls_credential_add(tag, kind, data(args[name]))
            if tag not in tags:
                tags.append(tag)
    return tags


TAGS = credentials()
ADDRESS = "127.0.0.1", int(args["port"])


def tls():
    proto = net.IPPROTO_TLS_1_3 if args.get("version") == "1.3" else net.IPPROTO_TLS_1_2
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    net.zsock_setsockopt(fd, S, net.TLS_SEC_TAG_LIST, TAGS)
    if "name" in args:
        net.zsock_setsockopt(fd, S, net.TLS_HOSTNAME, args["name"])
    if "alpn" in args:
        net.zsock_setsockopt(fd, S, net.TLS_ALPN_LIST, args["alpn"].split(","))
    if "cache" in args:
        net.zsock_setsockopt(fd, S, net.TLS_SESSION_CACHE, 1)
    if "verify" in args:
        net.zsock_setsockopt(fd, S, net.TLS_PEER_VERIFY, int(args["verify"]))
    if "timeout" in args:
        for option in (net.SO_RCVTIMEO, net.SO_SNDTIMEO):
            net.zsock_setsockopt(fd, net.SOL_SOCKET, option, float(args["timeout"]))
    return fd


def say(e):
    words = e.args[1] if len(e.args) > 1 else ""
    names = [n for n in dir(errno) if n[0] == "E" and getattr(errno, n) == e.errno]
    for name in "ECONNABORTED ECONNRESET ETIMEDOUT EINPROGRESS EINVAL EAGAIN EPIPE".split():
        if getattr(errno, name) == e.errno:
            names = [name]
    print("error", names[0] if names else e.errno, words)


def connected():
    fd = tls()
    try:
        net.zsock_connect(fd, ADDRESS)
        return fd
    except OSError as e:
        say(e)
        net.zsock_close(fd)


def sendall(fd, what):
    what = memoryview(what)
    while len(what):
        what = what[net.zsock_send(fd, what) :]


def connect():
    """Connects, says what was agreed on, and sends a word."""
    fd = connected()
    if fd is not None:
        print("connected")
        if "alpn" in args:
            print(net.zsock_getsockopt(fd, S, net.TLS_ALPN_LIST))
        if "used" in args:
            print(hex(net.zsock_getsockopt(fd, S, net.TLS_CIPHERSUITE_USED)))
        sendall(fd, b"word\n")
        net.zsock_close(fd)
    print(net.fds())


def gone():
    """Connects, and says what comes of the peer, which goes at once."""
    for _ in range(int(args["times"])):
        fd = connected()
        if fd is not None:
            print("connected")
            try:
                print(net.zsock_recv(fd, 9))
            except OSError as e:
                say(e)
            net.zsock_close(fd)


def told():
    """A client for each TLS_PEER_VERIFY, `-` for none."""
    for level in args["levels"]:
        args["verify"] = level
        if level == "-":
            del args["verify"]
        fd = connected()
        if fd is not None:
            print("connected")
            net.zsock_close(fd)


def eager():
    """Sends from the first moment on, without blocking, until it is sent or refused."""
    fd = tls()
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    pfd = net.zsock_pollfd(fd, net.POLLIN)
    try:
        net.zsock_connect(fd, ADDRESS)
    except OSError as e:
        if e.errno != errno.EINPROGRESS:
            raise
    while True:
        try:
            print("sent", net.zsock_send(fd, b"secret"))
            break
        except OSError as e:
            if e.errno != errno.EAGAIN:
                say(e)
                break
        net.zsock_poll([pfd], 10)
    net.zsock_close(fd)
    print(net.fds())


def later():
    """Polls for what is no data, then takes what is, and says a word."""
    fd = connected()
    pfd = net.zsock_pollfd(fd, net.POLLIN)
    for n in range(int(args["times"]) + 1):
        found = net.zsock_poll([pfd], 300)
        try:
            print(net.zsock_recv(fd, 5, net.MSG_DONTWAIT))
        except OSError as e:
            print("nothing" if (found, e.errno) == (0, errno.EAGAIN) else (found, e))
        if n:
            sendall(fd, b"word\n")
            print(net.zsock_recv(fd, 5, net.MSG_WAITALL))
    net.zsock_close(fd)
    print(net.fds())


def fetch():
    """GET of a file: the size and digest of what comes; twice over, if asked for."""
    try:
        from hashlib import sha256
    except ImportError:
        from uhashlib import sha256
    for _ in range(int(args.get("times", 1))):
        fd = connected()
        if fd is None:
            return
        sendall(fd, b"GET /%s HTTP/1.0\r\nHost: x\r\n\r\n" % args["path"].encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += net.zsock_recv(fd, 100)
        head, body = head.split(b"\r\n\r\n", 1)
        digest, size = sha256(body), len(body)
        buf = bytearray(5000)
        while True:
            try:
                n = net.zsock_recv(fd, buf)
            except OSError as e:
                say(e)
                break
            if not n:
                break
            digest.update(memoryview(buf)[:n])
            size += n
        words = "".join(["%02x" % b for b in digest.digest()])
        print(head.split(b"\r\n")[0].decode(), size, words)
        net.zsock_close(fd)


def mqtt():
    """CONNECT and a ping, by hand: what the broker says."""
    fd = connected()
    if fd is None:
        return
    sendall(fd, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a")
    try:
        print(net.zsock_recv(fd, 4, net.MSG_WAITALL))
        sendall(fd, b"\xc0\x00")
        print(net.zsock_recv(fd, 2, net.MSG_WAITALL))
    except OSError as e:
        say(e)
    net.zsock_close(fd)


def serve():
    """Answers as many HTTP requests as are asked for, each on a connection of its own."""
    lfd = tls()
    net.zsock_setsockopt(lfd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(lfd, ADDRESS)
    net.zsock_listen(lfd, 8)
    print("ready")
    for _ in range(int(args["times"])):
        try:
            fd, _ = net.zsock_accept(lfd)
        except OSError as e:
            say(e)
            continue
        try:
            got = b""
            while b"\r\n\r\n" not in got and b"word" not in got:
                part = net.zsock_recv(fd, 500)
                if not part:
                    break
                got += part
            body = b"0123456789" * 20000
            sendall(fd, b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            for at in range(0, len(body), 5000):
                sendall(fd, body[at : at + 5000])
            print("served", got[:30])
        except OSError as e:
            say(e)
        net.zsock_close(fd)
    net.zsock_close(lfd)
    print(net.fds())


def descriptors():
    import os

    try:
        return len(list((os.ilistdir if hasattr(os, "ilistdir") else os.listdir)("/proc/self/fd")))
    except OSError:
        return 0


def many():
    """Connections one after the other, good ones and bad ones: what is left of them."""
    import gc

    ports = [int(each) for each in args["ports"].split(",")]
    global ADDRESS
    good = bad = 0
    for n in range(int(args["times"])):
        ADDRESS = "127.0.0.1", ports[n % len(ports)]
        fd = tls()
        try:
            net.zsock_connect(fd, ADDRESS)
            good += 1
        except OSError:
            bad += 1
        net.zsock_close(fd)
        if n == 20:
            gc.collect()
            before = (
                descriptors(),
                gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()),
            )
    gc.collect()
    after = descriptors(), gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects())
    print("good", good, "bad", bad, "fds", net.fds(), "descriptors", after[0] - before[0])
    print("memory", after[1] - before[1])


def take():
    """Accepts as many as are asked for, and says what became of each; and what is left of them."""
    import gc

    lfd = tls()
    net.zsock_setsockopt(lfd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(lfd, ADDRESS)
    net.zsock_listen(lfd, 8)
    print("ready")
    before = 0, 0
    for n in range(int(args["times"])):
        try:
            fd, _ = net.zsock_accept(lfd)
            try:
                print("ok", net.zsock_recv(fd, 4, net.MSG_WAITALL))
            except OSError as e:
                say(e)
            net.zsock_close(fd)
        except OSError as e:
            say(e)
        if n == 20:
            gc.collect()
            before = (
                descriptors(),
                gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects()),
            )
    gc.collect()
    after = descriptors(), gc.mem_alloc() if hasattr(gc, "mem_alloc") else len(gc.get_objects())
    net.zsock_close(lfd)
    print(net.fds(), "descriptors", after[0] - before[0], "memory", after[1] - before[1])


globals()[sys.argv[1]]()
