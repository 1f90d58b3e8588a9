# SPDX-License-Identifier: MIT
# inet_pton and inet_ntop: IPv6 addresses in numbers too.

from micropython import const

from .numeric import pack4, show4

_INET = const(2)


def inet_pton(family, text):
    return pack4(text) if family == _INET else pton6(text)


def pton6(text):
    halves = text.split("::")
    if len(halves) > 2:
        raise ValueError
    packed = [_groups(half) for half in halves]
    size = sum([len(part) for part in packed])
    if len(halves) == 1:
        if size != 16:
            raise ValueError
        return packed[0]
    if size > 14:
        raise ValueError
    return packed[0] + bytes(16 - size) + packed[1]


def _groups(text):
    out = b""
    groups = text.split(":") if text else []
    for i, group in enumerate(groups):
        if "." in group and i == len(groups) - 1:
            out += pack4(group)
        elif 0 < len(group) < 5 and all([c in "0123456789abcdefABCDEF" for c in group]):
            value = int(group, 16)
            out += bytes([value >> 8, value & 0xFF])
        else:
            raise ValueError
    return out


def inet_ntop(family, packed):
    if family == _INET:
        return show4(packed)
    groups = [packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)]
    if not any(groups[:5]) and (groups[5] == 0xFFFF or not groups[5] and groups[6]):
        return ("::ffff:" if groups[5] else "::") + show4(packed[12:])
    # RFC 5952: the longest run of two or more zero groups, the first of them, is "::".
    best, size, i = 0, 1, 0
    while i < 8:
        n = 0
        while i + n < 8 and not groups[i + n]:
            n += 1
        if n > size:
            best, size = i, n
        i += n + 1
    if size < 2:
        return ":".join(["%x" % g for g in groups])
    head = ":".join(["%x" % g for g in groups[:best]])
    return head + "::" + ":".join(["%x" % g for g in groups[best + size :]])
