"""The host's side of multicast DNS, zeroconf's: offers names, and finds what a program offers.

It runs in the network of the program, and ends with it.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from zeroconf import ServiceInfo, Zeroconf

ADDRESS = sys.argv[1]


def offered(kind: str, name: str, host: str) -> ServiceInfo:
    address = socket.inet_aton(ADDRESS)
    return ServiceInfo(
        f"{kind}._tcp.local.",
        f"{name}.{kind}._tcp.local.",
        80,
        addresses=[address],
        properties={"path": "/"},
        server=f"{host}.local.",
    )


parent = os.getppid()
zeroconf = Zeroconf(interfaces=[ADDRESS])
zeroconf.register_service(offered("_http", "peer", "peer"), allow_name_change=False)
print("ready", flush=True)
found = None
while os.getppid() == parent and not found:
    kind = "_test._tcp.local."
    found = zeroconf.get_service_info(kind, f"board.{kind}", timeout=500)
if found:
    addresses = [socket.inet_ntoa(each) for each in found.addresses]
    print(found.server, addresses, found.port, found.properties, flush=True)
    zeroconf.register_service(offered("_found", "found", "found-you"), allow_name_change=False)
while os.getppid() == parent:
    time.sleep(0.1)
zeroconf.close()
