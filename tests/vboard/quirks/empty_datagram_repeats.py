# SPDX-License-Identifier: MIT
import select

from common import LOCAL, events, say, udp

receiver, sender = udp(7001), udp(7002)
sender.settimeout(0.3)
say("sendto", sender.sendto, b"", (LOCAL, 7001))
count = 0
while events(receiver, select.POLLIN, 200):
    # As in empty_datagram_is_an_end.py.
    say("listen", receiver.listen, 0)
    receiver.recv(1)
    count += 1
print("datagrams", count)
