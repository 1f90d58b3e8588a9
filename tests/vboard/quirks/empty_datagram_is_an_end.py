# SPDX-License-Identifier: MIT
from common import LOCAL, say, udp

receiver, sender = udp(7001), udp(7002)
# Non-blocking, for it to be sent once only.
sender.setblocking(False)
say("sendto", sender.sendto, b"", (LOCAL, 7001))
sender.sendto(b"after it", (LOCAL, 7001))
say("recvfrom", receiver.recvfrom, 10)
data, address = receiver.recvfrom(10)
print(data, address == (LOCAL, 7002))
say("cure", receiver.listen, 0)
say("recvfrom", receiver.recvfrom, 10)
