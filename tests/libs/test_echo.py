"""An asyncio echo of 8 clients, which is all that a board's ten sockets allow."""

from __future__ import annotations

import asyncio
import socketserver
import threading

import peers
from places import Place, expect, finished

CLIENTS, LINES = 8, 10
SECONDS = 30


async def talk(port: int, number: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    right = 0
    for i in range(LINES):
        line = b"%d of %d %s\n" % (i, number, b"." * (37 * i % 300))
        writer.write(line)
        right += await reader.readline() == line
    if number == 0:
        writer.write(b"end\n")
        await reader.readline()
    writer.close()
    await writer.wait_closed()
    return right


async def all_talk(port: int) -> list[int]:
    talking = asyncio.gather(*(talk(port, number) for number in range(CLIENTS)))
    return await asyncio.wait_for(talking, SECONDS)


def test_server(place: Place) -> None:
    port = 8007 if place.board else peers.free_port()
    program = place.run("echo", port, CLIENTS)
    expect(program, "ready")
    assert asyncio.run(all_talk(place.reach(port))) == [LINES] * CLIENTS
    assert finished(program) == [f"at once {CLIENTS} served {CLIENTS * LINES + 1}"]


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


def test_clients(place: Place) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        try:
            port = server.server_address[1]
            lines = place.lines("echo_clients", place.host, port, CLIENTS, LINES)
        finally:
            server.shutdown()
            thread.join()
    assert lines == [str([LINES] * CLIENTS)]
