# A network between a DTLS client and its server.
import usocket_compat as net
from check import nonblocking, ready, udp


class Between:
    """Forwards datagrams between a client and a server: each as often as `times` says of it."""

    def __init__(self, addr, times):
        self.near, self.addr = udp()
        self.far, _ = udp()
        self.server, self.times = addr, times
        self.client = None
        for fd in self.near, self.far:
            nonblocking(fd)

    def carry(self):
        """What a client has sent and is still on its way."""
        ready(self.near, net.POLLIN)
        self.move()

    def move(self):
        for fd in self.near, self.far:
            while True:
                try:
                    data, addr = net.zsock_recvfrom(fd, 2000)
                except OSError:
                    break
                out = fd == self.near
                if out:
                    self.client = addr
                for _ in range(self.times(out, data)):
                    if out:
                        net.zsock_sendto(self.far, data, 0, self.server)
                    else:
                        net.zsock_sendto(self.near, data, 0, self.client)

    def close(self):
        for fd in self.near, self.far:
            net.zsock_close(fd)
