# The public names, as tests need them.

# zsock_X or zvfs_X is there always, X with CONFIG_NET_SOCKETS_POSIX_NAMES.
_ZSOCK = """
socket socketpair close shutdown bind connect listen accept send sendto sendmsg recv recvfrom
recvmsg fcntl ioctl getsockopt setsockopt getsockname getpeername poll pollfd select getaddrinfo
getnameinfo gai_strerror gethostname inet_pton inet_ntop dup fileno
""".split()

_ZVFS = "eventfd eventfd_read eventfd_write".split()
CALLS = _ZSOCK + _ZVFS


def long(name):
    return ("zvfs_" if name in _ZVFS else "zsock_") + name


# Always there, and only so.
PLAIN = (
    "inet_aton inet_ntoa htons htonl ntohs ntohl capabilities strerror fds closeall use_interface"
).split()
