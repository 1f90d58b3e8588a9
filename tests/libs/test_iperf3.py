"""uiperf3 with the real iperf3, which says how much came, each as client and as server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import peers
import pytest
from places import DROP_IN, NATIVE, Place, Program, expect, finished
from relay import relay

# With the firmware's module it does not run on unix: the last test.
RUNS = pytest.mark.places("unix-dropin", "vboard", "vboard-32bit")
WAYS = [("tcp", ""), ("tcp", "reverse"), ("udp", ""), ("udp", "reverse")]
SUMS = ("sum", "sum_sent", "sum_received")
IDS = [" ".join(way).strip() for way in WAYS]


@RUNS
@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_client(place: Place, way: tuple[str, str], tmp_path: Path) -> None:
    port, report = peers.free_port(), tmp_path / "report"
    argv = [peers.program("iperf3"), "-s", "-1", "-B", "127.0.0.1", "-p", str(port), "-J"]
    with peers.running([*argv, "--logfile", str(report)], tmp_path / "log") as server:
        wait_for_listener(port, server)
        lines = place.lines("iperf3", "client", place.host, port, *way, use=["uiperf3"])
        assert lines[-1] == "done"
        server.wait(10)
    check(json.loads(report.read_text()))


def serve(place: Place, port: int, kind: str) -> Program:
    program = place.run("iperf3", "server", "", port, kind, "", use=["uiperf3"])
    expect(program, "ready")
    line = program.line(20)
    assert line and line.startswith("Server listening on"), line
    time.sleep(0.1)  # it says so, then listens
    return program


def ask(port: int, *options: str) -> dict:
    argv = [peers.program("iperf3"), "-c", "127.0.0.1", "-p", str(port), "-J", *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=15)
    return json.loads(done.stdout)


def served(place: Place, *options: str) -> dict:
    """What iperf3 has to tell of uiperf3 as a server."""
    port = peers.free_port()
    program = serve(place, port, "tcp")
    # As many bytes to a message as a board has room for.
    told = ask(place.reach(port), "-n", "100K", "-l", "1000", *options)
    assert "error" not in told, told["error"]
    assert finished(program, 5)[-1] == "done"
    return told


@RUNS
def test_server_that_receives(place: Place) -> None:
    check(served(place))


@RUNS
def test_server_that_sends(place: Place) -> None:
    # At its end uiperf3 goes on sending until it finds the socket full, which a reader that is as
    # fast as it may put off for ever (uiperf3.py: "Need to continue writing"): then once more.
    for last in False, False, True:
        try:
            told = served(place, "-R")
        except subprocess.TimeoutExpired:
            if last:
                raise
        else:
            break
    check(told)


# As a server of UDP uiperf3 asks for the stream before it has a socket for it, so that a client
# that is near gets a refusal: the relay is late. And it answers 0x12345678, which iperf3 3.12
# does not take for an answer: it has two others (iperf.h, UDP_CONNECT_REPLY).
ANSWER, WANTED = b"\x12\x34\x56\x78", (987654321).to_bytes(4, sys.byteorder)
LATE = 0.3
BY_UDP = "-u", "-b", "400K", "-l", "500", "-t", "1"


def udp_relay(place: Place, port: int, change: Callable[[bytes], bytes]):
    tcp, udp = place.reach(port), place.reach_udp(port)
    return relay(peers.free_port(), tcp, udp, LATE, change)


@RUNS
def test_server_of_udp(place: Place) -> None:
    port = peers.free_port()
    program = serve(place, port, "udp")
    with udp_relay(place, port, lambda data: data.replace(ANSWER, WANTED)) as between:
        told = ask(between.port, *BY_UDP)
        assert finished(program, 5)[-1] == "done"
    check(told)
    assert between.answers == [ANSWER]


@RUNS
def test_server_of_udp_as_iperf3_sees_it(place: Place) -> None:
    """With the firmware's own module, and with the drop-in: its answer is not understood."""
    port = peers.free_port()
    serve(place, port, "udp")
    with udp_relay(place, port, lambda data: data) as between:
        told = ask(between.port, *BY_UDP)
    assert between.answers == [ANSWER]
    assert told["error"].startswith("unable to read from stream socket"), told["error"]


def check(told: dict) -> None:
    assert "error" not in told, told["error"]
    sums = [told["end"][name]["bytes"] for name in SUMS if name in told["end"]]
    assert max(sums) > 10_000, sums


def wait_for_listener(port: int, server: subprocess.Popen) -> None:
    """Without a connection, which would be the only one that it serves."""
    wanted = f":{port:04X} 00000000:0000 0A"
    while wanted not in Path("/proc/net/tcp").read_text():
        assert server.poll() is None


@pytest.mark.places("unix")
def test_what_unix_has_not(place: Place, tmp_path: Path) -> None:
    port = peers.free_port()
    argv = [peers.program("iperf3"), "-s", "-1", "-B", "127.0.0.1", "-p", str(port)]
    with peers.running(argv, tmp_path / "log") as server:
        wait_for_listener(port, server)
        program = place.run("iperf3", "client", place.host, port, "tcp", "", use=["uiperf3"])
        lines = program.rest(10)
    missing = "AttributeError: 'socket' object has no attribute 'sendall'"
    assert (missing in lines) == (place.kind == NATIVE)
    assert ("done" in lines) == (place.kind == DROP_IN)
