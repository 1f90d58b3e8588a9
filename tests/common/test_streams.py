# Contract 5: no byte is lost, reordered or read twice; EOF is b'' for good.
import array
import time

import usocket_compat as net
from check import (
    BOARD,
    SOON,
    STARTED,
    Thread,
    between,
    close,
    drain,
    eq,
    has,
    needs,
    nodelay,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    reset,
    sendall,
    sized,
    sleep_ms,
    stream_pair,
    took,
    true,
    udp_pair,
)


# rows: E21
def test_eof_again_and_again():
    client, server = pair()
    sendall(client, b"last words")
    close(client)
    eq(recv_exactly(server, 10), b"last words")
    buf = bytearray(5)
    for _ in range(5):
        eq(net.zsock_recv(server, 5), b"")
        eq(net.zsock_recv(server, buf), 0)
        eq(net.zsock_recvfrom(server, 5)[0], b"")
    nonblocking(server)
    eq(net.zsock_recv(server, 5), b"")
    eq(buf, bytearray(5))
    close(server)


# rows: C5
@needs("SO_LINGER")
def test_data_before_a_reset_is_read():
    client, server = pair()
    sendall(client, b"data")
    eq(ready(server, net.POLLIN), net.POLLIN)
    reset(client)
    while not ready(server, 0, 1000) & net.POLLERR:
        pass
    eq(recv_exactly(server, 4), b"data")
    raises("ECONNRESET", net.zsock_recv, server, 1)
    eq(net.zsock_recv(server, 1), b"")
    close(server)


# rows: D17 MSG_PEEK
@needs("MSG_PEEK")
def test_peek_takes_nothing():
    client, server = pair()
    sendall(client, b"abcdef")
    buf = bytearray(4)
    for n in (1, 4, 10):
        eq(net.zsock_recv(server, n, net.MSG_PEEK), b"abcdef"[:n])
        eq(net.zsock_recv(server, buf, net.MSG_PEEK), 4)
    eq(net.zsock_recv(server, 2), b"ab")
    eq(net.zsock_recv(server, 9, net.MSG_PEEK), b"cdef")
    sendall(client, b"gh")
    eq(recv_exactly(server, 6), b"cdefgh")
    close(client, server)


@needs("SO_RCVTIMEO")
def test_a_timeout_takes_nothing():
    client, server = pair()
    nodelay(client)
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.02)
    sendall(client, b"abc")
    eq(recv_exactly(server, 3), b"abc")
    for _ in range(3):
        raises("EAGAIN", net.zsock_recv, server, 10)
    sendall(client, b"def")
    eq(recv_exactly(server, 3), b"def")
    close(client, server)


def test_sizes_of_every_kind():
    client, server = pair()
    large = (4096, 65535, 65536, 100001) if not BOARD else (1461, 2880, 2881)
    for n in (1, 2, 255, 256, 257, 1459, 1460) + large:
        data = bytes((i * i + n) % 256 for i in range(min(n, 997))) * (n // 997 + 1)
        data = data[:n]
        sendall(client, data)
        true(recv_exactly(server, n) == data, "%d bytes changed" % n)
    close(client, server)


def test_short_reads_lose_nothing():
    client, server = pair()
    data = bytes(range(250)) * sized(20, 8)
    sendall(client, data)
    got = b""
    n = 1
    while len(got) < len(data):
        got += net.zsock_recv(server, n)
        n = n * 7 % 97 + 1
    true(got == data)
    close(client, server)


def test_both_forms_of_receive_in_turn():
    client, server = pair()
    data = bytes(range(250)) * sized(12, 6)
    sendall(client, data)
    got = bytearray()
    buf = bytearray(13)
    while len(got) < len(data):
        got += buf[: net.zsock_recv(server, buf)]
        if len(got) < len(data):
            got += net.zsock_recv(server, 7)
        if len(got) < len(data):
            got += net.zsock_recvfrom(server, 5)[0]
    true(got == data)
    close(client, server)


def test_only_the_received_part_of_a_buffer_changes():
    client, server = pair()
    sendall(client, b"abc")
    buf = bytearray(b"........")
    eq(net.zsock_recv(server, memoryview(buf)[2:7]), 3)
    eq(buf, bytearray(b"..abc..."))
    close(client, server)


# rows: C37
def test_kinds_of_data():
    import array

    client, server = pair()
    for data in (
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(bytearray(b"xwritable viewx"))[1:-1],
    ):
        eq(net.zsock_send(client, data), len(data))
        eq(recv_exactly(server, len(data)), bytes(data))
    items = array.array("B", b"array")
    eq(net.zsock_send(client, items), 5)
    eq(recv_exactly(server, 5), b"array")
    into = array.array("B", bytes(5))
    sendall(client, b"other")
    eq(net.zsock_recv(server, into), 5)
    eq(bytes(into), b"other")
    close(client, server)


def test_items_wider_than_a_byte():
    import array

    client, server = pair()
    words = array.array("H", [1, 2, 3])
    eq(net.zsock_send(client, words), 6)
    into = array.array("H", [0, 0, 0, 9])
    eq(ready(server, net.POLLIN), net.POLLIN)
    eq(net.zsock_recv(server, into), 6)
    eq(list(into), [1, 2, 3, 9])
    if hasattr(memoryview(words), "cast"):
        # MicroPython's memoryview does not tell the width of its items (docs/parity.md).
        eq(net.zsock_send(client, memoryview(words)), 6)
        into = array.array("H", [0, 0, 0])
        eq(ready(server, net.POLLIN), net.POLLIN)
        eq(net.zsock_recv(server, memoryview(into)), 6)
        eq(list(into), [1, 2, 3])
    close(client, server)


def test_data_of_wrong_types():
    client, server = pair()
    for data in ("text", None, 5, [1], 1.5):
        raises(TypeError, net.zsock_send, client, data)
        raises(TypeError, net.zsock_sendto, client, data, 0, ("127.0.0.1", 9))
    for into in (b"read-only", "text", None, [0], 1.5):
        raises(TypeError, net.zsock_recv, server, into)
        raises(TypeError, net.zsock_recvfrom, server, into)
    raises(TypeError, net.zsock_send, client, b"x", "flags")
    raises(TypeError, net.zsock_recv, server, 1, "flags")
    sendall(client, b"fine")
    raises(TypeError, net.zsock_recv, server, memoryview(b"read-only"))
    eq(net.zsock_recv(server, 9), b"fine")
    close(client, server)


@needs("threads")
def test_nonblocking_writer_and_slow_reader():
    # Short writes in the middle of a pattern.
    a, b = stream_pair()
    nonblocking(a)
    data = bytes(range(251)) * sized(2000, 12)
    view = memoryview(data)

    def read():
        got = 0
        buf = bytearray(999)
        while got < len(data):
            n = net.zsock_recv(b, buf)
            start = got % 251
            if not n or buf[:n] != (data[start : start + n]):
                return "changed at %d" % got
            got += n
        return "same"

    thread = Thread(read)
    while view:
        try:
            view = view[net.zsock_send(a, view) :]
        except OSError as e:
            eq(e.errno, net.errno.EAGAIN)
            ready(a, net.POLLOUT)
    eq(thread.join(2 * SOON), "same")
    close(a, b)


@needs("MSG_TRUNC")
def test_msg_trunc_on_a_stream_discards():
    # tcp(7): the bytes are dropped, the count is returned.
    client, server = pair()
    sendall(client, b"0123456789")
    eq(ready(server, net.POLLIN), net.POLLIN)
    buf = bytearray(b"....")
    eq(net.zsock_recv(server, buf, net.MSG_TRUNC), 4)
    eq(buf, bytearray(b"...."))
    eq(net.zsock_recv(server, 10), b"456789")
    close(client, server)


def test_a_close_after_a_send_loses_nothing():
    for size in (1, sized(100000, 2000)):
        client, server = pair()
        nonblocking(client)
        sent = net.zsock_send(client, bytes(size))
        close(client)
        eq(len(recv_exactly(server, sent)), sent)
        eq(net.zsock_recv(server, 1), b"")
        close(server)


def test_peer_killed_is_told_to_both_directions():
    client, server = pair()
    sendall(server, b"unread")
    ready(client, net.POLLIN)
    close(client)
    # The close of a socket with unread data is a reset.
    eq(ready(server, net.POLLIN) & net.POLLIN, net.POLLIN)
    raises("ECONNRESET", net.zsock_recv, server, 1)
    raises("EPIPE", net.zsock_send, server, b"x")
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, server)
    close(server)


@needs("MSG_WAITALL", "MSG_DONTWAIT")
def test_waitall_without_waiting():
    client, server = pair()
    raises("EAGAIN", net.zsock_recv, server, 5, net.MSG_WAITALL | net.MSG_DONTWAIT)
    sendall(client, b"12")
    ready(server, net.POLLIN)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL | net.MSG_DONTWAIT), b"12")
    nonblocking(server)
    sendall(client, b"34")
    ready(server, net.POLLIN)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"34")
    raises("EAGAIN", net.zsock_recv, server, 5, net.MSG_WAITALL)
    close(client, server)


@needs("MSG_WAITALL", "SO_LINGER")
def test_waitall_until_a_reset():
    client, server = pair()
    sendall(client, b"12")
    ready(server, net.POLLIN)
    reset(client)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"12")
    raises("ECONNRESET", net.zsock_recv, server, 5, net.MSG_WAITALL)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"")
    close(server)


@needs("MSG_WAITALL", "recvmsg", "threads")
def test_waitall_fills_every_buffer():
    client, server = pair()
    a, b = bytearray(3), bytearray(4)
    thread = Thread(net.zsock_recvmsg, server, [a, b], 0, net.MSG_WAITALL)
    for part in (b"12", b"34", b"567"):
        sleep_ms(STARTED)
        true(not thread.done, "it did not wait for all")
        sendall(client, part)
    eq(thread.join()[0], 7)
    eq((bytes(a), bytes(b)), (b"123", b"4567"))
    close(client, server)


@needs("MSG_WAITALL", "recvmsg", "threads", "SO_RCVTIMEO")
def test_waitall_has_its_time_once():
    # What comes meanwhile does not lengthen it.
    client, server = pair()
    nodelay(client)  # or a board's second byte waits for the ACK of the first
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.8)
    thread = Thread(took, net.zsock_recvmsg, server, [bytearray(9)], 0, net.MSG_WAITALL)
    for _ in range(4):
        sleep_ms(100)
        sendall(client, b"x")
    result, ms = thread.join()
    eq(result[0], 4)
    between(ms, 800, 800)
    close(client, server)


@needs("MSG_WAITALL", "MSG_PEEK", "threads")
def test_waiting_takes_no_time_of_the_processor():
    if not hasattr(time, "process_time"):
        return "no clock for it"
    client, server = pair()
    sendall(client, b"x")
    ready(server, net.POLLIN)
    peeking = Thread(net.zsock_recv, server, 2, net.MSG_WAITALL | net.MSG_PEEK)
    spent = processor_time(400)
    sendall(client, b"y")
    eq(peeking.join(), b"xy")
    true(spent < 100, "a wait for all took %d ms of 400" % spent)
    close(client, server)


def processor_time(ms):
    begin = time.process_time()
    sleep_ms(ms)
    return (time.process_time() - begin) * 1000


@needs("MSG_WAITALL")
def test_waitall_of_a_datagram():
    a, b = udp_pair()
    net.zsock_send(a, b"12")
    net.zsock_send(a, b"345")
    eq(net.zsock_recv(b, 5, net.MSG_WAITALL), b"12")
    eq(net.zsock_recv(b, 5), b"345")
    close(a, b)


@needs("MSG_WAITALL", "MSG_PEEK")
def test_items_that_are_wider_than_a_byte():
    """Bytes count, as in CPython, and they are in the program's own buffer."""
    a, b = stream_pair()
    data = bytes(range(1, 41))

    def check(call, view, skip=0):
        sendall(a, data)
        eq(ready(b, net.POLLIN), net.POLLIN)
        sleep_ms(sized(0, 20))
        n = call(view)
        n = n[0] if n.__class__ is tuple else n
        eq(n, 40 - skip)
        eq(bytes(memoryview(items))[skip:], data[: 40 - skip])
        if n < 40:
            recv_exactly(b, 40 - n)

    for code in "BHiQ":
        width = 40 // len(array.array(code, bytes(40)))
        for flags in (0, net.MSG_WAITALL, net.MSG_DONTWAIT):
            items = array.array(code, bytes(40))
            check(lambda view: net.zsock_recv(b, view, flags), items)
            items = array.array(code, bytes(40))
            check(lambda view: net.zsock_recv(b, view, flags), memoryview(items))
            items = array.array(code, bytes(40))
            check(lambda view: net.zsock_recv(b, view, flags), memoryview(items)[1:], width)
            items = array.array(code, bytes(40))
            check(lambda view: net.zsock_recvfrom(b, view, flags), memoryview(items))
            if has("recvmsg"):
                items = array.array(code, bytes(40))
                check(lambda view: net.zsock_recvmsg(b, [view], 0, flags), memoryview(items))
        # A view of it counts items on MicroPython: a short count.
        eq(net.zsock_send(a, items), 40)
        eq(recv_exactly(b, 40), data)
    close(a, b)


@needs("threads")
def test_a_blocking_send_takes_all_items():
    # One of as many items as the platform takes bytes at once is not over with the first of those.
    for client, server in (pair(), stream_pair()):
        for n in (700, 2816):
            thread = Thread(drain, server, 2 * n)
            eq(net.zsock_send(client, array.array("H", [0x4142] * n)), 2 * n)
            thread.join()
        close(client, server)
