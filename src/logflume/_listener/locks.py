"""Waiting without a deadlock with logging's module lock.

A handler may need that lock to finish a record (getLogger() takes it), and dictConfig() closes handlers while it holds
the lock. So a thread that waits for a listener lets go of the module lock while it waits.
"""

from __future__ import annotations

import contextlib
import logging
import queue as _queue
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import Any

# How long a wait holds on to logging's module lock before it lets go of it (seconds).
PATIENCE = 0.05


def wait(wait_for: Callable[[float | None], object], timeout: float | None, done: Callable[[], bool]) -> None:
    """Call `wait_for(timeout)`; let go of logging's module lock meanwhile if the calling thread holds it.

    `done` tells whether the wait is over. `timeout` is in seconds; None waits without an end.
    """
    lock: Any = logging._lock  # type: ignore[attr-defined]
    is_owned = getattr(lock, "_is_owned", None)
    if is_owned is None or not is_owned():
        wait_for(timeout)
        return
    patience = PATIENCE if timeout is None else min(PATIENCE, timeout)
    wait_for(patience)
    if done():
        return
    saved = None
    try:
        saved = lock._release_save()
        wait_for(None if timeout is None else timeout - patience)
    finally:
        if saved is not None:
            lock._acquire_restore(saved)


class DeliveryLock:
    """Held by the thread that runs the handlers; one that holds it may take it again.

    An exception that a signal handler raises may keep a call from giving it back. Then the Hold gives itself back when
    the frame of that call is gone; until then its thread goes on having the lock.
    """

    def __init__(self, given_back: Callable[[], object]) -> None:
        self.owner = 0
        self.given_back = given_back
        # get() is one step: no signal handler can come between waiting and having.
        self.free: Any = _queue.SimpleQueue()
        self.free.put(Hold(self))

    @property
    def is_held_here(self) -> bool:
        """Whether the calling thread has it."""
        return self.owner == get_ident()

    def take(self, timeout: float | None = None) -> Hold | None:
        """Wait for the lock, letting go of logging's module lock meanwhile; None if `timeout` (seconds) ran out.

        The thread that holds it may need the module lock at any point: a garbage collection may close a handler.
        """
        mine = get_ident()
        if self.owner == mine:
            return _INNER
        # Here too, nothing may come between the lines.
        try:
            hold, self.owner = self.free.get_nowait(), mine
        except _queue.Empty:
            if timeout is not None and timeout <= 0:
                return None
            found: list[Hold] = []
            wait(lambda seconds: self._wait(found, seconds), timeout, lambda: bool(found))
            return found[0] if found else None
        return hold  # type: ignore[no-any-return]

    def _wait(self, found: list[Hold], timeout: float | None) -> None:
        with contextlib.suppress(_queue.Empty):
            hold, self.owner = self.free.get(timeout=timeout), get_ident()
            found.append(hold)


class Hold:
    """The one who has it has the lock."""

    __slots__ = ("_lock",)

    def __init__(self, lock: DeliveryLock) -> None:
        self._lock = weakref.ref(lock)

    def give_back(self) -> None:
        """Let others have the lock."""
        lock = self._lock()
        if lock is not None:
            # In one line: nothing may come between, or its own thread would have to wait for the end of this frame.
            lock.free.put(setattr(lock, "owner", 0) or self)  # type: ignore[func-returns-value]

    def __del__(self) -> None:
        lock = self._lock()
        if lock is not None:
            lock.owner = 0
            lock.given_back()
            lock.free.put(Hold(lock))


class _InnerHold(Hold):
    """What a thread gets that has the lock already."""

    def __init__(self) -> None: ...

    def give_back(self) -> None: ...

    def __del__(self) -> None: ...


_INNER = _InnerHold()
