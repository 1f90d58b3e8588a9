# What a socket has of its own in each state: "STATE: names".
import socket
import sys

port = 8700 if sys.platform == "esp32" else 8701


def shows(state, s):
    own = [name for name in s.__dict__ if name[0] != "_" and name not in ("family", "type")]
    print(state + ":", " ".join(sorted(own)))


def stream():
    global port
    port += 2
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1)
    a = socket.socket()
    a.connect(("127.0.0.1", port))
    b = listener.accept()[0]
    listener.close()
    return a, b


a, b = stream()
shows("plain", a)
shows("plain", b)
a.setblocking(False)
shows("plain", a)
a.settimeout(1)
shows("waits", a)
a.settimeout(None)
shows("plain", a)
a.getpeername()
shows("plain", a)
b.send(b"peeked")
a.recv(2, socket.MSG_PEEK)
# With a kernel that holds nothing back.
shows("plain" if hasattr(socket.native, "sockaddr") else "layer", a)
a.recv(10)
shows("plain", a)
a.fileno()
shows("layer", a)
a.settimeout(1)
shows("layer", a)
a.close()
shows("closed", a)
b.settimeout(1)
b.close()
shows("closed", b)
a, b = stream()
a.settimeout(2)
b.send(b"x")
a.recv(1, socket.MSG_PEEK)
a.recv(1)
shows("waits", a)
a.close()
b.close()
