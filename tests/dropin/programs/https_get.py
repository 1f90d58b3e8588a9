# A GET over TCP, or over TLS from a peer that is verified. A module, so that a small heap does not
# have to compile it: get() prints the status, the length, and what of the heap is held afterwards.
import gc


def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def get(host, port, tls, now=None):
    begin = used()
    import select
    import socket

    s = socket.socket()
    s.connect(socket.getaddrinfo(host, port)[0][-1])
    stream = s
    if tls:
        import ssl

        import machine

        machine.RTC().datetime(now)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile="/ca.der")
        stream = context.wrap_socket(s, server_hostname="test.local")
    stream.write(b"GET /small HTTP/1.0\r\n\r\n")
    status = stream.readline()
    while stream.readline() != b"\r\n":
        pass
    count = 0
    buffer = bytearray(100)
    while True:
        n = stream.readinto(buffer)
        if not n:
            break
        count += n
    poller = select.poll()
    poller.register(stream, 1)
    assert poller.poll(0)
    del poller
    stream.close()
    del stream, s
    held = used() - begin
    print(status[9:12].decode(), count, held)
