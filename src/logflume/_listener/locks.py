"""Waiting without a deadlock with logging's module lock.

A handler may need that lock to finish a record (getLogger() takes it), and dictConfig() closes handlers while it holds
the lock. So a thread that waits for a listener lets go of the module lock while it waits.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PATIENCE", "acquire", "held", "wait"]

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
    if not done():
        saved = lock._release_save()
        try:
            wait_for(None if timeout is None else timeout - patience)
        finally:
            lock._acquire_restore(saved)


def acquire(lock: Any, timeout: float | None) -> bool:
    """Acquire `lock`, letting go of logging's module lock meanwhile; False if `timeout` (seconds) ran out.

    The thread that holds `lock` may need the module lock at any point: a garbage collection may close a handler.
    """
    acquired = False

    def try_to(seconds: float | None) -> None:
        nonlocal acquired
        acquired = lock.acquire(timeout=-1 if seconds is None else seconds)

    wait(try_to, timeout, lambda: acquired)
    return acquired


@contextlib.contextmanager
def held(lock: Any) -> Iterator[None]:
    """Hold `lock` in a `with` block, acquired as acquire() does."""
    acquire(lock, None)
    try:
        yield
    finally:
        lock.release()
