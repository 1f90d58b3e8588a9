# SPDX-License-Identifier: MIT
# `ssl` for firmware that has none: `tls`, files by their names, and wrap_socket. No more than what
# stock firmware has frozen, so that what runs here runs there. As there, nobody is verified unless
# the program asks for it.
# ruff: noqa: F403
import time

import tls
from tls import *


def _bytes(data):
    """What is in the file of this name; anything else as it is."""
    if not isinstance(data, str):
        return data
    with open(data, "rb") as file:
        return file.read()


class SSLContext:
    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self._context.verify_mode = tls.CERT_NONE

    @property
    def verify_mode(self):
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        self._context.load_cert_chain(_bytes(certfile), _bytes(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        self._context.load_verify_locations(_bytes(cafile) if cafile else cadata)

    def wrap_socket(
        self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None
    ):
        try:
            return self._context.wrap_socket(
                sock,
                server_side=server_side,
                do_handshake_on_connect=do_handshake_on_connect,
                server_hostname=server_hostname,
            )
        except ValueError as e:
            # A board that does not know the time believes no certificate.
            year = time.gmtime()[0]
            if year < 2025 and "in the future" in str(e):
                raise ValueError("%sThe clock says %d: set it, as by ntptime" % (e, year))
            raise


def wrap_socket(
    sock,
    server_side=False,
    key=None,
    cert=None,
    cert_reqs=tls.CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    context = SSLContext(tls.PROTOCOL_TLS_SERVER if server_side else tls.PROTOCOL_TLS_CLIENT)
    if cert or key:
        context.load_cert_chain(cert, key)
    if cadata:
        context.load_verify_locations(cadata=cadata)
    context.verify_mode = cert_reqs
    return context.wrap_socket(sock, server_side, do_handshake, server_hostname)
