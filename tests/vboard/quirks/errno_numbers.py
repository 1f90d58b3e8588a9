# SPDX-License-Identifier: MIT
import errno
import socket

for name in ("EINPROGRESS", "ENOTCONN", "ETIMEDOUT", "ECONNABORTED", "EADDRINUSE", "EALREADY"):
    print(name, getattr(errno, name))
for name in ("EPIPE", "EISCONN", "ENOPROTOOPT", "EAFNOSUPPORT", "ENFILE", "EMSGSIZE"):
    print(name, hasattr(errno, name))
s = socket.socket()
s.setblocking(False)
try:
    s.connect(("10.0.2.99", 80))
except OSError as e:
    print(e.errno)
