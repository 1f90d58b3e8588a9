"""microdot 2.7 with curl, and its own tests."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import libraries
import peers
from places import DROP_IN, Place, expect, finished

UPLOAD = 20_000
# Of those in the archive, the ones that need nothing but microdot, neither jinja, jwt nor sha1.
OWN = """
test_end2end test_microdot test_multidict test_request test_response test_sse test_url_pattern
test_urlencode
""".split()


def curl(url: str, *args: str) -> str:
    argv = [peers.program("curl"), "-sS", "--max-time", "10", *args, url]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_application(place: Place, tmp_path: Path) -> None:
    port = 8008 if place.board else peers.free_port()
    program = place.run("microdot_app", port, use=["microdot"])
    expect(program, "ready")
    url = f"http://127.0.0.1:{place.reach(port)}"
    assert curl(url) == "Hello, world!"
    assert curl(url + "/", "-I").startswith("HTTP/1.0 200 OK")
    numbers = json.dumps({"numbers": list(range(100))})
    kind = ("-H", "Content-Type: application/json", "-w", " %{http_code}")
    assert curl(url + "/json", "-d", numbers, *kind) == '{"sum": 4950} 201'
    (tmp_path / "upload").write_bytes(bytes(i % 251 for i in range(UPLOAD)))
    assert curl(url + "/upload", "--data-binary", f"@{tmp_path}/upload") == f"{UPLOAD} bytes"
    assert curl(url + "/stream/20") == "".join(f"piece {i}\n" for i in range(20))
    assert curl(url + "/long") == "0123456789" * 1000
    assert curl(url + "/fails", "-w", " %{http_code}") == "no 500"
    assert curl(url + "/missing", "-o", "/dev/null", "-w", "%{http_code}") == "404"
    check_client(place, json.loads(curl(url + "/who"))["address"])
    # Several at once.
    many = [f"{url}/stream/{n}" for n in (5, 6, 7)]
    pieces = curl(many[0], "-Z", *many[1:])
    assert len(re.findall(r"piece \d\n", pieces)) == 18
    assert curl(url + "/shutdown") == "down"
    assert finished(program)[-1] == "done"


def check_client(place: Place, address: str) -> None:
    if place.board or place.kind == DROP_IN:
        client = "10.0.2.2" if place.board else "127.0.0.1"
        assert re.fullmatch(rf"\('{re.escape(client)}', \d+\)", address)
    else:
        # The firmware's accept gives the bytes of a sockaddr.
        assert address.startswith("bytearray(b'\\x02\\x00")


def test_its_own_tests(place: Place) -> None:
    own = ["test_end2end"] if place.board else OWN
    use = ["microdot", "microdot's tests", "micropython-unittest"]
    options = {}
    if not place.board:
        # They want a certain folder and port: both are theirs alone.
        script = 'cd "$0" && ip link set lo up && exec "$@"'
        namespace = [peers.program("unshare"), "--map-root-user", "--net", "sh", "-c"]
        options["prefix"] = [*namespace, script, str(libraries.folder("microdot"))]
    lines = place.lines("microdot_tests", *own, use=use, **options)
    told = "\n".join(lines)
    assert " failed" not in told, told
    for name in own:
        assert f"{name} test_" in told and f"{name} test_" in told.replace("skipped", "")
    assert "test_end2end test_get passed" in lines
