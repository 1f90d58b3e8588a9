# SPDX-License-Identifier: MIT
# The other end of a bench: for each 4-byte length (network order) it takes as many bytes, then
# sends as many back. Ends with its standard input.
import socket
import struct
import sys
import threading


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    room = memoryview(bytearray(1 << 16))
    with connection:
        while True:
            head = connection.recv(4, socket.MSG_WAITALL)
            if len(head) < 4:
                return
            (size,) = struct.unpack("!I", head)
            left = size
            while left:
                left -= connection.recv_into(room[: min(left, len(room))])
            left = size
            while left:
                left -= connection.send(room[: min(left, len(room))])


def accept(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdin.read()
