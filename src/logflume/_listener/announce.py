"""Announcements: what a listener tells in the log about its own queue. They do not go through the queue."""

from __future__ import annotations

import logging
import time
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dispatch import Dispatcher

# While records are dropped it is told this often (seconds), and it is over when none was dropped for so long.
PERIOD = 10.0
OVER = 1.0

_logger = logging.getLogger("logflume")


class Announcer:
    """Has the handlers of `dispatcher` handle what the listener tells.

    That is when it drops records, and, once, when very many wait in a queue without a bound.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin as in a forked child, which has dropped nothing, or with other bounds."""
        self._told: dict[tuple[str, int], int] = {}  # the counts when the last such time was over
        self._next = 0.0  # when to tell again, or 0.0 if nothing was told
        bounds = self._dispatcher.overflow.bounds
        # How many records may wait before it is told, once.
        self.warn_above: float = float("inf") if bounds.warn_at is None else bounds.warn_at

    @property
    def is_open(self) -> bool:
        """Whether records were dropped and it is not told yet how many."""
        return self._dispatcher.accounts.drops.first != 0.0

    def announce(self, queued: int) -> None:
        """Tell what is to be told now, with so many records `queued`."""
        if queued > self.warn_above:
            self.warn_above = float("inf")
            self._tell(f"{queued:,} records wait in the queue: they are logged faster than they are handled")
        if self._dispatcher.accounts.drops.first:
            self._tell(self._of_drops())

    def announce_last(self, timeout: float) -> None:
        """Tell what is left to be told, at the end, unless the handlers are at work for so long (seconds)."""
        if self.is_open:
            self._tell(self._of_drops(at_end=True), timeout)

    def _tell(self, text: str | None, timeout: float | None = None) -> None:
        """Have the handlers handle a record of the logger "logflume", once they are not at work."""
        dispatcher = self._dispatcher
        if text is None or not _logger.isEnabledFor(logging.WARNING):
            return
        hold = dispatcher.lock.take(timeout)
        if hold is None:
            return
        outer = dispatcher.accounts.begin_nested()  # what fails for it is no record of the queue
        try:
            dispatcher.listener.delivering_thread = get_ident()
            level, origin = logging.WARNING, (__file__, 0)
            record = _logger.makeRecord(_logger.name, level, *origin, text, (), None, "announce")
            if _logger.filter(record):
                self._deliver(record)
        except Exception:
            dispatcher.errors.report(None, None)
        finally:
            dispatcher.accounts.failures = outer
            dispatcher.listener.delivering_thread = 0
            hold.give_back()

    def _deliver(self, record: logging.LogRecord) -> None:
        listener, errors = self._dispatcher.listener, self._dispatcher.errors
        if listener.handles_itself:
            listener.handle(record)
            return
        for handler in listener.handlers:
            if not listener.respect_handler_level or record.levelno >= handler.level:
                try:
                    handler.handle(record)
                except Exception:
                    errors.report(record, handler)

    def _of_drops(self, at_end: bool = False) -> str | None:
        """Return what is to be told of dropped records now, or None."""
        drops, bounds = self._dispatcher.accounts.drops, self._dispatcher.overflow.bounds
        now = time.monotonic()
        first, last = drops.first, drops.last
        if at_end or now - last >= OVER:
            drops.forget_time()  # before they are counted: what is dropped meanwhile is told later, if not now
            counts = drops.counts()
            text = self._text(counts, last - first)
            self._told = counts
            self._next = 0.0
            return text
        if not self._next:
            self._next = now + PERIOD
            size = "" if bounds.capacity is None else f" of {bounds.capacity:,}"
            return f"the queue{size} is full, and records are dropped (overflow={bounds.overflow!r})"
        if now >= self._next:
            self._next = now + PERIOD
            return self._text(drops.counts(), now - first, " so far")
        return None

    def _text(self, counts: dict[tuple[str, int], int], seconds: float, so_far: str = "") -> str | None:
        """Return "1,204 records dropped in 3.1 s: 1,200 INFO, 4 WARNING; queue full"."""
        levels: dict[int, int] = {}
        reasons: list[str] = []
        for (reason, levelno), count in sorted(counts.items()):
            new = count - self._told.get((reason, levelno), 0)
            if new > 0:
                levels[levelno] = levels.get(levelno, 0) + new
                if reason not in reasons:
                    reasons.append(reason)
        if not levels:
            return None
        total = sum(levels.values())
        by_level = ", ".join(f"{levels[level]:,} {logging.getLevelName(level)}" for level in sorted(levels))
        noun = "record" if total == 1 else "records"
        return f"{total:,} {noun} dropped in {seconds:.1f} s{so_far}: {by_level}; {', '.join(reasons)}"
