"""The queue handlers of one listener: which put records into its queue, and when they are closed."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator


class QueueHandlers:
    """Those that are open, and those that were closed and may be in use still. All are referred to weakly."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
        self._closed: weakref.WeakSet[logging.Handler] = weakref.WeakSet()

    def __iter__(self) -> Iterator[logging.Handler]:
        """Iterate over those that are open."""
        return iter(self._open)

    def add(self, handler: logging.Handler) -> None:
        """Note that `handler` puts records into the queue."""
        self._open.add(handler)
        self.close_first()

    def close(self, handler: logging.Handler) -> bool:
        """Note that `handler` was closed; return whether others are open."""
        if handler in self._open:
            self._closed.add(handler)
            self._open.discard(handler)
        return bool(self._open)

    def reopen(self) -> None:
        """Note that those that were closed are in use still."""
        self._open |= self._closed
        self._closed.clear()

    def close_first(self) -> None:
        """Have logging.shutdown() and dictConfig() close the queue handlers before the handlers behind them.

        They close the youngest first. A handler closed before its records come would miss them, and one that
        needs logging's module lock to handle a record would deadlock with dictConfig(), which holds it.
        """
        # On one line: an exception that a signal handler raises may come between lines.
        with logging._lock: self._put_last()  # type: ignore[attr-defined]  # fmt: skip  # noqa: E701

    def _put_last(self) -> None:
        references = logging._handlerList  # type: ignore[attr-defined]
        first = [ref for ref in references if ref() in self._open]
        references[:] = [ref for ref in references if ref not in first] + first
