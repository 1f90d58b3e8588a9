# urequests with a server. Arguments: host, port, "first" or "".
import binascii
import hashlib
import sys

if sys.argv[3]:
    import select  # noqa: F401
    import socket  # noqa: F401
import urequests

URL = "http://%s:%s" % (sys.argv[1], sys.argv[2])


def show(answer):
    digest = binascii.hexlify(hashlib.sha256(answer.content).digest()).decode()
    print(answer.status_code, len(answer.content), digest)
    answer.close()


show(urequests.get(URL + "/small"))
show(urequests.get(URL + "/empty"))
show(urequests.get(URL + "/big", headers={"X-Why": "a header of ours"}))
answer = urequests.get(URL + "/moved")
print(answer.status_code, answer.content == urequests.get(URL + "/small").content)
answer.close()
try:
    urequests.get(URL + "/twice")
except ValueError as e:
    print(e)
answer = urequests.get(URL + "/missing")
print(answer.status_code, answer.reason)
answer.close()
show(urequests.post(URL + "/echo", data="a body of a str"))
answer = urequests.post(URL + "/echo", json={"number": 7})
print(answer.json())
answer = urequests.head(URL + "/small")
print(answer.status_code, answer.headers["Content-Length"], len(answer.content))
# Sockets that are forgotten, as its users do: the first object that holds one collects it.
for _ in range(30):
    urequests.get(URL + "/small").status_code
print("30 forgotten")
try:
    urequests.get("http://%s:%s/" % (sys.argv[1], sys.argv[4]))
except OSError as e:
    print(e.errno)
