# Receives descriptors of any kind over AF_UNIX, passes them on, and an eventfd of its own.
import sys
from array import array

import usocket_compat as net
from usocket_compat import errno

if not net.capabilities()["scm_rights"]:
    print("refused")
    sys.exit()
fd = net.zsock_socket(net.AF_UNIX)
net.zsock_connect(fd, sys.argv[1])
_, ancdata, flags, _ = net.zsock_recvmsg(fd, [bytearray(1)], 64)
fds = list(array("i", ancdata[0][2]))
print(len(fds), flags & net.MSG_CTRUNC)
print([net.zsock_fcntl(each, net.F_GETFL) & net.O_NONBLOCK != 0 for each in fds])
for each in fds:
    try:
        net.zvfs_eventfd_read(each)
    except OSError as e:
        print(e.errno == errno.EINVAL)
    try:
        net.zsock_recv(each, 1)
    except OSError as e:
        print(e.errno == errno.ENOTSOCK)
events = net.zvfs_eventfd(), net.zvfs_eventfd(0, net.EFD_NONBLOCK)
fds += events
rights = [(net.SOL_SOCKET, net.SCM_RIGHTS, array("i", fds))]
net.zsock_sendmsg(fd, [b"x"], rights)
# The program waits for what the other side counts, and sees what it read.
print(net.zvfs_eventfd_read(events[0]))
net.zvfs_eventfd_write(events[0], 7)
net.zsock_recv(fd, 1)
net.zsock_fcntl(events[0], net.F_SETFL, net.O_NONBLOCK)
try:
    net.zvfs_eventfd_read(events[0])
except OSError as e:
    print(e.errno == errno.EAGAIN)
net.zsock_close(fd)
for fd in fds:
    net.zsock_close(fd)
print(net.fds())
