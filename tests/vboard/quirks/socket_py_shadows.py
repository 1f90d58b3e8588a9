# SPDX-License-Identifier: MIT
import os
import sys

for name in ("socket", "usocket"):
    with open(name + ".py", "w") as f:
        f.write("shadow = True\n")
    # As a program that has not imported it yet.
    sys.modules.pop(name, None)
    print(name, hasattr(__import__(name), "shadow"))
    sys.modules.pop(name, None)
    os.remove(name + ".py")
