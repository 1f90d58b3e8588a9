# A board's lookups by the server that its firmware reports, no list given, one line each:
# reported.py HOW; "told": it has the server from the network; "set": the program sets it.
import asyncio
import socket
import sys

import network

import usocket_compat as net
from usocket_compat import aio

HOW = sys.argv[1]
lan = network.WLAN(network.STA_IF)
assert lan.isconnected()


def look(call, *args):
    try:
        return " ".join([addr[0] for _, _, _, _, addr in call(*args)])
    except OSError as e:
        names = [
            n for n in ("EAI_AGAIN", "EAI_NONAME", "EAI_NODATA") if getattr(net, n) == e.errno
        ]
        return names[0] if names else repr(e)


def by_aio(*args):
    return asyncio.run(aio.getaddrinfo(*args))


def all_of(name):
    for call in (net.zsock_getaddrinfo, socket.getaddrinfo, by_aio):
        print(look(call, name, 80, net.AF_INET, net.SOCK_STREAM))


if HOW == "set":
    all_of("multi.test")  # nobody to ask
    ip, mask, way, _ = lan.ifconfig()
    lan.ifconfig((ip, mask, way, "10.0.2.2"))
    all_of("multi.test")
    network.ipconfig(dns="10.0.2.3")  # where nobody answers
    print(look(net.zsock_getaddrinfo, "four.test", 80, net.AF_INET, net.SOCK_STREAM))
    network.ipconfig(dns="10.0.2.2")
print(network.ipconfig("dns"))
all_of("multi.test")
all_of("alias.test")
all_of("nosuch.test")
print(look(net.zsock_getaddrinfo, "six.test", 80, 0, net.SOCK_STREAM))
print(look(by_aio, "six.test", 80, 0, net.SOCK_STREAM))
print("open", net.fds())
