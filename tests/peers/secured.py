"""A peer that is CPython's `ssl`, with the certificates of tests/common/certs.py."""

from __future__ import annotations

import importlib.util
import ssl
import tempfile
from pathlib import Path
from types import ModuleType

COMMON = Path(__file__).resolve().parents[1] / "common"
NAME = "server.test"


def _certs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_common_certs", COMMON / "certs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


certs = _certs()
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(server: bool, version: str, who: str = "SERVER") -> ssl.SSLContext:
    """One that trusts our authority; of that version alone, with that certificate of its own."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = VERSIONS[version]
    made.load_verify_locations(cadata=certs.CA)
    if who:
        with tempfile.NamedTemporaryFile("w") as file:
            for kind, name in (("CERTIFICATE", who), ("PRIVATE KEY", f"{who}_KEY")):
                pem = ssl.DER_cert_to_PEM_cert(getattr(certs, name))
                file.write(pem.replace("CERTIFICATE", kind))
            file.flush()
            made.load_cert_chain(file.name)
    return made
