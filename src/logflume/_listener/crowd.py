"""Crowd: slows the threads that log while they outrun the listener, before memory grows.

A listener is one thread. Several that log without a break make records faster than it can write them, and with the GIL
it gets one turn in so many. So each log call counts, and one call in so many looks how long the queue is: while that is
crowded the call sleeps. The longer the queue, the more calls do, so that as many records come as can be handled.
"""

from __future__ import annotations

import queue as _queue
import time
from threading import get_ident

from .._shared.event_loops import runs_event_loop, threads_take_turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Crowd"]

# Records. From CROWD on one call in INTERVAL sleeps; for each STEP more, twice as many do.
CROWD = 100_000
STEP = 20_000
INTERVAL = 1024
# How long such a call sleeps (seconds). Others have the GIL meanwhile, the listener above all.
SLEEP = 0.001
# A thread that runs an event loop leaves its turn to the next call, until so many in a row were of such threads: these
# are what crowds the queue.
PATIENCE = 1024

# As it is now: tests and tools replace it, and a log call is none of what they look for.
_sleep = time.sleep


class Crowd:
    """Slows the calls that put records into the queue of `listener`, a ListenerCore."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self.slowed = 0  # calls
        self._left_by_loops = 0

    def meet(self) -> None:
        """Sleep if the queue is crowded and it is the calling thread's turn, and say which call comes here next."""
        listener = self.listener
        queue = listener.queue
        # Others have a length of their own, or tell theirs slowly.
        queued = queue.qsize() if type(queue) is _queue.SimpleQueue else 0
        if queued < CROWD or threads_take_turns() or listener.delivering_thread == get_ident():
            self._left_by_loops = 0
            listener.calls_to_crowd = INTERVAL
            return
        if self._left_by_loops < PATIENCE and runs_event_loop():
            self._left_by_loops += 1
            return
        self._left_by_loops = 0
        listener.calls_to_crowd = max(1, INTERVAL >> (queued - CROWD) // STEP)
        self.slowed += 1
        _sleep(SLEEP)
