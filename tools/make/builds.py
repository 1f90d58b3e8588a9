# SPDX-License-Identifier: MIT
# What `make test` needs built: before the tests, each of which has only its own time, and side by
# side, since a build's beginning and end keep one core busy.
from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from ..builds import interpreters
from ..errors import UsocketError
from ..vboard import build

INTERPRETERS = (
    ("newest", "standard"),
    ("oldest", "standard"),
    ("newest", "noffi"),
    ("newest", "32bit"),
)
BOARDS = (("standard", "newest"), ("32bit", "newest"), ("standard", "oldest"))
AT_ONCE = 2


def main() -> int:
    begin = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        boards = [pool.submit(build.find, *each) for each in BOARDS]
        others = [pool.submit(interpreters.find, *each) for each in INTERPRETERS]
        try:
            count = len([each.result() for each in boards] + [each.result() for each in others])
        except UsocketError as error:
            pool.shutdown(cancel_futures=True)
            print(f"builds: {error}\n{error.hint}", file=sys.stderr)
            return 1
    spent = time.monotonic() - begin
    print(f"builds: {count} interpreters and boards are there, after {spent:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
