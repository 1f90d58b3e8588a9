# SPDX-License-Identifier: MIT
# IPv4 addresses in numbers.


def pack4(text):
    """The four bytes of an IPv4 address in dotted decimal form; ValueError for other text."""
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError
    for part in parts:
        if not part.isdigit() or int(part) > 255 or part[0] == "0" and part != "0":
            raise ValueError
    return bytes([int(part) for part in parts])


def show4(packed):
    return ".".join([str(b) for b in packed])


def is_inet(text):
    try:
        return bool(pack4(text))
    except ValueError:
        return False
