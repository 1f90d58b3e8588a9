"""How TLS connections end, with CPython's `ssl` as the peer."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest
import secured
from targets import HostTarget

PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 60


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("how", ["close", "shutdown", "nonblocking"])
def test_the_end_of_what_is_full(target: HostTarget, how: str, version: str) -> None:
    """A peer that reads late gets all of the data and then the end, not a connection cut off."""
    if target.id != "cpython":
        pytest.skip("MicroPython's `tls` has no close_notify: test_tls_trust.py has the refusal")
    context = secured.context(True, version)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        args = how, str(listener.getsockname()[1]), version
        process = target.run(PROGRAMS / "ends.py", str(secured.COMMON), *args)
        with listener.accept()[0] as plain:
            plain.settimeout(LIMIT)
            with context.wrap_socket(plain, True, suppress_ragged_eofs=False) as peer:
                line = process.line(LIMIT)
                said = re.match(r"full (\d+)( True)?$", line)
                assert said, (line, process.rest(5))
                assert bool(said[2]) == (how == "nonblocking")
                # So that it has begun with its end before there is room.
                time.sleep(0.2)
                count = 0
                while data := peer.recv(1 << 16):
                    count += len(data)
                # What found no room may have come as well.
                assert count - int(said[1]) in (0, 16000)
                if how != "close":
                    peer.sendall(b"bye")
                    peer.unwrap()
    expected = {"close": [], "shutdown": ["b'bye' b''"], "nonblocking": ["True", "b'bye' b''"]}
    assert process.rest(LIMIT) == [*expected[how], "[]"]
    assert process.end() == ""


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("full", [0, 1])
def test_a_write_out_of_which_a_handler_raises(
    target: HostTarget, full: int, version: str
) -> None:
    """What was whole is sent once; a record that is half out ends the connection."""
    if target.id != "cpython":
        pytest.skip("it has no handlers of signals")
    context = secured.context(True, version)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        args = str(secured.COMMON), str(listener.getsockname()[1]), version, str(full)
        process = target.run(PROGRAMS / "doubt.py", *args)
        heard = b""
        with listener.accept()[0] as plain:
            plain.settimeout(LIMIT)
            with context.wrap_socket(plain, True) as peer:
                assert process.line(LIMIT) == "hit"
                said = process.line(LIMIT)
                try:
                    while data := peer.recv(1 << 16):
                        heard += data
                except OSError:
                    assert full
    assert process.rest(LIMIT) == ["[]"]
    assert process.end() == ""
    if full:
        assert said == "103 a send that was interrupted has left a record half out"
        assert heard and not heard.strip(b"a")
    else:
        assert (said, heard) == ("50", b"a" * 16000 + b"b" * 50)
