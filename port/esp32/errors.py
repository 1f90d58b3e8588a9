# SPDX-License-Identifier: MIT
# The exception of names: in a file of its own, since most programs never meet it.


class gaierror(OSError):
    """getaddrinfo or getnameinfo failed; errno is the EAI code."""
