# Runs test functions of one file, inside the interpreter under test:
#     INTERPRETER run.py FILE TEST...
# Lines that begin with "@@ " are for the host: "run NAME", "pass NAME NOTE", "fail NAME",
# "again NAME" in an empty heap, and "row ROW OUTCOME" of docs/matrix.md.
# What a test prints, and the traceback of a failure, stand between its two lines.
import gc
import sys

folder, _, module_name = sys.argv[1].rpartition("/")
sys.path.insert(0, folder)

import usocket_compat as net  # noqa: E402

if sys.implementation.name == "cpython" and "--memory" in sys.argv:
    sys.argv.remove("--memory")
    import loopback_port

    net.use(loopback_port)
import check  # noqa: E402


def leftovers():
    """Close what a failed test left open, so that the next one starts clean."""
    fd = 0
    while net.fds() and fd < 4096:
        try:
            net.zsock_close(fd)
        except OSError:
            pass
        fd += 1
    for thread in check.threads[:]:
        if not thread.done:
            check.sleep_ms(check.WAKE)
        if thread.done:
            check.threads.remove(thread)


def run(name, test):
    print("@@ run", name)
    if check.BOARD:
        gc.collect()  # here, where little is in use, it leaves larger pieces of a small heap
    try:
        note = test() or ""
        passed = True
        running = [t for t in check.threads if not t.done]
        used = len(net.fds())
        if used or running:
            passed = False
            print("the test left %d fds open and %d threads running" % (used, len(running)))
        if check.failed:
            passed = False
            print("failed: " + " ".join(check.failed))
            del check.failed[:]
    except Exception as e:
        if check.BOARD and isinstance(e, MemoryError) and name != sys.argv[2]:
            # What the tests before it have loaded is no part of it.
            print("@@ again", name)
            sys.exit(3)
        passed = False
        check.show(e)
    except BaseException as e:
        check.show(e)
        print("@@ fail", name)
        sys.exit(3)
    try:
        leftovers()
    except Exception as e:
        passed = False
        check.show(e)
    print("@@ pass " + name + " " + note if passed else "@@ fail " + name)
    if check.threads:
        sys.exit(3)  # the host goes on with a new interpreter


if check.BOARD:
    # What a test loads stays among its garbage; collected often, the heap keeps a piece for the
    # table of names, which doubles (4 KB) when a large test brings the 620th.
    gc.threshold(8192)
module = __import__(module_name[:-3])
for name in sys.argv[2:]:
    run(name, getattr(module, name))
    if check.BOARD:
        gc.collect()
        if gc.mem_free() < gc.mem_alloc() // 2:
            break  # what a whole file loads is too much for a board: it goes on with an empty heap
