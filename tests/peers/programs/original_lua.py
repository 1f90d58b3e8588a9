# LuaSocket's style on the layer: original_lua.py PORT DEAD_PORT. The steps are original.lua's.
import sys

import usocket_compat as net

PORT, DEAD = int(sys.argv[1]), int(sys.argv[2])
lua = net.luastyle


def text(value):
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.decode() if isinstance(value, bytes) else str(value)


def show(what, value, err=None, partial=None):
    print("\t".join([what, text(value), text(err), text(partial)]))


c = lua.Tcp()
show("refused", *c.connect("127.0.0.1", DEAD))
c.close()

c = lua.Tcp()
show("connect", *c.connect("127.0.0.1", PORT))
show("line", *c.receive())
show("empty line", *c.receive("*l"))
show("count", *c.receive(5))
show("prefix", *c.receive(5, b"ab"))
show("long prefix", *c.receive(2, b"abc"))
show("line with prefix", *c.receive("*l", b"zz"))
c.settimeout(0)
show("nothing", *c.receive(4))
c.settimeout(0.15)
show("sent", *c.send(b"part\n"))
show("partial count", *c.receive(10))
show("sent", *c.send(b"line\n"))
show("partial line", *c.receive())
c.settimeout(2)
show("sent", *c.send(b"xwhole\ny", 2, -2))
show("resumed", *c.receive(10, b"half"))
show("send of nothing", *c.send(b"abc", 3, 2))
received, sent, _ = c.getstats()
show("stats", received, sent)
c.setstats(1, 2, 3)
received, sent, _ = c.getstats()
show("set stats", received, sent)
if not net.capabilities()["shutdown"]:
    sys.exit()
show("shutdown", c.shutdown("send"))
show("all", *c.receive("*a"))
show("all again", *c.receive("*a"))
show("line at the end", *c.receive())
show("count at the end", *c.receive(3))
c.close()
show("close", c.close())

c = lua.Tcp()
show("no timeouts", *c.gettimeout())
c.settimeout(2)
c.settimeout(3, "t")
show("timeouts", *c.gettimeout())
for name in ("tcp-nodelay", "keepalive", "reuseaddr"):
    for value in (True, False):
        show("set " + name, *c.setoption(name, value))
        show("get " + name, *c.getoption(name))
for given in ({"on": True, "timeout": 5}, {"on": False, "timeout": 0}):
    show("set linger", *c.setoption("linger", given))
    found, _ = c.getoption("linger")
    show("get linger", found["on"], found["on"] and found["timeout"])
show("get error", *c.getoption("error"))
try:
    c.setoption("nonsense", True)
except ValueError:
    show("nonsense", "is refused")
try:
    c.receive("*x")
except ValueError:
    show("pattern", "is refused")
c.close()
