"""What a listener, its thread and the threads that wait for it tell each other.

A signal handler may log, or raise, at any line of start() and stop(). So no lock is held here, and nothing has to be
undone: each step is one assignment, or one call that the first of several threads wins, and the next call that comes
by completes what was begun.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from .._shared.latch import Latch

NEVER = float("inf")
# How long a thread waits for another one that starts or ends (seconds).
PATIENCE = 0.05

_CANCELLED = object()


class Run:
    """One run of a listener's thread: from the wish for it to its end. A listener has one after the other.

    First it is open: the next record starts a thread. The first worker to begin() has it, and it is running. It is
    over when that worker takes no more records, or when cancel() came before any worker.
    """

    def __init__(self) -> None:
        self.started_by_user = False
        self.stop_requested = False
        self.stopped_from_within = False  # by a handler, on the listener's own thread
        self.restart_at = NEVER  # after the end: from when on (time.monotonic()) a record makes the next run
        self.thread: threading.Thread | None = None
        self.begun = Latch()  # or cancelled
        self.ended = Latch()  # the worker has done its last
        self._takes_no_more = False
        # dict.setdefault() is one step: the first one to call it decides, and all get to know what.
        self._decided: dict[str, Any] = {}

    @property
    def is_open(self) -> bool:
        """Whether a thread may still begin."""
        return "worker" not in self._decided

    @property
    def is_over(self) -> bool:
        """Whether no thread will take records any more."""
        return self._takes_no_more or self._decided.get("worker") is _CANCELLED

    @property
    def is_running(self) -> bool:
        """Whether a thread takes the records."""
        return not self.is_open and not self.is_over

    @property
    def is_running_here(self) -> bool:
        """Whether the calling thread is that one."""
        return self.is_running and self.thread is threading.current_thread()

    def begin(self, worker: object) -> bool:
        """Have the run for `worker`, on the calling thread; False if another one has it, or it was cancelled."""
        if self._decided.setdefault("worker", worker) is not worker:
            return False
        self.thread = threading.current_thread()
        return True

    def cancel(self) -> bool:
        """Have no thread begin; False if one has begun."""
        if self._decided.setdefault("worker", _CANCELLED) is not _CANCELLED:
            return False
        self.begun.set()
        return True

    def take_no_more(self) -> None:
        """Note that the worker leaves records that come from now on to others."""
        self._takes_no_more = True

    def may_follow(self) -> bool:
        """Return whether a record that comes now makes the next run."""
        return self.is_over and time.monotonic() >= self.restart_at

    def follower(self) -> Run | None:
        """Return the run after this one, if there is one."""
        return self._decided.get("follower")

    def follow(self) -> Run:
        """Return the run after this one, the same for all."""
        follower: Run = self._decided.setdefault("follower", Run())
        return follower

    def may_launch(self) -> bool:
        """Return whether the caller is the one to start the thread: the first that asks is."""
        mine = object()
        return self.is_open and self._decided.setdefault("launcher", mine) is mine


class Life:
    """The runs of a listener, and how its thread is woken."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget, in a forked child, the parent's thread, and what it was told."""
        self.process: object = object()  # gevent's greenlets outlive their process in forked children
        self._wake = threading.Lock()  # released to end a pause early
        self._wake.acquire()
        self._run = Run()

    @property
    def run(self) -> Run:
        """The last run."""
        run = self._run
        while (follower := run.follower()) is not None:
            run = follower
        self._run = run
        return run

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the next wake()."""
        self._wake.acquire(True, seconds)

    def wake(self) -> None:
        """End the pause that the listener's thread makes, or the next one."""
        try:
            self._wake.release()
        except RuntimeError:
            pass  # released already
