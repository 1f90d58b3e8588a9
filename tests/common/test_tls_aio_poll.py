# asyncio on TLS sockets: they are polled.
import asyncio

from loops import go
from secure import client, listener

import usocket_compat as net
from check import close, eq, needs, ready
from usocket_compat import aio

NEEDED = "IPPROTO_TLS_1_2"


@needs(NEEDED)
def test_poll():
    async def main():
        lfd, addr = listener()
        fd = client()
        connecting = asyncio.create_task(aio.connect(fd, addr))
        server, _ = await aio.accept(lfd)
        polling = asyncio.create_task(aio.poll([net.zsock_pollfd(server, net.POLLOUT)], 20000))
        await connecting
        eq(await polling, 1)
        await aio.send(fd, b"abc")
        pfd = net.zsock_pollfd(server, net.POLLIN)
        eq(await aio.poll([pfd], 5000), 1)
        eq(pfd.revents, net.POLLIN)
        eq(net.zsock_recv(server, 1), b"a")
        # It is TLS alone that has the rest.
        eq(await aio.poll([pfd], 0), 1)
        eq(await aio.recv(server, 9), b"bc")
        eq(ready(server, net.POLLIN, 0), 0)
        close(fd, server, lfd)

    go(main())
