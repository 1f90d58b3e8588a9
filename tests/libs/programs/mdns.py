# micropython-mdns: finds what the host offers, and offers something. Arguments: its own address,
# how often it asks.
import asyncio
import sys

from mdns_client import Client
from mdns_client.responder import Responder
from mdns_client.service_discovery.txt_discovery import TXTServiceDiscovery

ADDRESS = sys.argv[1]
TRIES = int(sys.argv[2])
TIMEOUT = 0.5


async def lookup(client, name):
    # What was sent to all within the last second is not sent again.
    for _ in range(TRIES):
        try:
            return (await client.getaddrinfo(name, 80))[0][-1]
        except OSError as e:
            error = e
    return "nobody", error.errno


async def main():
    client = Client(ADDRESS)
    client.mdns_timeout = TIMEOUT
    responder = Responder(client, own_ip=lambda: ADDRESS, host=lambda: "board")
    responder.advertise("_test", "_tcp", port=1234, data={"key": "value"})
    print(await lookup(client, "peer.local"))
    discovery = TXTServiceDiscovery(client)
    for found in await discovery.query_once("_http", "_tcp", timeout=TIMEOUT):
        print(found.name, sorted(found.ips), found.port, found.txt_records)
    # The host says by a name of its own that it has found us.
    print(await lookup(client, "found-you.local"))


asyncio.run(main())
