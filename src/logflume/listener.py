"""QueueListener: the thread that takes records out of the queue, and its life: start, stop, flush, exit, fork."""

from __future__ import annotations

import atexit
import contextlib
import logging
import logging.handlers
import os
import queue as _queue
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from threading import get_ident

from ._backend import (
    ListenerCore,
    Batch,
    at_level,
    batching,
    deliver_batch,
    deliver_flow,
    forget_context,
    take,
)
from ._delivery.deliver import ALONE, UNSEEN
from ._listener.pace import Pace
from ._listener.state import IDLE, RUNNING, STOPPED, STOPPING, FlushRequest
from ._shared.contexts import call_in_context, context_of, expect_contexts, set_handled
from .stats import ListenerStats

__all__ = ["QueueListener"]

TYPE_CHECKING = False  # importing typing would double the time that importing logflume takes
if TYPE_CHECKING:
    from typing import Any

    OnError = Callable[[logging.LogRecord | None, logging.Handler | None, BaseException], object]

# While records flow the listener looks into the queue this often (seconds) instead of waiting in it, so that
# the put of a record wakes nobody. After QUIET looks that found nothing it waits in the queue.
INTERVAL = 0.001
LONGEST_INTERVAL = 0.005
QUIET = 40
# A handler that takes its records one at a time gives the next handler its turn after so long (seconds).
TURN = 0.005
# How long the listener pauses after an error that came from its queue (seconds).
ERROR_PAUSE = 0.1
# How often handlers may cause new records by handling one, each caused by the one before.
DEEPEST = 10
# Errors reported in full in each period of so many seconds.
REPORTS = 10
REPORT_PERIOD = 10.0
# How long stop() and flush() wait with the logging module's lock held before they let go of it (seconds).
PATIENCE = 0.05
# While the thread ends and has more than so many records left, a log call takes so long (seconds).
CROWD = 1000
SLOW_CALL = 0.005
# dictConfig() closes all handlers there are. One that still gets records so long (seconds) after that is in use, and
# its listener starts again, as a FileHandler opens its file again; before, some call may just have been under way.
STRAGGLING = 1.0
NEVER = float("inf")
# How long a fork waits for a listener to come to the end of a batch (seconds).
FORK_PATIENCE = 1.0


class QueueListener(ListenerCore, logging.handlers.QueueListener):
    """Hands records from a queue to handlers, on a thread of its own.

    `queue` and `handlers` are as for logging.handlers.QueueListener, and so is `respect_handler_level`: whether
    a handler gets only the records at or above its level.

    An exception that escapes from a handler (or from a filter on it) never ends the thread. It is reported as
    handlers report theirs, through handler.handleError(), at most ten in ten seconds; or to `on_error`, called
    as on_error(record, handler, exception): `record` is None if none is to blame (a handler's flush(), the queue),
    `handler` if none is (the queue, too). If it raises, both errors are reported as without it.

    What is queued when the interpreter exits is delivered first, for at most `exit_timeout` seconds.

    Records are handled some milliseconds after the call, many at a time; one at or above `flush_level` is
    handled at once, with those before it, and the handlers are flushed.
    """

    def __init__(
        self,
        queue: Any,
        *handlers: logging.Handler,
        respect_handler_level: bool = False,
        on_error: OnError | None = None,
        exit_timeout: float = 10.0,
        flush_level: int = logging.CRITICAL,
    ) -> None:
        super().__init__(queue, *handlers, respect_handler_level=respect_handler_level)
        expect_contexts(queue)
        self.on_error = on_error
        self.exit_timeout = exit_timeout
        self.flush_level = flush_level
        self.state = IDLE
        self._started_by_user = False
        # From when on (time.monotonic()) a record starts the thread again that close() ended.
        self._restart_at = NEVER
        self._stop_requested = self._stopped_from_within = False
        self._life: object = None  # each thread's own; gevent's greenlets outlive theirs in forked children
        self._taken: deque[Batch] = deque()  # runs of records that are out of the queue, and not yet handled
        self._handling: list[logging.LogRecord] = []  # the run at work
        self._handling_turn: list[logging.LogRecord] = []  # those of it that are at work, if not all are
        self._turn = 1  # records that a slow handler gets at a time
        self._handled = self._errors = self._dropped = self._batches = self._wakeups = 0
        self._delay = self._longest_delay = 0.0
        self._urgent = False
        self._caused: deque[tuple[int, Batch]] = deque()  # logged by handlers, with how deep the cause goes
        self._depth = 0
        self._requests: deque[None] = deque()  # one for each sentinel or flush request in the queue
        self._routes: list[Route] = []
        self._named_handlers: Callable[[], tuple[logging.Handler, ...]] | None = None
        self._sources: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
        self._closed_sources: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
        self._reports_left = REPORTS
        self._unreported = 0
        self._report_period_end = 0.0
        self._new_locks()
        _remember(self)

    def _new_locks(self) -> None:
        self._life_lock = threading.RLock()  # start and stop
        self._delivery_lock = threading.RLock()  # held while handlers run
        self._nudge = threading.Lock()  # released to end the listener's pause early
        self._nudge.acquire()

    def __repr__(self) -> str:
        state = {IDLE: "idle", RUNNING: "running", STOPPING: "stopping", STOPPED: "stopped"}[self.state]
        return f"<{type(self).__name__} {state}, {len(self.handlers)} handlers, {self._left()} records left>"

    # The handlers.

    def addHandler(self, handler: logging.Handler) -> None:
        """Give `handler` every record taken from the queue from now on; may be called while it runs."""
        with _held(self._life_lock):
            if handler not in self.handlers:
                self._set_handlers((*self.handlers, handler))
                self._close_sources_first()

    def removeHandler(self, handler: logging.Handler) -> None:
        """Give `handler` no more records; may be called while it runs. It is neither flushed nor closed."""
        with _held(self._life_lock):
            self._set_handlers(tuple(h for h in self.handlers if h is not handler))

    def _set_handlers(self, handlers: tuple[logging.Handler, ...]) -> None:
        self.handlers = handlers
        for route in self._routes:
            route.follow(handlers, self._routes)

    # Start and stop.

    def start(self) -> None:
        """Start the thread.

        RuntimeError if start() was called before, and stop() was not, or if a stop() whose timeout ran out is still
        at work.
        """
        with _held(self._life_lock):
            if self._started_by_user and self.state != STOPPED:
                raise RuntimeError("the listener is running already; stop() it before another start()")
            if self.state == STOPPING:
                raise RuntimeError("the listener is still stopping; stop() it again to wait, then start() it")
            self._started_by_user = True
            if self.state == RUNNING:
                return  # the first record was quicker
            self._start_thread()

    def defer_handlers(self, look_up: Callable[[], tuple[logging.Handler, ...]]) -> None:
        """Take what `look_up` returns as the handlers when the first record comes."""
        self._named_handlers = look_up

    def _look_up_handlers(self) -> None:
        """Take the handlers that were only named so far."""
        if self._named_handlers is not None:
            self.handlers = self._named_handlers()
            self._named_handlers = None
            self._close_sources_first()

    def _start_thread(self) -> None:
        """Start the thread, or, where none can be started, have the callers handle their records."""
        self._look_up_handlers()
        self._sources |= self._closed_sources  # somebody uses them still
        self._closed_sources.clear()
        self._stop_requested = self._stopped_from_within = False
        self.state = RUNNING
        self._life = object()
        # From 3.14 on a thread may begin with the contextvars of whoever starts it.
        context: Any = {"context": Context()} if sys.version_info >= (3, 14) else {}
        name = type(self).__name__
        try:
            if _exit_has_come:
                raise RuntimeError("the interpreter is exiting")
            self._thread = threading.Thread(target=self._monitor, name=name, daemon=True, **context)
            _register_exit()
            self._thread.start()
        except RuntimeError:  # no threads here (Pyodide, subinterpreters), no more of them, or exiting
            self._thread = None
            self.state = STOPPED

    def stop(self, timeout: float | None = None) -> int:  # type: ignore[override]
        """Deliver what is queued and end the thread; returns how many records are left undelivered.

        That is 0, unless `timeout` (seconds) ran out, or the caller is a handler on the listener's own thread,
        which cannot wait for itself: the thread goes on and ends when it is done. Afterwards the handlers of
        log calls are called directly. May be called at any time, in any thread, and more than once.
        """
        return self._end(timeout)

    def _end(self, timeout: float | None) -> int:
        with _held(self._life_lock):
            self._started_by_user = False
            self._restart_at = NEVER
            thread = self._thread
            tell = thread is not None and not self._stop_requested
            if thread is None:
                self.state = STOPPED
            else:
                self._stop_requested = True
                if self.state == RUNNING:
                    self.state = STOPPING
        if self.delivering_thread == get_ident():
            self._stopped_from_within = True  # there may be no room in the queue, and nobody else to make it
        elif tell:
            told = False
            try:
                told = self._put_now_or_soon(self.enqueue_sentinel, timeout)
            finally:
                if not told:
                    self._forget_stop(thread)
        if thread is not None:
            self._end_pause()
            if self.delivering_thread != get_ident():
                _wait(thread.join, timeout, lambda: not thread.is_alive())
                if not thread.is_alive():
                    self._forget_thread(thread)
        if self.state == STOPPED:
            self._deliver_here()
        return self._left()

    # Another thread may have called start() meanwhile: what it set stays.

    def _forget_stop(self, thread: threading.Thread | None) -> None:
        """Leave it to the next stop() to tell `thread` to end."""
        with _held(self._life_lock):
            if self._thread is thread:
                self._stop_requested = False
                if self.state == STOPPING:
                    self.state = RUNNING

    def _forget_thread(self, thread: threading.Thread) -> None:
        with _held(self._life_lock):
            if self._thread is thread:
                self._thread = None

    def _put_now_or_soon(self, put: Callable[[], None], timeout: float | None) -> bool:
        """Call `put`, again and again while a bounded queue is full; False when it stays full."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._requests.append(None)
            try:
                put()
            except BaseException as error:
                self._requests.pop()
                if not isinstance(error, _queue.Full):
                    raise
                if deadline is not None and time.monotonic() >= deadline:
                    return False
                time.sleep(INTERVAL)
            else:
                return True

    def _left(self) -> int:
        at_work = len(self._handling) + len(self._handling_turn) + len(self._caused)
        return max(0, self._queued() + self._left_in_hand() + at_work - len(self._requests))

    def _queued(self, unknown: int = 0) -> int:
        try:
            return self.queue.qsize()  # type: ignore[attr-defined, no-any-return]
        except (AttributeError, NotImplementedError):  # multiprocessing's queues on macOS do not know
            return unknown

    def _left_in_hand(self) -> int:
        count = 0
        while True:
            try:
                for run in list(self._taken):
                    count += run.count
                return count
            except RuntimeError:
                count = 0  # without the GIL another thread can take some meanwhile

    def __enter__(self) -> QueueListener:
        if self.state != RUNNING:
            self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    async def __aenter__(self) -> QueueListener:
        return self.__enter__()

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop without blocking the event loop."""
        import asyncio

        await asyncio.to_thread(self.stop)

    # Flush.

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was enqueued before the call is handled and the handlers are flushed.

        Returns False if `timeout` (seconds) ran out first, or if the caller is one of the handlers at work,
        which cannot wait for itself.
        """
        if self.delivering_thread == get_ident():
            return False
        if not self._is_running:
            if not self._deliver_here(timeout):
                return False
            if not self._is_running:  # else another thread started it meanwhile, and leaves the rest to it
                self._flush_handlers()
                return True
        request = FlushRequest()
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._put_now_or_soon(lambda: self.queue.put_nowait(request), timeout):
            return False
        self._end_pause()
        if self.state == STOPPED:  # it stopped meanwhile, and may have missed the request
            self._deliver_here(timeout)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        _wait(request.done.wait, left, request.done.is_set)
        return request.done.is_set()

    def _flush_handlers(self) -> None:
        for handler in self.handlers:
            try:
                handler.flush()
            except Exception as error:
                self._report_error(None, handler, error)

    def _end_pause(self) -> None:
        try:
            self._nudge.release()
        except RuntimeError:
            pass  # released already

    # The sources: handlers that put records into the queue.

    def add_queue_handler(self, handler: logging.Handler) -> None:
        """Know `handler`, which puts records into the queue from now on."""
        self._sources.add(handler)
        self._close_sources_first()

    def _close_sources_first(self) -> None:
        """Have logging.shutdown() and dictConfig() close the sources before the handlers.

        They close the youngest first. A handler closed before its records come would miss them, and one that
        needs logging's module lock to handle a record would deadlock with dictConfig(), which holds it.
        """
        with logging._lock:  # type: ignore[attr-defined]
            references = logging._handlerList  # type: ignore[attr-defined]
            sources = [ref for ref in references if ref() in self._sources]
            references[:] = [ref for ref in references if ref not in sources] + sources

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver what is queued, for at most exit_timeout; end the thread with the last of the queue handlers."""
        if handler in self._sources:
            self._sources.remove(handler)
            self._closed_sources.add(handler)
        if self._sources:
            self.flush(self.exit_timeout)
            return
        was_in_use = self.state != STOPPED
        self._end(self.exit_timeout)
        if was_in_use and self.state == STOPPED and not _exit_has_come:
            self._restart_at = time.monotonic() + STRAGGLING

    def ensure_delivery(self) -> None:
        """Ensure that what was just enqueued is delivered: start the thread, or deliver here; unless one runs."""
        if self.state == STOPPED and time.monotonic() >= self._restart_at and not _exit_has_come:
            self._restart_at = NEVER
            self.state = IDLE
        if self.state == IDLE and self._life_lock.acquire(timeout=PATIENCE):
            try:
                if self.state == IDLE:
                    self._start_thread()
            finally:
                self._life_lock.release()
        if self.state == STOPPED:
            self._deliver_here()
        elif self.state == STOPPING and self._queued() > CROWD and self.delivering_thread != get_ident():
            time.sleep(SLOW_CALL)  # who logs faster than the thread delivers would put its end off for ever

    @property
    def _is_running(self) -> bool:
        return self.state in (RUNNING, STOPPING)

    def take_nested(self, item: Any) -> bool:
        """Keep a record that a handler logs while it handles one for right after that one.

        False when the calling thread is not the one that runs the handlers. Handlers that log for each record
        they handle would go on for ever: after DEEPEST rounds the record is dropped, and reported.
        """
        if self.delivering_thread != get_ident():
            return False
        if self._depth < DEEPEST:
            self._caused.append((self._depth + 1, Batch(item)))
            return True
        self._dropped += 1
        try:
            raise RecursionError(
                f"the handlers of {self!r} log records while they handle records, {DEEPEST} deep; "
                "dropped the last one: keep such a handler from handling what it logs"
            )
        except RecursionError as error:
            self._report_error(item[1] if type(item) is tuple else item, None, error)
        return True

    # Delivery.

    def _deliver_here(self, timeout: float | None = None) -> bool:
        """Handle what is queued in the calling thread; False if another thread was at it all the time."""
        lock = self._delivery_lock
        if self.delivering_thread == get_ident():
            return False  # an outer frame of this thread delivers, and will take it
        if not _acquire(lock, self.exit_timeout if timeout is None else timeout):
            return False
        try:
            # What there is now, and no more: a handler may put each record into this very queue again.
            # One at a time: if a handler lets a KeyboardInterrupt through, none but its own record is done.
            # A thread that was started meanwhile takes records without the lock: the rest is for it, in order.
            left = self._queued(unknown=sys.maxsize)
            while self._taken or (left > 0 and not self._is_running and self._take(1)):
                left -= len(self._taken)
                if Context().run(self._handle_taken) and self._is_running:
                    # The sentinel was for the thread, which was started meanwhile, and may wait in the queue.
                    self._stopped_from_within = True
                    self._put_now_or_soon(self.enqueue_sentinel, 0.0)
                    break
        finally:
            lock.release()
        return True

    def _take(self, limit: int) -> bool:
        """Take up to `limit` items from the queue; False if there is nothing in hand then."""
        take(self.queue, limit, self._taken)
        return bool(self._taken)

    def _handle_taken(self) -> bool:
        """Handle what was taken; True if the thread was told to end. The delivery lock is held."""
        taken = self._taken
        task_done = getattr(self.queue, "task_done", None)
        told_to_end = False
        self.delivering_thread = get_ident()
        try:
            while taken:
                run = taken.popleft()
                if not run.records and self._requests:
                    self._requests.pop()
                if run.request is not None:
                    self._flush_handlers()
                    self._handle_caused()
                    run.request.done.set()
                elif run.records:
                    self._handling = run.records
                    self._handle_run(run)
                    if self._caused:
                        self._handle_caused()
                    self._count(run)
                else:
                    told_to_end = told_to_end or self._stop_requested
                if task_done is not None:
                    for _ in range(run.count):
                        task_done()
        finally:
            self._handling = []
            self.delivering_thread = 0
        return told_to_end or self._stopped_from_within

    def _handle_run(self, run: Batch) -> None:
        if run.contexts is None:
            self._handle_records(run)
            return
        outer = set_handled(run.contexts)
        try:
            self._handle_records(run)
        finally:
            set_handled(outer)

    def _handle_records(self, run: Batch) -> None:
        records = run.records
        if run.route is not None:
            self._deliver(run.route.handlers, records)
        elif not self._is_overridden:
            self._deliver(self.handlers, records)
        else:
            while records:
                record = records.pop(0)
                try:
                    call_in_context(context_of(record), self.handle, record)
                except Exception as error:
                    self._report_error(record, None, error)

    def _handle_caused(self) -> None:
        """Handle the records that handlers logged just now, and those that are logged meanwhile."""
        outer = self._depth
        while self._caused:
            self._depth, run = self._caused.popleft()
            try:
                self._handle_run(run)
                self._handled += 1
            finally:
                self._depth = outer

    @property
    def _is_overridden(self) -> bool:
        cls = type(self)
        own = vars(self)
        return (
            cls.handle is not _standard_handle
            or cls.prepare is not _standard_prepare
            or "handle" in own
            or "prepare" in own
        )

    def handle(self, record: logging.LogRecord) -> None:
        """Have each handler handle `record`; what one of them raises is reported, and the next goes on."""
        self._deliver(self.handlers, [self.prepare(record)])

    def _deliver(self, handlers: tuple[logging.Handler, ...], records: list[logging.LogRecord]) -> None:
        """Give `records` to each of `handlers`, and empty the list."""
        if len(handlers) == 1 and batching(handlers[0]) == UNSEEN:
            self._deliver_turn(handlers, records, holders=2, unseen=True)
            return
        ways = tuple(map(batching, handlers))
        in_turn = len(handlers) > 1 and _share_an_output(handlers)
        if ALONE not in ways and not in_turn:
            unseen = ways.count(UNSEEN) == len(ways)
            self._deliver_turn(handlers, records, holders=2 if unseen else 0)
            return
        # As the standard listener does it; but where others can take many records at a time, they wait for
        # the slow ones for a turn only.
        mixed = ways.count(ALONE) < len(ways) and not in_turn
        while records:
            before = time.monotonic()
            size = self._turn if mixed else 1
            turn = records[:size]
            del records[:size]
            self._handling_turn = turn
            self._deliver_turn(handlers, turn, holders=0)
            if self._caused:
                self._handle_caused()
            if mixed:
                quick = time.monotonic() - before < TURN / 2
                self._turn = 2 * size if quick else max(1, size // 4)

    def _deliver_turn(
        self,
        handlers: tuple[logging.Handler, ...],
        records: list[logging.LogRecord],
        holders: int,
        unseen: bool = False,
    ) -> None:
        for handler in handlers:
            mine = at_level(records, handler.level) if self.respect_handler_level else records[:]
            while mine:
                left = len(mine)
                try:
                    deliver_batch(handler, mine, self._report, holders, unseen)
                except BaseException as error:  # SystemExit, say: in the thread nobody else would see it
                    if not self._is_running:
                        raise
                    # One that could not even be tried must not be tried for ever.
                    self._report_error(mine.pop(0) if len(mine) == left else None, handler, error)
                unseen = False
        records.clear()

    def _report(self, record: logging.LogRecord, handler: logging.Handler) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        self._report_error(record, handler, error)

    def _report_error(
        self, record: logging.LogRecord | None, handler: logging.Handler | None, error: BaseException
    ) -> None:
        """Tell of `error`, which is being handled: `handler` raised it for `record`. Never raises."""
        self._errors += 1
        try:
            if self.on_error is None:
                self._print_error(record, handler)
                return
            try:
                self.on_error(record, handler, error)
            except Exception:
                self._print_error(record, handler)  # both: `error` is the context of this one
        except BaseException as escaped:
            if not isinstance(escaped, Exception) and threading.current_thread() is not self._thread:
                raise  # a log call that handles its own record is interrupted
            # there is nobody left to tell

    def _print_error(self, record: logging.LogRecord | None, handler: logging.Handler | None) -> None:
        """Tell of the exception that is being handled, at most REPORTS times in a REPORT_PERIOD."""
        now = time.monotonic()
        if now >= self._report_period_end:
            self._report_period_end = now + REPORT_PERIOD
            self._reports_left = REPORTS
            if self._unreported and logging.raiseExceptions and sys.stderr is not None:
                sys.stderr.write(f"logflume: {self._unreported} more errors in handlers were not reported\n")
            self._unreported = 0
        if self._reports_left <= 0:
            self._unreported += 1
            return
        self._reports_left -= 1
        if handler is not None and record is not None:
            handler.handleError(record)
        else:  # an override counts on a record
            logging.Handler.handleError(self, record)  # type: ignore[arg-type]

    # The thread.

    def _monitor(self) -> None:
        """Batch in the thread: take records and have them handled, until stop()."""
        life = self._life
        while True:
            try:
                if type(self.queue) is _queue.SimpleQueue and type(self).dequeue is QueueListener.dequeue:
                    self._monitor_simple_queue()
                else:
                    self._monitor_any_queue()
                if self._life is not life:
                    if self._stop_requested:  # the sentinel was for the other one
                        self._requests.append(None)
                        self.enqueue_sentinel()
                    threading.Event().wait()  # threading forgot this one in the fork, and could not end it
                break
            except BaseException as error:  # nothing ends the thread but stop()
                try:
                    self._report_error(None, None, error)
                    if not self._stop_requested:
                        self._nudge.acquire(timeout=ERROR_PAUSE)  # the queue may be broken for good
                except BaseException:
                    pass  # there is no memory even for that
                if self._stop_requested:
                    break
        forget_context()
        # Records put from now on are for the caller; the ones put just before are for us.
        with _held(self._life_lock):
            self.state = STOPPED
        try:
            self._deliver_here()
        except BaseException as error:
            self._report_error(None, None, error)

    def _monitor_any_queue(self) -> None:
        life = self._life
        told_to_end = False
        while not told_to_end and self._life is life:
            forget_context()
            try:
                item = self.dequeue(True)
            except _queue.Empty:
                return  # the standard loop ends so too
            with self._delivery_lock:
                self._taken.append(Batch(item))
                told_to_end = self._handle_taken()

    def _monitor_simple_queue(self) -> None:
        """Many records, one wake-up: look into the queue now and then while records flow."""
        pace = Pace()  # in the thread: it goes by the thread's CPU time
        quiet = 0
        life = self._life
        told_to_end = False
        while not told_to_end and self._life is life:
            urgent, self._urgent = self._urgent, False
            batches = self._batches
            count = deliver_flow(self, pace, urgent)
            with self._delivery_lock:
                if self._taken:
                    self._batches += 1
                    told_to_end = self._handle_taken()
                if urgent:
                    if count < pace.limit:
                        self._flush_handlers()
                    else:
                        self._urgent = True  # what is urgent may be in the queue still
            if self._batches != batches:
                quiet = 0
            if count:
                pace.end(count)
                if (queued := self._queued()) >= pace.limit:
                    if self.state == RUNNING:
                        pace.breathe(queued)
                    continue
            quiet += 1
            if quiet < QUIET:
                self._nudge.acquire(timeout=pace.pause if count else min(INTERVAL * quiet, LONGEST_INTERVAL))
            else:
                forget_context()  # nobody can say what it keeps alive
                self._taken.append(Batch(self.dequeue(True)))

    def flush_soon(self) -> None:
        """Have the records that are queued handled at once, and the handlers flushed."""
        self._urgent = True
        self._end_pause()

    def stats(self) -> ListenerStats:
        """Return what the listener has done so far; cheap enough to be asked often."""
        return ListenerStats(
            self._handled,
            self._errors,
            self._dropped,
            self._left(),
            self._batches,
            self._wakeups,
            self._delay,
            self._longest_delay,
        )

    # Fork.

    def _reset_in_child(self) -> None:
        """Begin anew in a forked child: no thread, nothing queued, no lock held."""
        self._new_locks()
        self._thread = self._life = None
        self._stop_requested = self._stopped_from_within = False
        self._requests.clear()
        self._taken.clear()
        self._caused.clear()
        if self.delivering_thread != get_ident():
            self.delivering_thread = 0  # a new thread may have the identifier of the one that is gone
            self._handling = []
            self._handling_turn = []
            self._depth = 0
        if self._is_running:
            self.state = IDLE
        self._started_by_user = False
        if type(self.queue) in (_queue.Queue, _queue.LifoQueue, _queue.PriorityQueue):
            # Its lock may be held by a thread that is gone.
            self.queue.__init__(self.queue.maxsize)  # type: ignore[misc,attr-defined]
        elif type(self.queue) is getattr(_queue, "_PySimpleQueue", None):  # PyPy's
            self.queue.__init__()  # type: ignore[misc]
        elif not type(self.queue).__module__.startswith("multiprocessing."):  # that is the parent's still
            with contextlib.suppress(Exception):  # a queue of anybody's
                take(self.queue, sys.maxsize, deque())


# As they are now; they may be patched later.
_standard_handle = QueueListener.handle
_standard_prepare = QueueListener.prepare


class Route:
    """The handlers of one logger whose records share a queue with those of other loggers.

    `handlers` is what a record of this logger is given to now.
    """

    __slots__ = ("handlers", "moved")

    def __init__(self, moved: Iterable[logging.Handler]) -> None:
        self.moved = tuple(moved)
        self.handlers = self.moved

    def follow(self, handlers: tuple[logging.Handler, ...], routes: list[Route]) -> None:
        """Leave out what was removed from the listener's `handlers`, and take in what was added to them."""
        others = {id(h) for route in routes for h in route.moved}
        self.handlers = tuple(h for h in self.moved if h in handlers) + tuple(
            h for h in handlers if id(h) not in others
        )


def _share_an_output(handlers: tuple[logging.Handler, ...]) -> bool:
    """Tell whether two of `handlers` write to the same stream or file, where each record's lines stay together."""
    outputs = [
        own.get("baseFilename") or id(own.get("stream"))
        for handler in handlers
        if isinstance(handler, logging.StreamHandler) and (own := vars(handler))
    ]
    return len(set(outputs)) < len(outputs)


def _wait(wait: Callable[[float | None], object], timeout: float | None, done: Callable[[], bool]) -> None:
    """Call `wait(timeout)`, letting go of logging's module lock if this thread holds it.

    A handler may need that lock to finish (getLogger() takes it), and dictConfig() closes handlers with it
    held: who waited for the listener then would wait for ever.
    """
    lock: Any = logging._lock  # type: ignore[attr-defined]
    is_owned = getattr(lock, "_is_owned", None)
    if is_owned is None or not is_owned():
        wait(timeout)
        return
    patience = PATIENCE if timeout is None else min(PATIENCE, timeout)
    wait(patience)
    if not done():
        held = lock._release_save()
        try:
            wait(None if timeout is None else timeout - patience)
        finally:
            lock._acquire_restore(held)


def _acquire(lock: Any, timeout: float | None) -> bool:
    """Acquire `lock`, letting go of logging's module lock meanwhile if need be; False if `timeout` ran out.

    Whoever holds `lock` may need the module lock at any point: a garbage collection may close a handler.
    """
    acquired = False

    def acquire(seconds: float | None) -> None:
        nonlocal acquired
        acquired = lock.acquire(timeout=-1 if seconds is None else seconds)

    _wait(acquire, timeout, lambda: acquired)
    return acquired


@contextlib.contextmanager
def _held(lock: Any) -> Iterator[None]:
    _acquire(lock, None)
    try:
        yield
    finally:
        lock.release()


# Exit and fork: the listeners of this process.

_listeners: dict[int, weakref.ref[QueueListener]] = {}
_exit_has_come = False
_exit_finalizer: Any = None
_held_for_fork: list[Any] = []


def _remember(listener: QueueListener) -> None:
    key = id(listener)
    _listeners[key] = weakref.ref(listener, lambda _: _listeners.pop(key, None))


def _living() -> list[QueueListener]:
    return [listener for ref in list(_listeners.values()) if (listener := ref()) is not None]


def _deliver_at_exit() -> None:
    """Stop all listeners; runs before logging.shutdown() closes the handlers, being registered after it."""
    global _exit_has_come
    _exit_has_come = True
    for listener in _living():
        try:
            left = listener.stop(listener.exit_timeout)
        except Exception as error:  # from its queue: the others have their records still to deliver
            listener._report_error(None, None, error)
            continue
        if left:
            if sys.stderr is not None:
                sys.stderr.write(
                    f"logflume: {left} records were not delivered within {listener.exit_timeout} s at exit\n"
                )
            with contextlib.suppress(Exception):
                _leave_to_the_thread(listener)


def _leave_to_the_thread(listener: QueueListener) -> None:
    """Have logging.shutdown() neither wait for the listener again, nor for the handlers that it is at work with.

    It takes their locks, and the one that writes to a pipe that nobody reads, say, does not give its lock back.
    """
    busy = list(listener._sources)
    for handler in listener.handlers:
        if handler.lock is None:
            continue
        if handler.lock.acquire(blocking=False):
            handler.lock.release()
        else:
            busy.append(handler)
    references = logging._handlerList  # type: ignore[attr-defined]
    references[:] = [ref for ref in references if not any(ref() is handler for handler in busy)]


def _is_multiprocessing_child() -> bool:
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _register_exit() -> None:
    """Make sure that the exit of this process is noticed: multiprocessing's children do not run atexit's."""
    global _exit_finalizer
    if not _is_multiprocessing_child():
        return
    util = sys.modules["multiprocessing.util"]
    if _exit_finalizer is None or not _exit_finalizer.still_active():
        _exit_finalizer = util.Finalize(None, _deliver_at_exit, exitpriority=-100)


def _before_fork() -> None:
    """Have the listeners pause between two batches, so that no handler is copied with a half-written one."""
    deadline = time.monotonic() + FORK_PATIENCE
    for listener in _living():
        lock = listener._delivery_lock
        if _acquire(lock, max(0.0, deadline - time.monotonic())):
            _held_for_fork.append(lock)


def _after_fork_in_parent() -> None:
    while _held_for_fork:
        _held_for_fork.pop().release()


def _after_fork_in_child() -> None:
    global _exit_has_come
    _exit_has_come = False
    _held_for_fork.clear()
    for listener in _living():
        listener._reset_in_child()


atexit.register(_deliver_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
