"""A network that loses packets: lossy.py PERCENT SEED PORT COMMAND... in a network of its own.

What is sent to OTHER:PORT comes to HERE:PORT, through this program, which loses some. There an
echo by TLS, CPython's `ssl`, answers. Then it runs the command.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading

import secured

HERE, OTHER = "10.9.7.1", "10.9.7.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def device() -> int:
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH", b"lossy", IFF_TUN | IFF_NO_PI))
    for words in ("link set lo up", f"address add {HERE}/24 dev lossy", "link set lossy up"):
        subprocess.run(["ip", *words.split()], check=True)
    return file


def carry(file: int, percent: float, seed: int, done: subprocess.Popen[bytes]) -> int:
    """Until the command has ended; source and destination change places, as OTHER answers."""
    chance = random.Random(seed)
    lost = 0
    while done.poll() is None:
        if not select.select([file], [], [], 0.1)[0]:
            continue
        packet = os.read(file, 65536)
        if packet[0] >> 4 != 4:
            continue
        if chance.random() * 100 < percent:
            lost += 1
            continue
        os.write(file, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])
    return lost


def echo(listener: socket.socket) -> None:
    """In a process of its own: it answers with what comes, one connection after the other."""
    contexts = {v: secured.context(True, v) for v in secured.VERSIONS}
    made = contexts["1.2"]
    made.maximum_version = ssl.TLSVersion.TLSv1_3
    while True:
        with made.wrap_socket(listener.accept()[0], True) as peer:
            try:
                while data := peer.recv(16384):
                    peer.sendall(data)
            except OSError:
                pass  # who has no close_notify


def main() -> int:
    percent, seed, port, *command = sys.argv[1:]
    file = device()
    listener = socket.create_server((HERE, int(port)))
    child = os.fork()
    if not child:
        os.close(file)
        echo(listener)
    listener.close()
    done = subprocess.Popen(command)
    lost = []
    threading.Thread(
        target=lambda: lost.append(carry(file, float(percent), int(seed), done))
    ).start()
    code = done.wait()
    os.kill(child, 9)
    os.waitpid(child, 0)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()
    sys.stdout.write(f"lost {lost[0] > 0}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
