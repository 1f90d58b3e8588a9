# eventfd: what Zephyr's suite looks at (tests/posix/eventfd), with the answers of eventfd(2).
import os
import time

import usocket_compat as net
from check import (
    STARTED,
    WAKE,
    Thread,
    between,
    close,
    eq,
    needs,
    nonblocking,
    raises,
    ready,
    sized,
    sleep_ms,
    tcp,
    took,
    true,
)

IN, OUT = net.POLLIN, net.POLLOUT
BOTH = IN | OUT
MOST = 0xFFFFFFFFFFFFFFFE  # what the counter holds at most


def event(initval=0, flags=0):
    return net.zvfs_eventfd(initval, flags | net.EFD_NONBLOCK)


# rows: zvfs_eventfd zvfs_eventfd_read zvfs_eventfd_write
@needs("eventfd")
def test_write_then_read():
    fd = event()
    for values in ((3,), (1, 2, 4), (MOST,)):
        for value in values:
            eq(net.zvfs_eventfd_write(fd, value), None)
        eq(net.zvfs_eventfd_read(fd), sum(values))
        raises("EAGAIN", net.zvfs_eventfd_read, fd)
    close(fd)


@needs("eventfd")
def test_initial_value():
    fd = event(0xFFFFFFFF)
    eq(net.zvfs_eventfd_read(fd), 0xFFFFFFFF)
    close(fd)


# rows: EFD_SEMAPHORE
@needs("eventfd")
def test_semaphore():
    fd = event(1, net.EFD_SEMAPHORE)
    net.zvfs_eventfd_write(fd, 2)
    eq([net.zvfs_eventfd_read(fd) for _ in range(3)], [1, 1, 1])
    raises("EAGAIN", net.zvfs_eventfd_read, fd)
    close(fd)


@needs("eventfd")
def test_zero_does_not_unblock():
    fd = event()
    net.zvfs_eventfd_write(fd, 0)
    raises("EAGAIN", net.zvfs_eventfd_read, fd)
    eq(ready(fd, BOTH, 0), OUT)
    close(fd)


@needs("eventfd")
def test_poll():
    fd = event()
    eq(took(ready, fd, IN, 30)[1] >= 25, True)
    eq(ready(fd, BOTH, 0), OUT)
    net.zvfs_eventfd_write(fd, 1)
    eq(ready(fd, BOTH, 0), BOTH)
    net.zvfs_eventfd_write(fd, MOST - 1)
    eq(ready(fd, BOTH, 0), IN)
    eq(net.zsock_select([fd], [fd], [], 0), ([fd], [], []))
    net.zvfs_eventfd_read(fd)
    eq(net.zsock_select([fd], [fd], [], 0), ([], [fd], []))
    close(fd)
    eq(ready(fd, BOTH, 0), net.POLLNVAL)


# rows: zvfs_eventfd_write EFD_NONBLOCK
@needs("eventfd")
def test_overflow():
    fd = event()
    net.zvfs_eventfd_write(fd, MOST)
    raises("EAGAIN", net.zvfs_eventfd_write, fd, 1)
    eq(net.zvfs_eventfd_write(fd, 0), None)
    raises("EINVAL", net.zvfs_eventfd_write, fd, MOST + 1)
    eq(net.zvfs_eventfd_read(fd), MOST)
    close(fd)


@needs("eventfd")
def test_fcntl():
    fd = net.zvfs_eventfd()
    eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
    nonblocking(fd)
    raises("EAGAIN", net.zvfs_eventfd_read, fd)
    close(fd)
    fd = event()
    eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    close(fd)


@needs("eventfd", "threads")
def test_read_waits_for_a_write():
    fd = net.zvfs_eventfd()
    reader = Thread(net.zvfs_eventfd_read, fd)
    sleep_ms(STARTED)
    net.zvfs_eventfd_write(fd, 7)
    eq(reader.join(), 7)
    close(fd)


@needs("eventfd", "threads")
def test_write_waits_for_a_read():
    fd = net.zvfs_eventfd()
    net.zvfs_eventfd_write(fd, MOST)
    writer = Thread(net.zvfs_eventfd_write, fd, 5)
    sleep_ms(STARTED)
    eq(net.zvfs_eventfd_read(fd), MOST)
    eq(writer.join(), None)
    eq(net.zvfs_eventfd_read(fd), 5)
    close(fd)


@needs("eventfd", "threads")
def test_waiting_takes_no_time_of_the_processor():
    if not hasattr(time, "process_time"):
        return "no clock for it"
    fd = net.zvfs_eventfd()
    net.zvfs_eventfd_write(fd, MOST)
    writer = Thread(net.zvfs_eventfd_write, fd, 5)
    begin = time.process_time()
    sleep_ms(400)
    spent = (time.process_time() - begin) * 1000
    net.zvfs_eventfd_read(fd)
    writer.join()
    true(spent < 100, "a write that waits took %d ms of 400" % spent)
    close(fd)


@needs("eventfd", "threads")
def test_a_write_wakes_poll():
    """What it is for: another thread ends a wait for sockets."""
    fd, sock = event(), tcp()
    fds = [net.zsock_pollfd(fd, IN), net.zsock_pollfd(sock, 0)]
    poller = Thread(took, net.zsock_poll, fds[:1], 5000)
    sleep_ms(STARTED)
    net.zvfs_eventfd_write(fd, 1)
    between(poller.join()[1], 0, 5000 // 2)
    eq(fds[0].revents, IN)
    close(fd, sock)


@needs("eventfd", "threads")
def test_close_ends_a_waiting_read():
    fd = net.zvfs_eventfd()
    reader = Thread(took, raises, "EBADF", net.zvfs_eventfd_read, fd)
    sleep_ms(STARTED)
    close(fd)
    between(reader.join()[1], 0, STARTED + WAKE)


@needs("eventfd")
def test_it_is_no_socket():
    fd = event()
    for call, args in (
        (net.zsock_send, (b"x",)),
        (net.zsock_recv, (1,)),
        (net.zsock_recv, (bytearray(1),)),
        (net.zsock_recvfrom, (1,)),
        (net.zsock_sendto, (b"x", 0, ("127.0.0.1", 9))),
        (net.zsock_connect, (("127.0.0.1", 9),)),
        (net.zsock_bind, (("127.0.0.1", 0),)),
        (net.zsock_listen, (1,)),
        (net.zsock_accept, ()),
    ):
        raises("ENOTSOCK", call, fd, *args)
    close(fd)


@needs("eventfd")
def test_bad_arguments():
    fd = event()
    raises(OverflowError, net.zvfs_eventfd, -1)
    raises(OverflowError, net.zvfs_eventfd, 1 << 32)
    raises(TypeError, net.zvfs_eventfd, "1")
    raises("EINVAL", net.zvfs_eventfd, 0, 1 << 30)
    raises(OverflowError, net.zvfs_eventfd_write, fd, -1)
    raises(OverflowError, net.zvfs_eventfd_write, fd, 1 << 64)
    raises(TypeError, net.zvfs_eventfd_write, fd, b"x")
    close(fd)
    raises("EBADF", net.zvfs_eventfd_read, fd)
    raises("EBADF", net.zvfs_eventfd_write, fd, 1)
    sock = tcp()
    raises("EINVAL", net.zvfs_eventfd_read, sock)
    raises("EINVAL", net.zvfs_eventfd_write, sock, 1)
    close(sock)


@needs("eventfd")
def test_each_takes_an_fd():
    fds = []
    try:
        while len(fds) < 300:
            fds.append(event())
    except OSError as e:
        eq(e.errno, net.errno.ENFILE)
    eq(len(set(fds)), len(fds))
    close(*fds)
    close(tcp())


@needs("eventfd", "threads")
def test_several_threads_count():
    """No count is lost, or got twice."""
    for flags in (0, net.EFD_SEMAPHORE):
        fd = event(0, flags)
        rounds = sized(300, 100)
        writers = []

        def write():
            for _ in range(rounds):
                net.zvfs_eventfd_write(fd, 3)
            return 0

        def read():
            total = 0
            while True:
                last = all(thread.done for thread in writers)
                try:
                    total += net.zvfs_eventfd_read(fd)
                except OSError as e:
                    eq(e.errno, net.errno.EAGAIN)
                    if last:
                        return total
                    sleep_ms(0)

        writers += [Thread(write), Thread(write)]
        threads = [Thread(read), Thread(read)] + writers
        eq(sum(thread.join() for thread in threads), 2 * rounds * 3)
        close(fd)


@needs("eventfd")
def test_no_descriptor_is_lost_for_want_of_another():
    try:
        import resource
    except ImportError:
        return "nobody sets that limit here"
    before = os.listdir("/proc/self/fd")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    for more in range(3):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + more, limits[1]))
            fd = event()
        except OSError as e:
            fd = None
            eq(e.errno, net.errno.EMFILE)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        if fd is not None:
            close(fd)
        eq(len(os.listdir("/proc/self/fd")), len(before))
