# Plain `ssl`: what a client believes, and what it does not. Arguments: host, authority in hex, the
# time, and the ports of servers: good, expired, self-signed, one with RSA, one that says nothing.
import binascii
import hashlib
import socket
import ssl
import sys
import time

words = sys.argv[1:]


def taken():
    """A file that came as words in hex, with "-" behind the last."""
    data = b""
    while True:
        word = words.pop(0)
        if word == "-":
            return data
        data += binascii.unhexlify(word)


host = words.pop(0)
authority = taken()
now, *ports = words
good, expired, self_signed, rsa, silent = [int(port) for port in ports]
with open("ca.der", "wb") as file:
    file.write(authority)


def connected(port):
    s = socket.socket()
    s.connect(socket.getaddrinfo(host, port)[0][-1])
    return s


def verified(port, name="test.local", **more):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cafile="ca.der")
    s = connected(port)
    try:
        return context.wrap_socket(s, server_hostname=name, **more)
    except Exception as e:
        s.close()
        raise e


def why(call, *args, **named):
    try:
        call(*args, **named).close()
        print("believed")
    except (OSError, ValueError) as e:
        print(str(e).replace("\n", " ").strip())


def get(s):
    s.write(b"GET /big HTTP/1.0\r\n\r\n")
    status = s.readline()
    while s.readline().strip():
        pass
    digest = hashlib.sha256()
    count = 0
    while True:
        data = s.read(1000)
        if not data:
            break
        count += len(data)
        digest.update(data)
    s.close()
    print(status.decode().strip(), count, binascii.hexlify(digest.digest()).decode())


if time.gmtime()[0] < 2020:
    why(verified, good)
    import machine

    machine.RTC().datetime([int(n) for n in now.split(",")])
get(verified(good))
get(ssl.wrap_socket(connected(good), server_hostname="test.local"))
get(
    ssl.wrap_socket(
        connected(good),
        cert_reqs=ssl.CERT_REQUIRED,
        cadata=authority,
        server_hostname="test.local",
    )
)
why(verified, rsa)
why(verified, good, "other.local")
why(verified, good, None)
why(verified, expired)
why(verified, self_signed)


def deferred():
    """What is written first makes the handshake; whom we do not believe does not get it."""
    s = verified(self_signed, do_handshake_on_connect=False)
    s.write(b"GET /secret HTTP/1.0\r\n\r\n")
    return s


why(deferred)


def in_time():
    s = connected(silent)
    s.settimeout(0.3)
    start = time.ticks_ms()
    try:
        return ssl.wrap_socket(s, server_hostname="test.local")
    finally:
        s.close()
        print(250 < time.ticks_diff(time.ticks_ms(), start) < 3000)


why(in_time)
