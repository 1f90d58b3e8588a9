# SPDX-License-Identifier: MIT
# The names of sockets as /proc/net lists them, for an interpreter whose socket tells none: those
# of TCP that listens or is connected, and of bound UDP. What is in no list may be bound or not.

from .firmware import inet_ntop, os, struct

_TABLES = "tcp", "tcp6", "udp", "udp6"


def of(h):
    """Our own address, and the peer's or None; EOPNOTSUPP where no list has h."""
    # A descriptor of a socket is a file whose number in its file system the lists have.
    wanted = str(os.stat("/proc/self/fd/%d" % h.fileno())[1])
    found = _find(wanted)
    if found is None:
        raise OSError(95)
    _, own, peer, state = found[:4]
    # A peer that has not answered is none.
    return _address(own), None if peer[-5:] == ":0000" or state == "02" else _address(peer)


def _find(wanted):
    """The fields of a line: sl local rem st queues timer retrnsmt uid timeout inode ..."""
    # A list is read in pieces; what changes meanwhile may hide a neighbour.
    for _ in range(3):
        for table in _TABLES:
            try:
                with open("/proc/self/net/" + table) as lines:
                    for line in lines:
                        fields = line.split()
                        if fields[9] == wanted:
                            return fields
            except OSError as e:
                if e.errno != 2:  # a kernel without IPv6 has no list of it
                    raise


def _address(text):
    # Each word as a number of this machine, the port as it is said.
    host, port = text.split(":")
    words = [int(host[i : i + 8], 16) for i in range(0, len(host), 8)]
    raw = struct.pack("%dI" % len(words), *words)
    port = int(port, 16)
    if len(words) == 1:
        return inet_ntop(2, raw), port
    # The interface is not told, without which an address of a link is none.
    if raw[0] == 0xFE and raw[1] & 0xC0 == 0x80 or raw[0] == 0xFF and 1 <= raw[1] & 15 <= 2:
        raise OSError(95)
    return inet_ntop(10, raw), port, 0, 0
