"""What a listener counts: its records and what became of them, by handler, and those that were dropped.

What is counted where handlers run needs no lock: one thread at a time runs them. Drops and errors are counted in any
thread, and a signal handler may log in between: so a step of those is one call.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import Any

from ..stats import HandlerStats, ListenerStats


class Counter:
    """A number that any thread counts up, in one step."""

    __slots__ = ("_lock", "_reads", "_steps", "add")

    def __init__(self) -> None:
        self._steps = itertools.count()
        self.add = self._steps.__next__
        self._reads = 0
        self._lock = threading.RLock()

    def value(self) -> int:
        """Return how often add() was called."""
        with self._lock:
            self._reads += 1  # reading is a step, too
            return next(self._steps) - self._reads + 1


class Drops:
    """The records that were dropped, by reason and level."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], Counter] = {}
        self.first = 0.0  # when (time.monotonic()) the first was dropped since forget_time(), or 0.0
        self.last = 0.0  # and the last

    def count(self, reason: str, levelno: int, announced: bool = True) -> None:
        """Count a record of this level; `announced` tells that its loss is to be told in the log."""
        self._counts.setdefault((reason, levelno), Counter()).add()
        if announced:
            now = time.monotonic()
            if not self.first:
                self.first = now
            self.last = now

    def forget_time(self) -> None:
        """Have the next record that is dropped be the first."""
        self.first = 0.0

    def counts(self) -> dict[tuple[str, int], int]:
        """Return the number for each reason and level."""
        return {key: counter.value() for key, counter in list(self._counts.items())}

    def by_reason(self) -> dict[str, dict[str, int]]:
        """Return the number by reason and name of the level."""
        found: dict[str, dict[str, int]] = {}
        for (reason, levelno), count in sorted(self.counts().items()):
            found.setdefault(reason, {})[logging.getLevelName(levelno)] = count
        return found


class HandlerAccount:
    """What one handler was given, and how long it took."""

    def __init__(self, handler: logging.Handler) -> None:
        try:
            self.handler: Callable[[], object] = weakref.ref(handler)
        except TypeError:  # an object with __slots__ and a handle()
            self.handler = lambda: handler
        self.records = 0
        self.errors = Counter()
        self.seconds = 0.0


class Failures:
    """The records of one delivery whose handling raised; each counts once, however many handlers it fails in."""

    def __init__(self) -> None:
        self.count = 0
        # By id(), those that failed in one of several handlers which get the same records; these live until all have
        # them. None where one handler gets the records.
        self.shared: set[int] | None = None
        self._last: object = None

    def add(self, record: object) -> None:
        """Note that `record` failed."""
        if self.shared is not None:
            if id(record) in self.shared:
                return
            self.shared.add(id(record))
        elif record is self._last:
            return
        else:
            self._last = record
        self.count += 1


class Accounts:
    """The counts of one listener, `listener`, whose `dispatcher` tells what is pending."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin at zero, as in a forked child."""
        self.drops = Drops()
        self.batches = self.wakeups = 0  # see ListenerStats
        self.handled = self.errors = 0
        self.failed = 0  # on the thread that runs handlers
        self.put_failures = Counter()  # in the log calls
        self.failures = Failures()  # of the batch at work
        self.at_work: Any = None  # that batch
        self.high_water = 0
        self.delay = self.longest_delay = 0.0
        self._accepted = 0
        self._by_id: dict[int, HandlerAccount] = {}

    # Where the handlers run.

    def end(self, batch: Any, lost: int) -> None:
        """Note that the handlers have `batch`, or that an exception lost so many of its records."""
        failed = self.failures.count + lost
        # In this order: stats() in another thread may count a record too late, and none twice.
        self.at_work = None
        if failed:
            failed = min(failed, batch.count)
            self.failures = Failures()
            self.failed += failed
        self.handled += batch.count - failed
        created = batch.created
        if created:
            self.delay = delay = time.time() - created
            if delay > self.longest_delay:
                self.longest_delay = delay

    def end_together(self, batch: Any, counts: list[tuple[logging.Handler, int]], seconds: float) -> None:
        """Note what write_together() did, in so many seconds."""
        for handler, count in counts:
            account = self.of(handler)
            account.records += count
            account.seconds += seconds * count / batch.count
        self.end(batch, 0)

    def begin_nested(self) -> Failures:
        """Note that a handler logs; return what to give to end_nested()."""
        outer, self.failures = self.failures, Failures()
        return outer

    def end_nested(self, outer: Failures, raised: bool) -> None:
        """Note that the nested record is done."""
        failed, self.failures = self.failures, outer
        if raised or failed.count:
            self.failed += 1
        else:
            self.handled += 1

    def of(self, handler: logging.Handler) -> HandlerAccount:
        """Return the account of `handler`."""
        account = self._by_id.get(id(handler))
        if account is not None and account.handler() is handler:
            return account
        accounts = self._by_id
        # Those whose handlers are gone would stay for ever, and another handler may have the id() of one.
        for key, other in list(accounts.items()):
            if other.handler() is None:
                accounts.pop(key, None)
        return accounts.setdefault(id(handler), HandlerAccount(handler))

    def count_error(self, record: logging.LogRecord | None, handler: logging.Handler | None) -> None:
        """Count an exception that `handler` raised for `record`; in any thread."""
        self.errors += 1
        if handler is not None:
            self.of(handler).errors.add()
        if record is not None and self.listener.delivering_thread == get_ident():
            self.failures.add(record)

    # What became of all.

    def stats(self, dispatcher: Any) -> ListenerStats:
        """Return the statistics.

        A record goes from the queue into hands, and then to the handlers. It is looked for in the opposite order, so
        that none counts twice: a sum may be too small for a moment, and `accepted` goes up only.
        """
        began, moves = self.batches, dispatcher.moves()
        drops = self.drops.by_reason()
        dropped = sum(sum(levels.values()) for levels in drops.values())
        handled = self.handled
        failed = self.failed + self.put_failures.value()
        done = handled + failed + dropped
        batch = self.at_work
        at_work = 0 if batch is None else batch.count
        left_at_work, failed_now = dispatcher.left_at_work(), self.failures.count
        waiting = dispatcher.waiting()
        total = done + at_work + waiting
        if waiting or moves or dispatcher.moves() or began != self.batches:
            total = max(total, self._accepted)
        self._accepted = total
        if at_work:  # a part of the batch may be done
            failed_now = min(failed_now, at_work)
            failed += failed_now
            handled += max(0, at_work - left_at_work - failed_now)
        return ListenerStats(
            handled,
            self.errors,
            dropped,
            total - handled - failed - dropped,
            self.batches,
            self.wakeups,
            self.delay,
            self.longest_delay,
            total,
            failed,
            max(self.high_water, dispatcher.queued()),
            self._oldest_age(dispatcher, batch),
            drops,
            self._by_handler(self.listener.handlers),
        )

    def _oldest_age(self, dispatcher: Any, batch: Any) -> float:
        # The queue does not show its first one: between two batches, for milliseconds, it is not known.
        created = dispatcher.first_created() if batch is None else batch.created
        return max(0.0, time.time() - created) if created else 0.0

    def _by_handler(self, handlers: Iterable[logging.Handler]) -> tuple[HandlerStats, ...]:
        accounts = [(handler, self.of(handler)) for handler in handlers]
        return tuple(
            HandlerStats(handler, account.records, account.errors.value(), account.seconds)
            for handler, account in accounts
        )
