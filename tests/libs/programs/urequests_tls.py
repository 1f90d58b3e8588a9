# urequests with https. Arguments: URL.
import gc
import ssl
import sys

# A library of that age says so.
sys.modules["ussl"] = ssl
import urequests  # noqa: E402

answer = urequests.get(sys.argv[1] + "/small")
print(answer.status_code, len(answer.content))
answer.close()
# Forgotten ones are collected, and their TLS with them. Its memory is not the Python heap's, which
# therefore does not collect by itself when there is none left.
for _ in range(12):
    gc.collect()
    urequests.get(sys.argv[1] + "/small").status_code
print("12 forgotten")
