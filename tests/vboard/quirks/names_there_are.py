# SPDX-License-Identifier: MIT
import errno
import socket

methods = [name for name in dir(socket.socket) if name[0] != "_"]
print(" ".join(sorted(methods)))
print(" ".join(sorted(name for name in dir(socket) if name[0] != "_")))
print("errno names", len(errno.errorcode))
