# SPDX-License-Identifier: MIT
import select
import socket

from common import LOCAL, events, say, until

s = socket.socket()
s.bind((LOCAL, 7001))
s.listen()
clients = [socket.socket() for _ in range(3)]
for client in clients:
    client.setblocking(False)
    say("connect", client.connect, (LOCAL, 7001))
    until(lambda: events(client, select.POLLOUT) or client is clients[2])
print([events(client, select.POLLOUT, 300) for client in clients])
s.accept()
print(events(clients[2], select.POLLOUT, 5000))
