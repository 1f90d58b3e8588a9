# The public names, as tests need them.

# zsock_X is there always, X with CONFIG_NET_SOCKETS_POSIX_NAMES.
CALLS = """
socket socketpair close shutdown bind connect listen accept send sendto sendmsg recv recvfrom
recvmsg fcntl ioctl getsockopt setsockopt getsockname getpeername poll pollfd select getaddrinfo
getnameinfo gai_strerror gethostname inet_pton inet_ntop
""".split()

# Always there, and only so.
PLAIN = "inet_aton inet_ntoa htons htonl ntohs ntohl capabilities".split()
