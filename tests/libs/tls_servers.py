"""nginx with TLS, and what time it is for a board."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import peers
from certificates import Certificates

SIZES = {"big": 30_000, "small": 1234}
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}{tls};
        ssl_certificate {folder}/{name}.pem;
        ssl_certificate_key {folder}/{name}.key;
        root {folder}/root;
    }}
}}
"""


def site(folder: Path) -> Certificates:
    """Certificates in this folder, and a root with files of these sizes."""
    os.chmod(folder, 0o755)
    (folder / "root").mkdir()
    for name, size in SIZES.items():
        (folder / "root" / name).write_bytes(os.urandom(size))
    return Certificates(folder)


@contextlib.contextmanager
def nginx(made: Certificates, name: str, tls: str = " ssl") -> Iterator[int]:
    """One with this certificate, or without TLS; its port."""
    port = peers.free_port()
    conf, log = made.folder / f"{name}{tls}.conf", made.folder / f"{name}{tls}.log"
    conf.write_text(NGINX.format(folder=made.folder, port=port, name=name, tls=tls))
    argv = [peers.program("nginx"), "-p", str(made.folder), "-e", "stderr", "-c", str(conf)]
    with peers.running(argv, log) as process:
        peers.wait_for_port(port, process, log)
        yield port


def now() -> str:
    """The time as machine.RTC takes it; a certificate of this minute is valid then."""
    t = time.gmtime(time.time() + 3600)
    return ",".join(map(str, (*t[:3], 0, *t[3:6], 0)))
