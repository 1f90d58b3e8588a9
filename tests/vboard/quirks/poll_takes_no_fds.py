# SPDX-License-Identifier: MIT
import select
import socket

from common import say, udp

say("fd", select.poll().register, 1)
say("negative", select.poll().register, -1)
s = socket.socket()
poller = select.poll()
say("unregister", poller.unregister, s)
say("modify", poller.modify, s, select.POLLIN)
d = udp(7001)
say("select", lambda: [len(x) for x in select.select([d], [d], [d], 0.1)])
poller.register(d, select.POLLOUT)
print([each[1] for each in poller.ipoll(0, 1)], poller.poll(0))
