# SPDX-License-Identifier: MIT
# Waiting on MicroPython's asyncio, for aio.py.
#
# Its IOQueue asks the platform's poll. A task that waits has its place in the map of that, beside
# at most one that waits for the other direction; more of the same look again every _TICK ms. But
# the IOQueue's `remove` throws out both, and it knows of no closes and no timeouts: so what a
# cancel calls (the task's `data`) is a _Wait, and _watch, one task for all, looks at what waits.

from asyncio import core

from .zbase import p, tab

# How long one wait lasts (ms) before the table is looked at; and where it waits by itself.
_SLICE = 100
_TICK = 10
_spin = getattr(p, "SPIN", 0)
_hidden = getattr(p, "hidden", None)
sleep_ms = core.sleep_ms
# There is no waiting for several at once.
wait_any = None

# Those that wait in the IOQueue, by their id; those that can be used again.
_parked = {}
_idle = []
# The task that watches, and the IOQueue that it is for: new_event_loop makes others.
_watcher = _queue = None
# The one that looks without pause.
_spinner = None
_DONE = StopIteration()


def wait(fd, sock, out, until, first):
    """An awaitable: fd is ready to be read (out 0) or written (1), was closed, its time is over.

    until: ticks, or None. It may be over for nothing, and so the call is tried again.
    """
    w = _idle.pop() if _idle else _Wait()
    w.fd, w.sock, w.out, w.until, w.first = fd, sock, out, until, first
    return w


def hand_over():
    """Who waits for this task comes before all others.

    wait_for runs a call as a task, and forgets what that gave if its own time is over before it
    hears of it.
    """
    tasks = core.cur_task and core.cur_task.state
    if tasks is not True and hasattr(tasks, "peek"):
        while tasks.peek():
            core._task_queue.push(tasks.pop(), p.ticks_add(p.ticks_ms(), -0x8000000))


class _Wait:
    """One wait of a task: an awaitable."""

    fd = sock = out = until = first = task = source = begin = None
    # 0: not begun; 1: it looks without pause; 2: in the IOQueue; 3: it sleeps, or is over
    step = 0

    def __iter__(self):
        return self

    def __next__(self):
        global _spinner
        if self.step == 0 and self.first and _spin:
            # The platform's poll would look only every 10 ms. One that looks without pause keeps
            # the loop going, which looks for all others then. (Cancelled, it has no end.)
            now = p.ticks_us()
            other = _spinner
            if other is None or p.ticks_diff(now, other.begin) >= _spin:
                self.begin, self.step = now, 1
                _spinner = self
        elif self.step == 1 and (
            tab[self.fd] is not self.sock or self.sock.p.look(self.sock.h, self.out)
        ):
            self.step = 3
            _spinner = None
        if self.step == 1 and p.ticks_diff(p.ticks_us(), self.begin) < _spin:
            p.sleep_ms(0)
            core._task_queue.push(core.cur_task)
        elif self.step < 2:
            self.park()
        else:
            if self.step == 2:
                self.leave()
            self.sock = self.task = self.source = None
            self.step = 0
            _idle.append(self)
            _DONE.__traceback__ = None
            raise _DONE

    def park(self):
        """Puts the task where it is woken."""
        global _parked
        self.step = 3
        queue, self.task = core._io_queue, core.cur_task
        if _queue is not queue:
            _parked = {}
        self.source = source = self.sock.p.source(self.sock.h)
        places = queue.map.get(id(source))
        if places and places[self.out] or tab[self.fd] is not self.sock or self.hidden():
            ms = _TICK
            if self.until is not None:
                ms = max(min(ms, p.ticks_diff(self.until, p.ticks_ms())), 0)
            core._task_queue.push(self.task, p.ticks_add(p.ticks_ms(), ms))
            return
        _parked[id(self)] = self
        try:
            _begin(queue, self.until)
            # The platform's `register` that finds no memory leaves a poller that crashes.
            p.BytesIO(256 + 32 * len(queue.map)).close()
            (queue.queue_write if self.out else queue.queue_read)(source)
            self.task.data = self
            self.step = 2
        except:
            self.leave()
            raise

    def hidden(self):
        """Whether it is ready by what the platform's poll does not know."""
        return _hidden and self.sock.p.hidden(self.sock.h, self.out)

    def leave(self):
        """Out of the IOQueue: True if it was still in it, and not just woken."""
        _parked.pop(id(self), None)
        queue = core._io_queue
        places = queue.map.get(id(self.source))
        if places is None or places[self.out] is not self.task:
            return False
        places[self.out] = None
        if places[1 - self.out] is None:
            queue._dequeue(self.source)
        else:
            queue.poller.modify(self.source, 1 if self.out else 4)
        return True

    def remove(self, task):
        """What a cancel calls."""
        self.leave()


def _begin(queue, until):
    """Somebody watches, and will look by `until`."""
    global _watcher, _queue
    # One that Ctrl-C has ended is not seen any more.
    if (
        _watcher is None
        or _queue is not queue
        or p.ticks_diff(p.ticks_ms(), _watcher.ph_key) > 20 * _SLICE
    ):
        _watcher = core.create_task(_watch())
        _queue = queue
    elif until is not None and p.ticks_diff(until, _watcher.ph_key) < 0:
        core._task_queue.remove(_watcher)
        core._task_queue.push(_watcher, until)


async def _watch():
    global _watcher
    while _parked:
        now = p.ticks_ms()
        nap = _SLICE
        for w in _parked.values():
            left = nap if w.until is None else p.ticks_diff(w.until, now)
            if left <= 0 or tab[w.fd] is not w.sock or w.hidden():
                if w.leave():
                    core._task_queue.push(w.task)
            elif left < nap:
                nap = left
        await sleep_ms(nap)
    _watcher = None
