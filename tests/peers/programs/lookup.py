# getaddrinfo and getnameinfo against a name server: one line for each query.
import sys

import usocket_compat as net

EAI = [name for name in "EAI_AGAIN EAI_NONAME EAI_NODATA EAI_FAIL EAI_ADDRFAMILY".split()]


def code(e):
    if not isinstance(e, net.gaierror):
        return repr(e)
    for name in EAI:
        if getattr(net, name) == e.errno:
            return name
    return "gaierror %r" % e.errno


def look(host, family=0, flags=0):
    try:
        found = net.zsock_getaddrinfo(host, 80, family, net.SOCK_STREAM, 0, flags)
    except OSError as e:
        return code(e)
    text = " ".join(sorted(addr[0] for _, _, _, _, addr in found))
    if flags & net.AI_CANONNAME:
        text = found[0][3] + " " + text
    return text


def reverse(addr, flags=0):
    try:
        return "%s %s" % net.zsock_getnameinfo(addr, flags | net.NI_NUMERICSERV)
    except OSError as e:
        return code(e)


def connect():
    """The way of a client: the addresses of a name in turn, until one answers."""
    listener = net.zsock_socket()
    net.zsock_bind(listener, ("127.0.0.1", 8080))
    net.zsock_listen(listener)
    tried = []
    for family, kind, proto, _, addr in net.zsock_getaddrinfo(
        "several.test", 8080, 0, net.SOCK_STREAM
    ):
        fd = net.zsock_socket(family, kind, proto)
        try:
            net.zsock_connect(fd, addr)
        except OSError:
            tried.append(addr[0])
            net.zsock_close(fd)
            continue
        net.zsock_close(net.zsock_accept(listener)[0])
        net.zsock_close(fd)
        break
    net.zsock_close(listener)
    return "connected to %s, not to %s" % (addr[0], " ".join(sorted(tried)) or "none")


def by_name():
    """A host name in an address is resolved for the socket's family."""
    a = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_bind(a, ("local.test", 9000))
    b = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_sendto(b, b"hello", 0, ("local.test", 9000))
    data, _ = net.zsock_recvfrom(a, 9)
    try:
        net.zsock_connect(b, ("nosuch.test", 9000))
        failed = "no error"
    except OSError as e:
        failed = code(e)
    net.zsock_close(a)
    net.zsock_close(b)
    return "%s %s" % (data.decode(), failed)


def threads():
    import _thread
    import time

    found = [None] * 15

    def work(start):
        for i in range(start, start + 5):
            found[i] = look("multi.test", net.AF_INET)

    for start in (0, 5, 10):
        _thread.start_new_thread(work, (start,))
    deadline = time.time() + 20
    while None in found and time.time() < deadline:
        time.sleep(0.01)
    return " / ".join(sorted(str(text) for text in set(found)))


def families():
    """Of the addresses of a name, in their order; and of those with AI_ADDRCONFIG."""
    found = []
    for flags in (0, net.AI_ADDRCONFIG):
        results = net.zsock_getaddrinfo("multi.test", 80, 0, net.SOCK_STREAM, 0, flags)
        found.append("".join(["6" if ":" in addr[0] else "4" for _, _, _, _, addr in results]))
    return " ".join(found)


for query in sys.argv[1:]:
    print(eval(query))
