# SPDX-License-Identifier: MIT
# Threads that look at a stream while another reads it: order.py FORM OTHER HOST PORT TOTAL.
# Prints what is wrong, and "read" with how many bytes came in how many reads.
import _thread
import sys
import time

import usocket_compat as net
from usocket_compat import errno

form, other, host, port, total = sys.argv[1:]
total = int(total)
# As the peer's: no two of its places have the same eight bytes.
PERIOD = 4093
seed = 1
block = bytearray(PERIOD)
for i in range(PERIOD):
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    block[i] = seed >> 16 & 255
block = bytes(block) * 2
faults = []
over = False
reads = 0
read = taken = 0  # by the reader, by another
running = 0

fd = net.socket()
net.connect(fd, (host, int(port)))


def nothing_yet(call, *args):
    """What a call gives that does not wait; None if it would."""
    try:
        return call(*args)
    except OSError as e:
        if e.errno == errno.EAGAIN:
            return None
        raise


def all_of_it():
    # lwIP may forget an end that comes when six segments are unread: so the peer waits for this.
    if read + taken == total:
        net.send(fd, b"k")


def contiguous(what, data):
    if len(data) > 8 and data not in block:
        faults.append((what, len(data)))


def count():
    n = net.zsock_ioctl(fd, net.FIONREAD)
    ends = net.pollfd(fd, net.POLLRDHUP)
    net.poll([ends], 0)
    if not 0 <= n <= total or ends.revents & net.POLLERR:
        faults.append(("count", n, ends.revents))


def poll():
    entry = net.pollfd(fd, net.POLLIN | net.POLLRDHUP)
    net.poll([entry], 5)
    net.getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR)


def peek():
    contiguous("peek", nothing_yet(net.recv, fd, 700, net.MSG_PEEK | net.MSG_DONTWAIT) or b"")
    contiguous("waiting peek", net.recv(fd, 700, net.MSG_PEEK))


def second():
    global taken
    data = nothing_yet(net.recv, fd, 300, net.MSG_DONTWAIT) or b""
    contiguous("second", data)
    taken += len(data)
    if data:
        all_of_it()


def beside(look):
    global running
    try:
        while not over:
            try:
                look()
            except MemoryError:
                pass  # and nothing is lost
            time.sleep_ms(1)
    except Exception as e:
        faults.append((other, repr(e)))
    running -= 1


def reader(form):
    """Reads to the end."""
    global reads, read
    buf = bytearray(256)
    view = memoryview(buf)
    while True:
        try:
            if form == "bytes":
                data = net.recv(fd, 256)
            else:
                got = net.recv(fd, view if form == "view" else buf)
        except MemoryError:
            continue  # and nothing is lost
        if form != "bytes":
            data = bytes(view[:got])
        if not data:
            return
        reads += 1
        begin = read % PERIOD
        if other == "second":
            contiguous("read", data)
        elif data != block[begin : begin + len(data)]:
            faults.append(("read", read, len(data)))
            return
        read += len(data)
        all_of_it()


for look in {"all": (count, poll, peek)}.get(other) or (globals()[other],):
    running += 1
    _thread.start_new_thread(beside, (look,))
try:
    reader(form)
except Exception as e:
    faults.append(repr(e))
over = True
while running:
    time.sleep_ms(1)
if read + taken != total:
    faults.append((read, taken, total))
for fault in faults[:5]:
    print("fault", fault)
print("read", read + taken, reads)
net.close(fd)
