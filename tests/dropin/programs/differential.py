# Runs programs of steps on the firmware's own sockets and on the drop-in's, and prints what each
# step gave: "NUMBER native: outcome" and "NUMBER dropin: outcome". Argument: their names, in
# steps.py beside it.
import gc
import select
import socket
import time

from steps import PROGRAMS

HOST = "127.0.0.1"
port = 9000


class World:
    def __init__(self, sockets, selects):
        global port
        port += 4
        self.port = port
        self.new = sockets.socket
        self.names = {
            "w": self,
            "udp": self.udp,
            "fresh": self.fresh,
            "poll": self.poll,
            "PEEK": sockets.MSG_PEEK,
            "DONTWAIT": sockets.MSG_DONTWAIT,
            "REUSE": (sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1),
            "BROADCAST": (sockets.SOL_SOCKET, sockets.SO_BROADCAST, 1),
            "NODELAY": (6, 1, 1),
            "bytes": bytes,
            "bytearray": bytearray,
        }
        self.selects = selects
        self.made = []

    def fresh(self, kind=1):
        s = self.new(2, kind)
        self.made.append(s)
        return s

    def pair(self, a, b, mode):
        listener = self.fresh()
        listener.setsockopt(*self.names["REUSE"])
        listener.bind((HOST, self.port))
        listener.listen(2)
        one = self.fresh()
        one.connect((HOST, self.port))
        two = listener.accept()[0]
        self.made.append(two)
        listener.close()
        for s in (one, two):
            s.setsockopt(6, 1, 1)
            s.settimeout(mode)
        self.names[a], self.names[b] = one, two

    def udp(self, n):
        s = self.fresh(2)
        s.bind((HOST, self.port + n))
        s.settimeout(0)
        return s

    def poll(self, *socks):
        p = self.selects.poll()
        for s in socks:
            p.register(s, 5)
        return sorted([(socks.index(s), ready) for s, ready in p.poll(0)])

    def run(self, step):
        name, _, call = step.partition("=") if step[1:2] == "=" else ("", "", step)
        try:
            value = eval(call, self.names)
            if name:
                self.names[name] = value
            return self.shown(value)
        except OSError as e:
            return "errno %s" % e.errno
        except Exception as e:
            return type(e).__name__

    def shown(self, value):
        if isinstance(value, tuple):
            return tuple([self.shown(v) for v in value])
        if isinstance(value, int) and value >= 9000:
            return "port"
        return "a socket" if hasattr(value, "setblocking") else repr(value)

    def end(self):
        for s in self.made:
            try:
                s.close()
            except OSError:
                pass
        self.names.clear()


for number, steps in enumerate(PROGRAMS):
    for which, world in (
        ("native", World(socket.native, select.native)),
        ("dropin", World(socket, select)),
    ):
        for at, step in enumerate(steps):
            print("%d %d %s: %s" % (number, at, which, world.run(step)))
            time.sleep(0.015)
        world.end()
        gc.collect()
print("end")
