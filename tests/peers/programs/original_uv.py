# What libuv does, on the layer: original_uv.py PORT. The same steps as in original.js.
import sys
import time

import usocket_compat as net

ADDR = ("127.0.0.1", int(sys.argv[1]))

fd = net.create_connection(ADDR)
net.send_all(fd, b"reset\n")
time.sleep(0.1)
net.close_reset(fd)

fd = net.create_connection(ADDR)
net.set_keepalive(fd, True, 50)
net.send_all(fd, b"keepalive\n")
net.recv(fd, 10)
net.close(fd)

fd = net.create_connection(ADDR)
queue = net.SendQueue(fd)
queue.write(b"half\n")
queue.shutdown()
print("after the end: " + net.recv_all(fd).decode())
net.close(fd)

fd = net.create_connection(ADDR)
queue = net.SendQueue(fd)
queue.write(b"order\n")
for n in range(1, 200):
    queue.write(bytes([n]) * (n * 97 % 5000 + 1))
queue.shutdown()
queue.drain()
net.recv_all(fd)
net.close(fd)
