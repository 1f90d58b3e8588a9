# SPDX-License-Identifier: MIT
# Messages of the DNS (RFC 1035): what one says to a question. It knows nothing of the layer.
# Whatever comes in, the work and the memory are bounded by the message's length: pointers lead
# back alone, names end at 255 bytes, chains of CNAMEs at 16.

# Types of records; the low byte is all there is of these.
A = 1
AAAA = 28
_CNAME = 5
_SOA = 6
# CNAMEs in a row; pointers in a name; seconds that anything may be kept.
_CHAIN = 16
_POINTERS = 32
_LONGEST = 3600


def question(id, name, kind):
    """A message that asks for the records of a type, recursion desired, of class IN."""
    return id + b"\1\0\0\1\0\0\0\0\0\0" + name + bytes((0, kind, 0, 1))


def parse(data, message):
    """What a message says to the question that another asks; None if it is no answer to that.

    Returns (code, truncated, addresses, true name, ttl): code is the RCODE; addresses are packed
    one behind the other; the true name is the end of the CNAMEs; ttl in seconds, 0 for what is
    not to be kept.
    """
    try:
        return _parse(data, message)
    except (ValueError, IndexError):
        return None


def _parse(data, message):
    # An answer to a standard query, one question.
    if data[:2] != message[:2] or data[2] & 0xF8 != 0x80 or data[4:6] != b"\0\1":
        raise ValueError
    name, at = _name(data, 12)
    if name + data[at : at + 4] != message[12:]:
        raise ValueError
    at += 4
    code = data[3] & 15
    if data[2] & 2 or code not in (0, 3):
        return code, data[2] & 2, b"", name, 0
    kind = message[-3]
    aliases = {}
    addresses = {}
    ttl = _LONGEST
    for _ in range(data[6] << 8 | data[7]):
        owner, type, seconds, start, at = _record(data, at)
        if type == _CNAME:
            alias, end = _name(data, start)
            if end != at:
                raise ValueError
            if owner not in aliases:
                aliases[owner] = alias
        elif type == kind:
            if at - start != (4 if kind == A else 16):
                raise ValueError
            addresses[owner] = addresses.get(owner, b"") + data[start:at]
        else:
            continue
        ttl = min(ttl, seconds)
    for _ in range(_CHAIN):
        if name not in aliases:
            break
        name = aliases[name]
    else:
        raise ValueError
    packed = addresses.get(name, b"")
    if code or not packed:
        # How long that there is nothing may be kept (RFC 2308).
        packed = b""
        ttl = _negative(data, at, data[8] << 8 | data[9])
    return code, 0, packed, name, ttl


def _negative(data, at, records):
    for _ in range(records):
        owner, type, seconds, start, at = _record(data, at)
        if type == _SOA and at - start >= 22:
            return min(seconds, _int32(data, at - 4))
    return 0


def _record(data, at):
    """(owner, type, ttl, where its data begin, and end) of a record; type 0 of one of no use."""
    owner, at = _name(data, at)
    start = at + 10
    end = start + (data[at + 8] << 8 | data[at + 9])
    if end > len(data):
        raise ValueError
    type = 0
    if data[at] == 0 and data[at + 2] == 0 and data[at + 3] == 1:  # class IN
        type = data[at + 1]
    return owner, type, _int32(data, at + 4), start, end


def _int32(data, at):
    """Seconds; with the sign's bit none (RFC 2181, 8)."""
    if data[at] & 0x80:
        return 0
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def _name(data, at):
    """The name at `at`, in lower case and in one piece, and where it ends.

    A pointer leads to what is before the part that it ends, so that none can go in a circle.
    """
    name = b""
    end = 0
    low = at
    pointers = _POINTERS
    while True:
        n = data[at]
        if n > 191:
            n = (n & 63) << 8 | data[at + 1]
            end = end or at + 2
            pointers -= 1
            if n >= low or not pointers:
                raise ValueError
            low = at = n
        elif n > 63 or n and len(name) + n > 253:
            raise ValueError
        else:
            name += data[at : at + n + 1]
            at += n + 1
            if not n:
                return name.lower(), end or at
