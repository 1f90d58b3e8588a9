# Whose modules an old library gets, which says usocket and uselect. Argument: "first" where the
# program imports socket and select before it.
import sys

if sys.argv[1]:
    import select  # noqa: F401
    import socket  # noqa: F401
import uselect
import usocket

# Only what was loaded from a file has one.
print(hasattr(usocket, "__file__"), hasattr(uselect, "__file__"))
