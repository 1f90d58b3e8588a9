# SPDX-License-Identifier: MIT
# As tests/common/run.py, for tests that use the plain socket module and not the layer.
import sys

folder, _, module_name = sys.argv[1].rpartition("/")
sys.path.insert(0, folder)
module = __import__(module_name[:-3])
for name in sys.argv[2:]:
    print("@@ run", name)
    try:
        note = getattr(module, name)() or ""
    except Exception as e:
        sys.print_exception(e)
        print("@@ fail", name)
    else:
        print("@@ pass " + name + " " + note)
