"""HTTP clients with nginx: urequests of the package index, and one of the shape of requests."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path

import peers
import pytest
from places import DROP_IN, Place, expect, finished

SIZES = {"big": 30_000, "small": 1234, "empty": 0}
# An ESP32's numbers.
NEWLIB_ECONNRESET, NEWLIB_ECONNREFUSED, NEWLIB_ETIMEDOUT = 104, 111, 116
TEXT = b"a line that is worth compressing\n" * 400
CONF = (
    peers.NGINX_HEAD
    + """\
    keepalive_timeout 1;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        absolute_redirect off;
        location = /moved {{ return 302 http://$host:{port}/small; }}
        location = /twice {{ return 302 http://$host:{port}/moved; }}
        location = /echo {{
            proxy_pass http://127.0.0.1:{port}/echoed;
            proxy_set_header X-Body $request_body;
        }}
        location = /echoed {{ return 200 $http_x_body; }}
        location /chunked/ {{
            alias {root}/;
            # What it does not know the length of comes in chunks.
            sub_filter_types *;
            sub_filter line lines;
            sub_filter_once off;
        }}
    }}
}}
"""
)


@contextlib.contextmanager
def nginx(folder: Path, root: Path):
    port = peers.free_port()
    conf, log = folder / "nginx.conf", folder / "nginx.log"
    conf.write_text(CONF.format(folder=folder, root=root, port=port))
    argv = [peers.program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(conf)]
    with peers.running(argv, log) as process:
        peers.wait_for_port(port, process, log)
        yield port


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "root"
    root.mkdir()
    os.chmod(folder, 0o755)
    for name, size in SIZES.items():
        (root / name).write_bytes(os.urandom(size))
    (root / "text").write_bytes(TEXT)
    with nginx(folder, root) as port:
        yield port, root


def line(content: bytes, status: int = 200, words: str = "") -> str:
    return f"{status} {words}{len(content)} {hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("first", ["", "first"])
def test_urequests(place: Place, site, first: str) -> None:
    """Of `import usocket` it gets the drop-in only where something has loaded that before."""
    port, root = site
    nobody = peers.free_port()
    *lines, refused = place.lines(
        "urequests_get", place.host, port, first, nobody, use=["micropython-urequests"]
    )
    assert lines == [
        *(line((root / name).read_bytes()) for name in ("small", "empty", "big")),
        "200 True",
        "Too many redirects",
        "404 b'Not Found'",
        line(b"a body of a str"),
        "{'number': 7}",
        f"200 {SIZES['small']} 0",
        "30 forgotten",
    ]
    # What lwIP calls a refusal is mended by the drop-in.
    native = NEWLIB_ECONNRESET if place.board else errno.ECONNREFUSED
    mended = NEWLIB_ECONNREFUSED if place.board else errno.ECONNREFUSED
    assert int(refused) == (mended if place.kind == DROP_IN and first else native)


def test_keep_alive(place: Place, site) -> None:
    port, root = site
    small = (root / "small").read_bytes()
    chunked = line(TEXT.replace(b"line", b"lines"), words="chunked ")
    program = place.run("http_keepalive", place.host, port)
    expect(program, *[line(small, words="whole ")] * 5)
    expect(program, chunked, line(small, words="whole "))
    moved = program.line(20)
    assert moved and moved.startswith("302 whole ")
    expect(program, "ready")
    assert finished(program) == [
        "end b'' b'' b'' b''",
        chunked + " b''",
        f"timeout {timed_out(place)}",
        line(small, words="whole "),
    ]


def timed_out(place: Place) -> int:
    """On unix the firmware calls it EAGAIN, as if the socket did not block."""
    if place.board:
        return NEWLIB_ETIMEDOUT
    return errno.ETIMEDOUT if place.kind == DROP_IN else errno.EAGAIN
