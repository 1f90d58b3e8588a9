# SPDX-License-Identifier: MIT
import _thread
import select
import socket
import time

from common import LOCAL, events, listener, say, until

s = listener(7001)
s.settimeout(0)
client = socket.socket()
client.connect((LOCAL, 7001))
until(lambda: events(s, select.POLLIN))
accepted = s.accept()[0]
client.settimeout(2)


def later():
    time.sleep_ms(300)
    client.send(b"came")


_thread.start_new_thread(later, ())
say("recv", accepted.recv, 10)
