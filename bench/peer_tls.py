# SPDX-License-Identifier: MIT
# The other end of bench/workload_tls.py: for each two 4-byte lengths (network order) it takes as
# many bytes as the first says, then sends as many as the second. Ends with its standard input.
import socket
import ssl
import struct
import sys
import tempfile
import threading

import certs  # of tests/common


def secured():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(ssl.DER_cert_to_PEM_cert(certs.SERVER))
        file.write(
            ssl.DER_cert_to_PEM_cert(certs.SERVER_KEY).replace("CERTIFICATE", "PRIVATE KEY")
        )
        file.flush()
        made.load_cert_chain(file.name)
    return made


def serve(connection, context):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    room = memoryview(bytearray(1 << 16))
    try:
        with context.wrap_socket(connection, server_side=True) as secure:
            while True:
                head = b""
                while len(head) < 8:
                    part = secure.recv(8 - len(head))
                    if not part:
                        return
                    head += part
                taken, given = struct.unpack("!II", head)
                while taken:
                    taken -= secure.recv_into(room[: min(taken, len(room))])
                while given:
                    given -= secure.send(room[: min(given, len(room))])
    except OSError:
        pass  # it has closed


def accept(listener, context):
    while True:
        args = listener.accept()[0], context
        threading.Thread(target=serve, args=args, daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener, secured()), daemon=True).start()
sys.stdin.read()
