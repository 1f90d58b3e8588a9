# SPDX-License-Identifier: MIT
# `usocket certs`: what a board needs for TLS, out of PEM files or a server's chain.
from __future__ import annotations

import argparse
from pathlib import Path


def do_certs(args: argparse.Namespace) -> int:
    # Later: every other command does without these.
    from ..certificates import forboard

    return forboard.make(args.source, args.key, args.output)


def args_certs(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make the files that a board needs for TLS: the certificate of the authority that signs"
        " the server's, as DER, and the board's own certificate and key. A server does not send"
        " its authority's: that is looked for in the files given, and among those that this"
        " machine trusts."
    )
    parser.add_argument(
        "-o",
        dest="output",
        metavar="FOLDER",
        type=Path,
        default=Path("."),
        help="where the files go (default: the current folder)",
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="the board's own private key, not encrypted; its certificate is looked for among"
        " those given. May be given again. Anyone who holds the board can read it",
    )
    parser.add_argument(
        "source",
        metavar="FILE|HOST:PORT|URL",
        nargs="*",
        help="a PEM or DER file with certificates, or a server that is asked for its own, by TLS"
        " over TCP: not one of DTLS. URL: https://HOST[:PORT]",
    )
