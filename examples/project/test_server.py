import socket


def test_it_answers(usocket_target):
    with usocket_target.start("server.py") as server:
        server.wait_for("ready")
        for text in (b"hello", b"again"):
            with socket.create_connection(usocket_target.reach(7007), timeout=20) as client:
                client.sendall(text)
                assert client.recv(100) == text.upper()
