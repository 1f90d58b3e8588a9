"""micro-nats with a NATS server."""

from __future__ import annotations

import socket
from pathlib import Path

import peers
import pytest
from places import Place, expect, finished


@pytest.fixture
def server(tmp_path: Path):
    port = peers.free_port()
    argv = [peers.program("nats-server"), "-a", "127.0.0.1", "-p", str(port)]
    log = tmp_path / "nats.log"
    with peers.running(argv, log) as process:
        peers.wait_for_port(port, process, log)
        yield port


def test_publish_and_subscribe(place: Place, server: int) -> None:
    program = place.run("nats_client", place.host, server, use=["micro-nats"])
    expect(program, *[f"own number {i} None" for i in range(5)], "own 2000 None", "ready")
    # The protocol is one of lines, so a file of it is a client.
    with socket.create_connection(("127.0.0.1", server), 20) as peer:
        lines = peer.makefile("rwb", 0)
        assert lines.readline().startswith(b"INFO ")
        lines.write(b'CONNECT {"verbose": false}\r\nSUB reply.* 1\r\nSUB from.board 2\r\n')
        lines.write(b"PUB to.board reply.7 10\r\na question\r\n")
        expect(program, "to.board a question reply.7")
        heard = [lines.readline() for _ in range(4)]
    assert heard == [
        *(b"MSG reply.7 1 9\r\n", b"an answer\r\n"),
        *(b"MSG from.board 2 7\r\n", b"the end\r\n"),
    ]
    assert finished(program) == ["done"]
