# Lookups by the layer's own DNS client, one line each: names.py MODE SERVERS QUERY...
# MODE: blocking (with CONFIG_USOCKET_DNS) or aio; SERVERS: HOST:PORT, several with commas.
import asyncio
import gc
import sys
import time

import usocket_compat as net
from usocket_compat import dns

MODE, SERVERS = sys.argv[1:3]
EAI = "EAI_AGAIN EAI_NONAME EAI_NODATA EAI_FAIL EAI_FAMILY EAI_SERVICE EAI_SOCKTYPE".split()
EAI += "EAI_ADDRFAMILY EAI_BADFLAGS".split()
MICROPYTHON = sys.implementation.name == "micropython"
V4, V6, STREAM = net.AF_INET, net.AF_INET6, net.SOCK_STREAM

if MICROPYTHON:
    now, since = time.ticks_ms, time.ticks_diff
else:

    def now():
        return time.monotonic() * 1000

    def since(a, b):
        return a - b


def code(e):
    if isinstance(e, net.gaierror):
        for name in EAI:
            if getattr(net, name) == e.errno:
                return name
        return "gaierror %r" % e.errno
    return repr(e)


def ask(*args):
    if MODE == "blocking":
        return net.zsock_getaddrinfo(*args)
    from usocket_compat import aio

    return asyncio.run(aio.getaddrinfo(*args))


def look(host, family=0, flags=0, service=80, type=STREAM):
    """The addresses, in their order."""
    try:
        found = ask(host, service, family, type, 0, flags)
    except (OSError, ValueError, TypeError, OverflowError) as e:
        return code(e)
    text = " ".join([addr[0] for _, _, _, _, addr in found])
    if flags & net.AI_CANONNAME:
        text = found[0][3] + " " + text
    return text


def refused(*server):
    try:
        dns.set_servers([server])
    except Exception as e:
        return type(e).__name__


def timed(*args):
    """The same as look, and whether it took from `low` to `high` ms."""
    low, high = args[:2]
    begin = now()
    text = look(*args[2:])
    spent = since(now(), begin)
    return text if low - 30 <= spent <= high else "%s in %d ms" % (text, spent)


def quick(ms=150, rounds=2):
    dns.WAIT, dns.ROUNDS = ms, rounds
    return "quick"


def kept():
    return len(dns._kept)


def longest():
    """How long the last is kept (s)."""
    from usocket_compat.zbase import p

    return p.ticks_diff(dns._kept[-1][2], p.ticks_ms()) // 1000


def many(n, ttl):
    for i in range(n):
        look("ttl-%d-%d.test" % (ttl, i), V4)
    return "asked"


def sleep(ms):
    time.sleep(ms / 1000)
    return "slept"


def together(*hosts):
    """Several lookups in one loop, while another task runs."""
    from usocket_compat import aio

    turns = 0

    async def ticks():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    async def one(host):
        try:
            return (await aio.getaddrinfo(host, 80, V4, STREAM))[0][4][0]
        except OSError as e:
            return code(e)

    async def main():
        ticker = asyncio.create_task(ticks())
        found = await asyncio.gather(*[one(host) for host in hosts])
        ticker.cancel()
        return found

    begin = now()
    found = asyncio.run(main())
    spent = since(now(), begin)
    # The other task had its turns all the time.
    return " ".join(found) + (
        " lively" if turns * 10 > spent / 4 else " %d in %d" % (turns, spent)
    )


def cancels(host, least):
    """Cancelled at each await in turn: no fd is left, and the next lookup does as well."""
    from usocket_compat import aio

    real = aio.wait

    async def run(nth):
        task = None
        count = 0

        async def kill():
            task.cancel()

        def wait(*args):
            nonlocal count
            count += 1
            if count == nth:
                asyncio.create_task(kill())
            return real(*args)

        aio.wait = wait
        task = asyncio.create_task(aio.getaddrinfo(host, 80, 0, STREAM))
        try:
            await task
            return False
        except asyncio.CancelledError:
            return True
        except OSError:
            return False
        finally:
            aio.wait = real
            if net.fds():
                print("left", net.fds())

    nth = 0
    stopped = True
    while stopped:
        nth += 1
        stopped = asyncio.run(run(nth))
    return "cancelled" if nth > least else "cancelled at %d only" % (nth - 1)


def closed(host):
    """closeall() in the middle: EBADF, and nothing of others is closed."""
    from usocket_compat import aio, errno

    async def main():
        task = asyncio.create_task(aio.getaddrinfo(host, 80, V4))
        await asyncio.sleep(0.05)
        net.closeall()
        fd = net.zsock_socket()
        try:
            await task
            return "not closed"
        except OSError as e:
            return "EBADF %s" % (net.fds() == [fd]) if e.errno == errno.EBADF else repr(e)
        finally:
            net.closeall()

    return asyncio.run(main())


def leaks(host, n=20):
    """What every round of n lookups adds to the heap: a single piece may be kept, or not."""
    look(host, V4)
    if not MICROPYTHON:
        return [look(host, V4) for _ in range(n)][-1] + " 0"
    sizes = []
    for _ in range(4):
        for _ in range(n):
            text = look(host, V4)
        gc.collect()
        sizes.append(gc.mem_alloc())
    grown = min([b - a for a, b in zip(sizes, sizes[1:])])
    return "%s %d" % (text, max(grown, 0) // (n * 16))


if SERVERS != "-":
    dns.set_servers(
        [(s.rpartition(":")[0], int(s.rpartition(":")[2])) for s in SERVERS.split(",")]
    )
for query in sys.argv[3:]:
    print(eval(query))
if net.fds():
    print("left open", net.fds())
