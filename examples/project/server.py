# Sends back what it gets, in capitals, to one client after the other.
import usocket_compat as net

server = net.socket()
net.setsockopt(server, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
net.bind(server, ("", 7007))
net.listen(server)
print("ready")
while True:
    client, peer = net.accept(server)
    data = net.recv(client, 100)
    net.send(client, data.upper())
    net.close(client)
