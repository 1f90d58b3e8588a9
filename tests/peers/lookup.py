# Names that the test's own DNS server knows, one line each. Runs on every host target.
import usocket_compat as net
from usocket_compat import errno

for family in (net.AF_INET, net.AF_INET6, net.AF_UNSPEC):
    found = net.getaddrinfo("several.test", 80, family, net.SOCK_STREAM)
    print(family == net.AF_UNSPEC, sorted([item[4][0] for item in found]), found[0][4][1])
try:
    print(net.getnameinfo(("10.0.0.1", 80), net.NI_NUMERICSERV))
except OSError as e:
    print("EOPNOTSUPP" if e.errno == errno.EOPNOTSUPP else e)
for name, family in (("nowhere.test", net.AF_UNSPEC), ("several.test.", net.AF_INET)):
    try:
        print(len(net.getaddrinfo(name, 80, family, net.SOCK_STREAM)))
    except net.gaierror as e:
        print(net.zsock_gai_strerror(e.errno))
# A name in an address is looked up, its first address used.
fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
net.connect(fd, ("local.test", 9))
if net.capabilities()["getpeername"]:
    print(net.getpeername(fd))
net.close(fd)
