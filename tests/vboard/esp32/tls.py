# SPDX-License-Identifier: MIT
# TLS sockets of a board, to a server on the host: tls.py FUNCTION ARGUMENTS.
import gc
import sys

HOST = "10.0.2.2"


def used():
    # What calls have left on the stack looks like pointers, at one depth or another.
    return min([collected(n) for n in range(12)])


def collected(n):
    if n:
        return collected(n - 1)
    gc.collect()
    return gc.mem_alloc()


def heap(port, how):
    """What a client keeps that sends and receives a little: `bytes N`."""
    with open("ca.der", "rb") as file:
        ca = file.read()
    buf = bytearray(8)
    before = used()
    if how[:6] == "native":
        import socket

        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.connect((HOST, int(port)))
        if how == "native-tls":
            import ssl

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(ca)
            s = context.wrap_socket(s, server_hostname="server.test")
        s.write(b"hello")
        print(s.read(5))
        print("bytes", used() - before - 32)
        s.close()
        return
    import usocket_compat as net

    if how == "tls":
        net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, ca)
        step("credential", before)
        fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
        step("socket", before)
        net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
        net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
        step("options", before)
    else:
        fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM)
    net.zsock_connect(fd, (HOST, int(port)))
    step("connect", before)
    # As a client that is not to wait for ever, and has had to wait: what that takes is in any.
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
    try:
        net.zsock_recv(fd, buf)
    except OSError:
        pass
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 10)
    net.zsock_send(fd, b"hello")
    net.zsock_recv(fd, buf)
    print(bytes(buf[:5]))
    print("bytes", used() - before - 32)
    net.zsock_close(fd)


def step(name, before):
    if len(sys.argv) > 4:
        print(name, used() - before)


def client(net, tag):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [tag])
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
    return fd


def both(port, size):
    """As many bytes both ways at once, in pieces of 1 to 16,384: their digests."""
    import _thread
    from time import sleep_ms

    from uhashlib import sha256

    import usocket_compat as net

    with open("ca.der", "rb") as file:
        net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, file.read())
    fd = client(net, 1)
    net.zsock_connect(fd, (HOST, int(port)))
    size = int(size)
    sent = sha256()
    done = []
    gc.collect()
    block = bytearray(16384)
    buf = bytearray(3000)

    def give():
        left, n, k = size, 1, 0
        try:
            while left:
                n = min(n * 3 % 16384 + 1, left)
                part = memoryview(block)[:n]
                k += 1
                part[0] = k & 255
                part[n - 1] = n & 255
                sent.update(part)
                while len(part):
                    part = part[net.zsock_send(fd, part) :]
                left -= n
            done.append("")
        except BaseException as e:
            done.append(repr(e))

    _thread.start_new_thread(give, ())
    got = sha256()
    left = size
    while left:
        n = net.zsock_recv(fd, buf)
        if not n:
            break
        got.update(memoryview(buf)[:n])
        left -= n
    while not done:
        sleep_ms(20)
    print("left", left, done[0])
    for each in (sent, got):
        print("digest", "".join(["%02x" % b for b in each.digest()]))
    net.zsock_close(fd)
    print("fds", net.fds())


def full(port):
    """As many connections as there is memory for; and one again when one of them is closed."""
    import usocket_compat as net
    from usocket_compat import errno

    with open("ca.der", "rb") as file:
        net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, file.read())

    def connected():
        fd = client(net, 1)
        try:
            net.zsock_connect(fd, (HOST, int(port)))
            return fd
        except OSError as e:
            print("error", "ENOMEM" if e.errno == errno.ENOMEM else e.args)
            net.zsock_close(fd)

    fds = []
    while len(fds) < 9:
        fd = connected()
        if fd is None:
            break
        fds.append(fd)
    print("connections", len(fds))
    net.zsock_close(fds.pop())
    gc.collect()
    fds.append(connected())
    for fd in fds:
        net.zsock_send(fd, b"hello")
        print(net.zsock_recv(fd, 9))
        net.zsock_close(fd)
    print("fds", net.fds())


def told(port, levels):
    """A client for each TLS_PEER_VERIFY, `-` for none, that trusts who has not signed."""
    import usocket_compat as net

    with open("other.der", "rb") as file:
        net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, file.read())
    for level in levels:
        fd = client(net, 1)
        if level != "-":
            net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_PEER_VERIFY, int(level))
        try:
            net.zsock_connect(fd, (HOST, int(port)))
            print(level, "connected")
        except OSError as e:
            print(level, e.args[1])
        net.zsock_close(fd)
        gc.collect()  # a board has TLS memory for one


def gone(port, times):
    """Connects to a peer that goes at once, and says what comes of it."""
    import usocket_compat as net

    with open("ca.der", "rb") as file:
        net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, file.read())
    for _ in range(int(times)):
        fd = client(net, 1)
        net.zsock_connect(fd, (HOST, int(port)))
        try:
            print("got", net.zsock_recv(fd, 9))
        except OSError as e:
            print("got", e.args[1])
        net.zsock_close(fd)
        gc.collect()  # a board has TLS memory for one


def many(port, times):
    """Connections one after the other, half of which fail: what is left of them."""
    import usocket_compat as net
    from usocket_compat import errno

    for tag, name in ((1, "ca.der"), (2, "other.der")):
        with open(name, "rb") as file:
            net.tls_credential_add(tag, net.TLS_CREDENTIAL_CA_CERTIFICATE, file.read())
    made = [0, 0]
    before = 0
    for n in range(int(times)):
        fd = client(net, 1 + n % 2)
        try:
            net.zsock_connect(fd, (HOST, int(port)))
            made[n % 2] += 1
        except OSError as e:
            assert e.errno == errno.ECONNABORTED, e
        net.zsock_close(fd)
        if n == 20:
            before = used()
    print("made", made, net.fds())
    print("bytes", used() - before)


globals()[sys.argv[1]](*sys.argv[2:4])
