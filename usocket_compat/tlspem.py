# SPDX-License-Identifier: MIT
# PEM as the DER that is in it: not every firmware's TLS takes the first. Loaded for a question and
# dropped on a board.

from ubinascii import a2b_base64


def ders(data, key):
    """The certificates, or the keys, of a PEM: a list of bytes. ValueError for what is none."""
    found = []
    at = data.find(b"-----BEGIN ")
    while at >= 0:
        begin = data.find(b"-----", at + 11)
        end = data.find(b"-----END ", begin)
        if end < 0:
            break
        if (b"PRIVATE KEY" in data[at:begin]) == key and (key or b"CERTIFICATE" in data[at:begin]):
            found.append(a2b_base64(data[begin + 5 : end]))
        at = data.find(b"-----BEGIN ", end)
    return found
