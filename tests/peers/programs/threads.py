# A reader, a writer and who closes on one TLS fd: threads.py FOLDER PORT VERSION TIMES. FOLDER has
# certs.py. An echo answers.
import _thread
import sys
import time

import usocket_compat as net
from usocket_compat import errno

sys.path.append(sys.argv[1])
import certs

port, version, times = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
proto = net.IPPROTO_TLS_1_3 if version == "1.3" else net.IPPROTO_TLS_1_2
# What a call may say on an fd that was closed meanwhile, or whose number is of the next already.
ENDS = errno.EBADF, errno.EPIPE, errno.ENOTCONN
ended = []
wrong = []


def work(call, *args):
    try:
        while True:
            r = call(*args)
            if call is net.zsock_recv and r:
                if r.strip(b"x"):
                    wrong.append(r)
            elif r == b"":
                break
    except OSError as e:
        if e.errno not in ENDS:
            wrong.append(e)
    except Exception as e:
        wrong.append(e)
    ended.append(1)


def polls(fd):
    pfd = net.zsock_pollfd(fd, net.POLLIN | net.POLLOUT)
    while not pfd.revents & net.POLLNVAL:
        net.zsock_poll([pfd], 20)
    ended.append(1)


for n in range(times):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, "server.test")
    net.zsock_connect(fd, ("127.0.0.1", port))
    ended.clear()
    for f, args in (
        (work, (net.zsock_recv, fd, 20000)),
        (work, (net.zsock_recv, fd, 7)),
        (work, (net.zsock_send, fd, b"x" * 9000)),
        (polls, (fd,)),
    ):
        _thread.start_new_thread(f, args)
    time.sleep(0.02 * (n % 4) + 0.01)
    net.zsock_close(fd)
    begin = time.time()
    while len(ended) < 4:
        if time.time() - begin > 30:
            print("hangs", ended, wrong)
            sys.exit(1)
        time.sleep(0.005)
print(wrong[:3], net.fds())
