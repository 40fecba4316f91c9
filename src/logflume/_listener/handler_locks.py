"""Locks of handlers at work: the exit must not wait for them, and no thread gives them back in a forked child."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterable

from .._shared.moved import is_handler


def handlers_at_work(handlers: Iterable[logging.Handler]) -> list[logging.Handler]:
    """Return those of `handlers` whose lock another thread holds."""
    at_work = []
    for handler in handlers:
        if not is_handler(handler) or handler.lock is None:
            continue
        if handler.lock.acquire(blocking=False):
            handler.lock.release()
        else:
            at_work.append(handler)
    return at_work


def give_lock_back(handler: logging.Handler) -> None:
    """Give back the handler's lock in a forked child, as logging does after os.fork()."""
    reset = getattr(handler, "_at_fork_reinit", None)
    if reset is not None:
        reset()


def free_stream(handler: logging.Handler) -> None:
    """Give back in a forked child the lock of the buffer that the handler was writing to, and forget what is in it.

    The parent's thread goes on there, with a write to a full pipe, say.
    """
    buffer = getattr(getattr(handler, "stream", None), "buffer", None)
    if type(buffer) is io.BufferedWriter:
        with contextlib.suppress(OSError, ValueError):
            buffer.__init__(buffer.raw)  # type: ignore[misc]
