# A Poller on TLS sockets: a record is read whole, what is left of it is told of.
import secure
from polled import QUIET, tokens

import usocket_compat as net
from check import SOON, close, eq, needs, raises, recv_exactly, sendall, sleep_ms, stream_pair

IN = net.POLLIN


@needs("IPPROTO_TLS_1_2")
def test_what_tls_holds():
    """A record is read whole from the connection; its rest is to be told of."""
    a, b = secure.pair()
    c, d = stream_pair()
    with net.Poller() as poller:
        poller.register(b, "tls", IN)
        poller.register(d, "plain", IN)
        raises("EOPNOTSUPP", poller.reregister, b, "tls", IN, poller.EDGE)
        eq(poller.poll(QUIET), [])
        sendall(c, b"x")
        eq(tokens(poller), ["plain"])
        sendall(a, b"0123456789")
        while len(poller.poll(SOON)) < 2:
            sleep_ms(1)
        recv_exactly(d, 1)
        for _ in range(10):
            (event,) = poller.poll(SOON)
            eq((event.token, event.readable), ("tls", True))
            recv_exactly(b, 1)
        eq(poller.poll(QUIET), [])
        sendall(a, b"x")
        poller.reregister(b, "once", IN, poller.ONESHOT)
        eq(tokens(poller), ["once"])
        eq(tokens(poller, QUIET), [])
        sendall(c, b"x")
        eq(tokens(poller), ["plain"])
        recv_exactly(d, 1)
        close(b)
        eq(poller.poll(0), [])
    close(a, c, d)
