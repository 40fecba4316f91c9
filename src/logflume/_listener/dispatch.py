"""Dispatch: batches out of a listener's queue, to the handlers that they are for."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
import sys
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from threading import get_ident
from time import perf_counter
from typing import Any

from .._backend import Batch, deliver_batch, drop_below, make_log_records, take, way_of, write_together
from .._delivery.caught import reporting
from .._delivery.deliver import Progress, go_on
from .._delivery.plan import COMPOSED, ONE_BY_ONE
from .._shared.contexts import handling, in_contexts
from .._shared.queues import has_own_dequeue, leaves_process
from .._shared.rendered import log_record
from .._shared.state import FlushRequest
from .announce import Announcer
from .bounds import Bounds
from .errors import ErrorReports
from .life import Life
from .locks import DeliveryLock
from .nested import NestedRecords
from .outputs import share_an_output
from .overflow import Overflow
from .process import exit_has_come

_forget_records = logging.handlers.BufferingHandler.flush  # which a subclass that only collects records has

# A handler that takes its records one at a time gives the next handler its turn after so long (seconds).
TURN = 0.005
# How long to wait before a request is put into a full queue again (seconds).
FULL_PAUSE = 0.001
# How long a queue between processes may take to give what was put into it, and how long to wait at once (seconds).
FEEDER_PATIENCE = 5.0
FEEDER_INTERVAL = 0.05
# As many batches at most go alone before it is tried again whether some can be written together.
MOST_APART = 63


class Dispatcher:
    """Takes batches out of the queue of `listener` and gives them to its handlers; reports to `errors`."""

    def __init__(self, listener: Any, life: Life, errors: ErrorReports, bounds: Bounds) -> None:
        self.listener = listener
        self.life = life
        self.errors = errors
        self.accounts = errors.accounts
        self.lock = DeliveryLock(self._forget_thread)  # held while handlers run
        self._taken: deque[Any] = deque()  # batches that are out of the queue, and not yet handled
        self._records: list[logging.LogRecord] = []  # what is left of the batch at work
        self._turn: list[logging.LogRecord] = []  # those of them that are given to one handler after another
        self._turn_size = 1  # records that a slow handler gets at a time
        self._alternates = False  # whether the last records were for one handler and another in turn
        # Batches that are not tried together with the next, and how many are left of them.
        self._apart = self._left_apart = 0
        self._control: deque[None] = deque()  # one for each sentinel or flush request in the queue
        self._progress = Progress()
        self.nested = NestedRecords(listener, self.accounts, errors, self._progress)
        self.takes = False  # records may be out of the queue, and not in hand yet
        self.overflow = Overflow(self, bounds)
        self.announcer = Announcer(self)

    # The queue.

    def take(self, limit: int) -> int:
        """Take up to `limit` items from the queue, without waiting; return how many are in hand then."""
        count = len(self._taken)  # what was in hand already are batches of one
        self.takes = True
        try:
            if self.overflow.limit is None:
                overtakes = self._alternates and self._may_overtake()
                count += take(self.listener.queue, limit, self._taken, overtakes)
            else:
                count += self.overflow.take(limit, self._taken)
        finally:
            self.takes = False
        if not count:
            self._control.clear()  # a signal handler may have come between a note and what it notes
        return count

    def take_one(self) -> bool:
        """Take an item that is in the queue; return whether there was one."""
        listener = self.listener
        if not has_own_dequeue(listener):
            return self.take(1) > 0 or (leaves_process(listener.queue) and self._take_late())
        try:
            self.add(listener.dequeue(False))  # the queue may have no get_nowait()
        except _queue.Empty:
            return False
        return True

    def _take_late(self) -> bool:
        """Take an item that was put into a queue between processes, which a thread of it has yet to write."""
        deadline = time.monotonic() + FEEDER_PATIENCE
        while self.queued() and time.monotonic() < deadline:  # another process may take it
            try:
                self.add(self.listener.queue.get(True, FEEDER_INTERVAL))
            except _queue.Empty:
                continue
            return True
        return False

    def add(self, item: Any) -> None:
        """Take `item`, which came out of the queue."""
        self._taken.append(Batch(item))

    @property
    def has_taken(self) -> bool:
        """Whether records are in hand."""
        return bool(self._taken)

    def put_control(self, put: Callable[[], None], timeout: float | None) -> bool:
        """Call `put` for a sentinel or a flush request, again and again while a bounded queue is full.

        False if it stays full for `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._control.append(None)
            try:
                put()
            except BaseException as error:
                self._control.pop()
                if not isinstance(error, _queue.Full):
                    raise
                if deadline is not None and time.monotonic() >= deadline:
                    return False
                time.sleep(FULL_PAUSE)
            else:
                return True

    def queued(self, unknown: int = 0) -> int:
        """Return how many items wait in the queue, or `unknown` if it does not tell."""
        aside = len(self.overflow.aside.items)
        try:
            return aside + self.listener.queue.qsize()  # type: ignore[no-any-return]
        except (AttributeError, NotImplementedError):  # multiprocessing's queues on macOS do not know
            return aside + unknown

    def note_length(self, queued: int) -> None:
        """Note that so many records wait, and tell what there is to tell."""
        accounts, announcer = self.accounts, self.announcer
        if queued > accounts.high_water:
            accounts.high_water = queued
        if queued > announcer.warn_above or accounts.drops.first:
            announcer.announce(queued)

    def pending(self) -> int:
        """Return how many records are queued or being handled."""
        return self.left_at_work() + self.waiting()

    def left_at_work(self) -> int:
        """Return how many records of the batch at work are left."""
        progress = self._progress
        at_work = len(self._records)
        if self._turn is not self._records:
            at_work += len(self._turn)
        if not self._turn and progress.record is not None and progress.formatted is None:
            at_work += 1  # it is in no list any more
        return at_work

    def waiting(self) -> int:
        """Return how many records are queued, or in hand and not at work."""
        deferred = len(self.nested.deferred)  # first what is taken last: none counts twice
        in_hand = self._in_hand()
        return max(0, deferred + in_hand + self.queued() - len(self._control))

    def moves(self) -> bool:
        """Return whether a record may be in no list for a moment: it goes from one to the next, or is done."""
        return bool(self.takes or self.overflow.waits or self._taken or self.listener.delivering_thread)

    def first_created(self) -> float:
        """Return when the first record in hand was made, or 0.0 if none is or that is not known."""
        try:
            return self._taken[0].created  # type: ignore[no-any-return]
        except IndexError:
            return 0.0

    def _in_hand(self) -> int:
        while True:
            try:
                return sum(batch.count for batch in list(self._taken) if batch is not self.accounts.at_work)
            except RuntimeError:
                pass  # without the GIL another thread can take some meanwhile

    # Batches.

    def dispatch(self, rest: Callable[[], object] = go_on) -> bool:
        """Handle what was taken; return whether the thread was told to end. The lock is held.

        `rest` is as for Progress.
        """
        self._progress.rest = rest
        listener = self.listener
        taken = self._taken
        task_done = self.overflow.task_done
        told_to_end = False
        self.accounts.batches += 1
        self._alternates = len(taken) > 1
        try:
            listener.delivering_thread = get_ident()
            while taken:
                if len(taken) > 1 and task_done is None and self._write_together():
                    continue
                batch = taken[0]
                if batch.records:
                    self._deliver_batch(batch)
                else:
                    taken.popleft()
                    if self._control:
                        self._control.pop()
                    if batch.request is not None:
                        self._answer(batch.request)
                    else:
                        told_to_end = told_to_end or self.life.run.stop_requested
                if self.nested.deferred:
                    self.nested.handle_deferred()
                if task_done is not None:
                    for _ in range(batch.count):
                        task_done()
        finally:
            self._records = []
            handling.contexts = None
            listener.delivering_thread = 0
        return told_to_end

    def dispatch_in_call(self) -> bool:
        """As dispatch(), in a thread that logs; it may handle a record of another listener at this moment."""
        outer, reporting.to = reporting.to, self.errors
        handled, handling.contexts = handling.contexts, None
        try:
            return Context().run(self.dispatch) or self.life.run.stopped_from_within
        finally:
            handling.contexts = handled
            reporting.to = outer

    def _write_together(self) -> bool:
        """Write batches for several handlers at once, where that is possible; return whether there were some."""
        if self.nested.came:
            return False
        if self._left_apart:
            self._left_apart -= 1
            return False
        began = perf_counter()
        written = write_together(self._taken, self._only_handler)
        if written is None:
            self._apart = self._left_apart = min(2 * self._apart + 1, MOST_APART)
            return False
        self._apart = 0
        batch, counts = written
        self.accounts.end_together(batch, counts, perf_counter() - began)
        return True

    def _only_handler(self, targets: Any) -> logging.Handler | None:
        """Return the handler that records with `targets` are for, if there is one, which was asked in the call."""
        handlers = self.listener.handlers_for(targets)
        if len(handlers) != 1 or not self.listener.was_asked(handlers[0]):
            return None
        return handlers[0]  # type: ignore[no-any-return]

    def _deliver_batch(self, batch: Any) -> None:
        """Have the records of `batch` handled by those whom they are for."""
        listener, accounts = self.listener, self.accounts
        records = self._records = batch.records
        targets = batch.targets
        if batch.contexts is not None:
            handling.contexts = batch.contexts
        accounts.at_work = batch
        lost = 0
        is_untouched = False
        try:
            if targets is not None or not listener.handles_itself:
                self.deliver(listener.handlers_for(targets), records)
            else:
                self._handle(records)
        except BaseException as error:
            # KeyboardInterrupt, say, in a thread that delivers for others: what no handler has seen stays in hand.
            is_untouched = len(records) == batch.count and not isinstance(error, Exception)
            lost = max(1, len(records))
            raise
        finally:
            if is_untouched:
                accounts.at_work = None
            else:
                if self._taken and self._taken[0] is batch:  # else a handler has forked, and this is the child
                    del self._taken[0]  # before it is counted as done: stats() must not find it twice
                accounts.end(batch, lost)

    def _answer(self, request: FlushRequest) -> None:
        try:
            if request.flushes:
                self.flush_handlers()
        finally:
            request.done.set()

    def flush_handlers(self, buffering: bool = True) -> None:
        """Call each handler's flush(); not those that collect records until they have enough, unless `buffering`."""
        outer, reporting.to = reporting.to, self.errors
        for handler in self.listener.handlers:
            if not buffering and isinstance(handler, logging.handlers.BufferingHandler):
                continue
            if getattr(type(handler), "flush", None) is _forget_records or not hasattr(handler, "flush"):
                continue
            try:
                handler.flush()
            except Exception as error:
                # logging.shutdown() ignores that a stream is closed by then, and at exit what else comes of a stream.
                ignored = (OSError, ValueError) if exit_has_come() else ValueError if _is_closed(handler) else ()
                if not isinstance(error, ignored):
                    self.errors.report(None, handler)
        reporting.to = outer

    def _handle(self, records: list[logging.LogRecord]) -> None:
        """Have the listener itself handle `records`."""
        while records:
            record = log_record(records.pop(0))
            try:
                in_contexts(self.listener.handle)(record)
            except Exception:
                self.errors.report(record, None)

    # From the records of a batch to the handlers.

    def deliver(self, handlers: tuple[logging.Handler, ...], records: list[logging.LogRecord]) -> None:
        """Give `records` to each of `handlers`, and empty the list."""
        if len(handlers) == 1:
            self._deliver_to(handlers[0], records)
            return
        ways = [way_of(handler, self.listener.was_asked(handler)) for handler in handlers]
        one_by_one = ways.count(ONE_BY_ONE)
        apart = share_an_output(handlers) or self.nested.came
        if ways.count(COMPOSED) < len(ways):
            make_log_records(records)  # of which one handler shows what another one has set
        if not one_by_one and not apart:
            self._deliver_turn(handlers, records)
            return
        # As the standard listener does it; but where others can take many records at a time, they wait for
        # the slow ones for a turn only.
        mixed = 0 < one_by_one < len(ways) and not apart
        while records:
            size = self._turn_size if mixed and not self.nested.came else 1
            turn = records
            if size < len(records):
                turn = records[:size]
                del records[:size]
            before = time.monotonic()
            self._deliver_turn(handlers, turn)
            if mixed:
                quick = time.monotonic() - before < TURN / 2
                self._turn_size = 2 * size if quick else max(1, size // 4)

    def _may_overtake(self) -> bool:
        """Return whether one handler may get its records before another gets earlier ones."""
        handlers, was_asked = self.listener.handlers, self.listener.was_asked
        return not (
            self.nested.came
            or share_an_output(handlers)
            or any(way_of(handler, was_asked(handler)) == ONE_BY_ONE for handler in handlers)
        )

    def _deliver_turn(self, handlers: tuple[logging.Handler, ...], records: list[logging.LogRecord]) -> None:
        """Give `records` to each of `handlers` in turn, and empty the list."""
        outer, self._turn = self._turn, records
        failures = self.accounts.failures
        outer_shared, failures.shared = failures.shared, set()
        last = len(records) - 1
        begun = False
        try:
            for handler in handlers:
                given = records[:]
                try:
                    self._deliver_to(handler, given)
                finally:
                    begun = begun or not given[last:]  # no call, after which a signal handler may raise
            begun = True
        finally:
            if begun:  # else an exception came before any of them had one
                del records[:]
            self._turn, failures.shared = outer, outer_shared

    def _leave_out(self, handler: logging.Handler, records: list[logging.LogRecord]) -> None:
        """Delete the records that are below the level of `handler`."""
        try:
            drop_below(records, handler.level)
        except Exception:  # one of them has no level, or none that compares
            make_log_records(records)
            kept: list[logging.LogRecord] = []
            for record in records:
                try:
                    if record.levelno >= handler.level:
                        kept.append(record)
                except Exception:
                    self.errors.report(record, handler)
            records[:] = kept

    def _deliver_to(self, handler: logging.Handler, records: list[logging.LogRecord]) -> None:
        """Give those of `records` to `handler` that are for it, and empty the list."""
        listener, progress = self.listener, self._progress
        progress.asked = listener.was_asked(handler)
        if not progress.asked and listener.respect_handler_level:
            self._leave_out(handler, records)
        account = self.accounts.of(handler)
        account.records += len(records)
        began = perf_counter()
        try:
            while records:
                left = len(records)
                try:
                    deliver_batch(handler, records, self.errors.report, progress)
                except BaseException:  # SystemExit, say: the thread goes on
                    if not self.life.run.is_running_here:
                        raise
                    # One that could not even be tried must not be tried for ever.
                    untried = log_record(records.pop(0)) if len(records) == left else None
                    self.errors.report(untried, handler)
        finally:
            account.seconds += perf_counter() - began

    # In other threads than the listener's.

    def deliver_here(self, timeout: float) -> bool:
        """Handle what is queued in the calling thread; False if another thread was at it for `timeout` seconds."""
        listener = self.listener
        if listener.delivering_thread == get_ident():
            return False  # an outer frame of this thread delivers, and will take it
        hold = self.lock.take(timeout)
        if hold is None:
            return False
        try:
            # What there is now, and no more: a handler may put each record into this very queue again.
            # One at a time: if a handler lets a KeyboardInterrupt through, none but its own record is done.
            # A thread that was started meanwhile takes records without the lock: the rest is for it, in order.
            # A dequeue() of the listener's own may wait: it is called for what is known to be there.
            left = len(self._taken) + self.queued(unknown=0 if has_own_dequeue(listener) else sys.maxsize)
            while self._taken or (left > 0 and not self.life.run.is_running and self.take_one()):
                left -= len(self._taken)
                if self.dispatch_in_call() and self.life.run.is_running:
                    self.tell_thread_to_end()
                    break
        finally:
            hold.give_back()
        return True

    def tell_thread_to_end(self) -> None:
        """Pass on the sentinel, which was for the listener's thread: that may wait in the queue."""
        self.life.run.stopped_from_within = True
        self.put_control(self.listener.enqueue_sentinel, 0.0)

    def _forget_thread(self) -> None:
        """Note that an exception ended a call that ran handlers."""
        self.listener.delivering_thread = 0

    def reset_in_child(self) -> None:
        """Forget, in a forked child, what the parent had in hand."""
        self.lock = DeliveryLock(self._forget_thread)
        self._control.clear()
        self._taken.clear()
        self.nested.deferred.clear()
        self.accounts.begin_anew()
        self.announcer.begin_anew()
        self.overflow.begin_anew(self.overflow.bounds)
        if self.listener.delivering_thread != get_ident():
            self.listener.delivering_thread = 0  # a new thread may have the identifier of the one that is gone
            self._records = []
            self._turn = []
            self._progress = self.nested.progress = Progress()


def _is_closed(handler: logging.Handler) -> bool:
    return getattr(getattr(handler, "stream", None), "closed", False) is True
