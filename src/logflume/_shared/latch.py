"""A latch: threads wait until it is set, once and for all."""

from __future__ import annotations

import threading
import time

# A waiting thread looks this often (seconds), in case that the one before it did not come to wake it.
INTERVAL = 0.1


class Latch:
    """As threading.Event, but an exception that a signal handler raises in wait() leaves no lock held that set() needs.

    The flag tells whether it is set; the lock only wakes those that wait, one after the other.
    """

    __slots__ = ("_is_set", "_lock")

    def __init__(self) -> None:
        self._is_set = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def is_set(self) -> bool:
        """Return whether set() was called."""
        return self._is_set

    def set(self) -> None:
        """Have all wait() return, now and later."""
        self._is_set = True
        try:
            self._lock.release()
        except RuntimeError:
            pass  # released already

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for set(), for `timeout` seconds at most; return whether it was called."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._is_set:
            seconds = INTERVAL if deadline is None else min(INTERVAL, deadline - time.monotonic())
            if seconds <= 0:
                break
            if self._lock.acquire(timeout=seconds):
                self.set()  # the next one's turn
        return self._is_set
