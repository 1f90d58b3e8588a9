# SPDX-License-Identifier: MIT
import select
import socket
import time

from common import HOST, LOCAL, PORT_OPEN, events, say, udp

s = socket.socket()
s.connect((HOST, PORT_OPEN))
s.setblocking(False)
say("send", s.send, bytes(20000))
receiver, sender = udp(7001), udp(7002)
for n in range(10):
    sender.sendto(bytes([n]), (LOCAL, 7001))
    time.sleep_ms(10)
receiver.settimeout(0)
kept = []
while events(receiver, select.POLLIN):
    kept.append(receiver.recv(1)[0])
print(kept)
