#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for the firmware where a test is about the process around it.

It says on the serial line how it was started, and does what one letter from there tells it: die
in some way, or say what else it knows.
"""

import os
import select
import signal
import sys

options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
serial, net, flash = (int(options.pop(name)) for name in ("--serial", "--net", "--flash"))


def say(*words):
    os.write(serial, " ".join(map(str, words)).encode() + b"\n")


say("up", os.getpid(), sorted(options.items()), os.fstat(flash).st_size)


def obey(letter):
    if letter == b"s":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif letter in b"27":
        os._exit(int(letter))
    elif letter == b"k":
        say("wifi", os.environ.get("VBOARD_SSID"), os.environ.get("VBOARD_KEY"))
    elif letter == b"f":
        say("flash", os.pread(flash, 4, 0).hex())
    elif letter == b"w":
        say("wrote", os.pwrite(flash, b"\1\2\3\4", 0))
    elif letter == b"a":
        # An ARP request for the gateway.
        arp = "0001080006040001 525400123456 0a00020f 000000000000 0a000202"
        os.write(net, b"F" + bytes.fromhex("ffffffffffff 525400123456 0806" + arp))
    else:
        say("got", letter.hex())


while True:
    for fd in select.select([serial, net], [], [])[0]:
        data = os.read(fd, 65536)
        if fd == serial:
            for at in range(len(data)):
                obey(data[at : at + 1])
        elif data:
            say("net", data[:1].decode(), data[1:2].hex(), len(data))
        else:
            os._exit(0)
