# DTLS sockets in asyncio.
import asyncio

import dtls
from dtls import NEEDED, roomy
from loops import go

from check import close, eq, needs, nonblocking
from usocket_compat import aio

WORDS = b"one", b"two"


async def serve(fd):
    for _ in WORDS:
        data, addr = await aio.recvfrom(fd, 100)
        await aio.sendto(fd, data.upper(), 0, addr)


async def talk():
    sfd, addr = dtls.server()
    serving = asyncio.create_task(serve(sfd))
    fd = dtls.client()
    for each in fd, sfd:
        nonblocking(each)
    await aio.connect(fd, addr)
    for word in WORDS:
        await aio.send(fd, word)
        eq(await aio.recv(fd, 100), word.upper())
    await serving
    close(fd, sfd)


@needs(NEEDED)
@roomy
def test_a_session():
    go(talk())
