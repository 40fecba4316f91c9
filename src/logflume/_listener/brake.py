"""Brake: slows the threads that log while they outrun the listener, before memory grows.

A listener is one thread. Several that log without a break make records faster than it can write them, and with the GIL
it gets a share of the time. So log calls are counted, and one in so many asks how long the queue is. If it is long, the
call sleeps, and the listener has the GIL meanwhile. The longer the queue, the more calls do, until no more records come
than are handled. A thread is slowed as often as it logs: one that logs little hardly ever.
"""

from __future__ import annotations

import queue as _queue
from threading import get_ident
from time import sleep  # as it is now: tests and tools replace it, and do not mean log calls
from typing import Any

from .._shared.event_loops import runs_event_loop, threads_take_turns

# Records. With LONG queued one call in INTERVAL sleeps, and twice as many for each STEP more: all from 340,000 on.
LONG = 100_000
STEP = 20_000
INTERVAL = 4096
# How long such a call sleeps (seconds).
SLEEP = 0.001
# A thread that runs an event loop leaves the sleep to the next call, unless the calls before it, so many of them, were
# all made by such threads: then these are what floods the queue.
PATIENCE = 1024


class Brake:
    """Slows calls that put records into the queue of `listener`, a ListenerCore."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self._left_by_loops = 0

    def apply(self) -> None:
        """Sleep if the queue is long, and say after how many more calls one is due again.

        Only for a queue that the listener polls: another one has a bound of its own, or is slow to tell its length.
        """
        listener = self.listener
        queue = listener.queue
        queued = queue.qsize() if type(queue) is _queue.SimpleQueue else 0
        # A greenlet that sleeps would let others run in the middle of a call that is not known to switch.
        if queued < LONG or threads_take_turns() or listener.delivering_thread == get_ident():
            self._left_by_loops = 0
            listener.calls_to_brake = INTERVAL
        elif self._left_by_loops < PATIENCE and runs_event_loop():
            self._left_by_loops += 1
        else:
            self._left_by_loops = 0
            listener.calls_to_brake = max(1, INTERVAL >> (queued - LONG) // STEP)
            sleep(SLEEP)
