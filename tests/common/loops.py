# asyncio in the tests of usocket_compat.aio, CPython's and MicroPython's.
import asyncio

from check import describe, matches, now, show, since

# A test that does not end says so itself, before its interpreter is ended.
LONG = 20


def go(main):
    """Runs a coroutine in a loop of its own."""
    try:
        return asyncio.run(main)
    finally:
        asyncio.new_event_loop().close()


def pause(ms):
    return asyncio.sleep(ms / 1000)


async def passes(n):
    """Lets the loop go round n times."""
    for _ in range(n):
        await asyncio.sleep(0)


async def fails(what, awaitable):
    """It must raise `what`, as check.raises has it."""
    try:
        got = await awaitable
    except Exception as e:
        if matches(e, what):
            return e
        show(e)
        raise AssertionError("raised %s, wanted %s" % (describe(e), what))
    raise AssertionError("gave %r, wanted %s" % (got, what))


async def took(awaitable):
    """(result, milliseconds)"""
    begin = now()
    result = await awaitable
    return result, since(now(), begin)


async def cancelled(task):
    """Cancels a task; what it gave all the same, or None."""
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


async def outcome(task):
    """What a task gave, or raised."""
    try:
        return await task
    except Exception as e:
        return e


async def closing(fd, task):
    """Closes fd beneath a task; how long it took to end, which must be with EBADF."""
    import usocket_compat as net

    await pause(50)
    begin = now()
    net.zsock_close(fd)
    await fails("EBADF", task)
    return since(now(), begin)
