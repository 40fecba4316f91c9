"""What a listener, its thread and the threads that wait for it tell each other."""

from __future__ import annotations

import threading
import time

__all__ = ["Life"]

NEVER = float("inf")


class Life:
    """One life of a listener, from the start of its thread to the end."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # held by start and stop
        self.started_by_user = False
        self.stop_requested = False
        self.stopped_from_within = False  # by a handler, on the listener's own thread
        self.restart_at = NEVER  # from when on (time.monotonic()) a record starts the thread again
        self.current: object = None  # each thread's own: gevent's greenlets outlive theirs in forked children
        self.wakeups = 0
        self._wake = threading.Lock()  # released to end a pause early
        self._wake.acquire()

    def begin(self) -> None:
        """Forget what the thread before was told."""
        self.stop_requested = self.stopped_from_within = False
        self.restart_at = NEVER
        self.current = object()

    def may_restart(self) -> bool:
        """Return whether a record that comes now starts the thread again."""
        return time.monotonic() >= self.restart_at

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the next wake()."""
        self._wake.acquire(timeout=seconds)

    def wake(self) -> None:
        """End the pause that the listener's thread makes, or the next one."""
        try:
            self._wake.release()
        except RuntimeError:
            pass  # released already
