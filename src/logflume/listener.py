"""QueueListener: its handlers, start, stop, flush and statistics. Its parts are in _listener/."""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue as _queue
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from threading import get_ident

from ._backend import ListenerCore, take
from ._listener.dispatch import Dispatcher
from ._listener.errors import ErrorReports
from ._listener.life import NEVER, Life
from ._listener.locks import PATIENCE, acquire, held, wait
from ._listener.process import exit_has_come, expect_exit, remember
from ._listener.worker import ListenerThread, Worker, on_listener_thread
from ._shared.contexts import expect_contexts
from ._shared.state import IDLE, RUNNING, STOPPED, STOPPING, FlushRequest
from .stats import ListenerStats

TYPE_CHECKING = False  # importing typing would double the time that importing logflume takes
if TYPE_CHECKING:
    from typing import Any

    from ._listener.errors import OnError

__all__ = ["QueueListener"]

# While the thread ends and has more than so many records left, a log call takes so long (seconds).
CROWD = 1000
SLOW_CALL = 0.005
# dictConfig() closes all handlers there are. One that still gets records so long (seconds) after that is in use, and
# its listener starts again, as a FileHandler opens its file again; before, some call may just have been under way.
STRAGGLING = 1.0


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
        self.exit_timeout = exit_timeout
        self.flush_level = flush_level
        self.state = IDLE
        self._life = Life()
        self._errors = ErrorReports(on_error, on_listener_thread)
        self._dispatcher = Dispatcher(self, self._life, self._errors)
        self._look_up_handlers: Callable[[], tuple[logging.Handler, ...]] | None = None
        self._queue_handlers: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
        self._closed_queue_handlers: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
        remember(self)

    def __repr__(self) -> str:
        state = {IDLE: "idle", RUNNING: "running", STOPPING: "stopping", STOPPED: "stopped"}[self.state]
        left = self._dispatcher.pending()
        return f"<{type(self).__name__} {state}, {len(self.handlers)} handlers, {left} records left>"

    @property
    def on_error(self) -> OnError | None:
        """What is called for an exception that escapes from a handler, or None."""
        return self._errors.on_error

    @on_error.setter
    def on_error(self, on_error: OnError | None) -> None:
        self._errors.on_error = on_error

    # The handlers.

    def addHandler(self, handler: logging.Handler) -> None:
        """Give `handler` every record taken from the queue from now on; may be called while it runs."""
        with held(self._life.lock):
            if handler not in self.handlers:
                self._set_handlers((*self.handlers, handler))
                self._close_queue_handlers_first()

    def removeHandler(self, handler: logging.Handler) -> None:
        """Give `handler` no more records; may be called while it runs. It is neither flushed nor closed."""
        with held(self._life.lock):
            self._set_handlers(tuple(h for h in self.handlers if h is not handler))

    def _set_handlers(self, handlers: tuple[logging.Handler, ...]) -> None:
        self.handlers = handlers

    def defer_handlers(self, look_up: Callable[[], tuple[logging.Handler, ...]]) -> None:
        """Call `look_up()` for the handlers when the listener starts: they are configured later."""
        self._look_up_handlers = look_up

    @property
    def handles_itself(self) -> bool:
        """Whether a subclass, or a patched instance, has a handle() or prepare() of its own to call for each record."""
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
        self._dispatcher.deliver(self.handlers, [self.prepare(record)])

    def report_error(
        self, record: logging.LogRecord | None, handler: logging.Handler | None, error: BaseException
    ) -> None:
        """Report `error`, which is being handled, to on_error or on stderr. Never raises an Exception."""
        self._errors.report(record, handler, error)

    # Start and stop.

    def start(self) -> None:
        """Start the thread.

        RuntimeError if start() was called before, and stop() was not, or if a stop() whose timeout ran out is still
        at work.
        """
        life = self._life
        with held(life.lock):
            if life.started_by_user and self.state != STOPPED:
                raise RuntimeError("the listener is running already; stop() it before another start()")
            if self.state == STOPPING:
                raise RuntimeError("the listener is still stopping; stop() it again to wait, then start() it")
            life.started_by_user = True
            if self.state != RUNNING:  # else the first record was quicker
                self._start_thread()

    def _start_thread(self) -> None:
        """Start the thread, or, where none can be started, have the callers handle their records."""
        if self._look_up_handlers is not None:
            self.handlers = self._look_up_handlers()
            self._look_up_handlers = None
            self._close_queue_handlers_first()
        self._queue_handlers |= self._closed_queue_handlers  # they are in use still
        self._closed_queue_handlers.clear()
        self._life.begin()
        self.state = RUNNING
        worker = Worker(self, self._life, self._dispatcher, self._errors)
        try:
            if exit_has_come() or os.environ.get("LOGFLUME_DIRECT", "") not in ("", "0"):
                raise RuntimeError("no thread is wanted")
            expect_exit()
            self._thread = ListenerThread(worker.run, type(self).__name__)
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
        life = self._life
        with held(life.lock):
            life.started_by_user = False
            life.restart_at = NEVER
            thread = self._thread
            tell = thread is not None and not life.stop_requested
            if thread is None:
                self.state = STOPPED
            else:
                life.stop_requested = True
                if self.state == RUNNING:
                    self.state = STOPPING
        on_own_thread = self.delivering_thread == get_ident()
        if on_own_thread:
            life.stopped_from_within = True  # the queue may be full, and no other thread makes room
        elif tell:
            told = False
            try:
                told = self._dispatcher.put_control(self.enqueue_sentinel, timeout)
            finally:
                if not told:
                    self._forget_stop(thread)
        if thread is not None:
            life.wake()
            if not on_own_thread:
                wait(thread.join, timeout, lambda: not thread.is_alive())
                if not thread.is_alive():
                    self._forget_thread(thread)
        if self.state == STOPPED:
            self._dispatcher.deliver_here(self.exit_timeout)
        return self._dispatcher.pending()

    # Another thread may have called start() meanwhile: what it set stays.

    def _forget_stop(self, thread: threading.Thread | None) -> None:
        """Leave it to the next stop() to tell `thread` to end."""
        with held(self._life.lock):
            if self._thread is thread:
                self._life.stop_requested = False
                if self.state == STOPPING:
                    self.state = RUNNING

    def _forget_thread(self, thread: threading.Thread) -> None:
        with held(self._life.lock):
            if self._thread is thread:
                self._thread = None

    @property
    def _is_running(self) -> bool:
        return self.state in (RUNNING, STOPPING)

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
        dispatcher = self._dispatcher
        if self.delivering_thread == get_ident():
            return False
        if not self._is_running:
            if not dispatcher.deliver_here(self.exit_timeout if timeout is None else timeout):
                return False
            if not self._is_running:  # else another thread started it meanwhile, and leaves the rest to it
                dispatcher.flush_handlers()
                return True
        request = FlushRequest()
        deadline = None if timeout is None else time.monotonic() + timeout
        if not dispatcher.put_control(lambda: self.queue.put_nowait(request), timeout):
            return False
        self._life.wake()
        if self.state == STOPPED:  # it stopped meanwhile, and may have missed the request
            dispatcher.deliver_here(self.exit_timeout if timeout is None else timeout)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        wait(request.done.wait, left, request.done.is_set)
        return request.done.is_set()

    def flush_soon(self) -> None:
        """Have the records that are queued handled at once, and the handlers flushed. Does not wait."""
        self.flush_wanted = True
        self._life.wake()

    # What the queue handlers need.

    def add_queue_handler(self, handler: logging.Handler) -> None:
        """Note that `handler` puts records into the queue."""
        self._queue_handlers.add(handler)
        self._close_queue_handlers_first()

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver what `handler` enqueued; with the last queue handler that closes the thread ends, too."""
        if handler in self._queue_handlers:
            self._queue_handlers.remove(handler)
            self._closed_queue_handlers.add(handler)
        if self._queue_handlers:
            self.flush(self.exit_timeout)
            return
        was_in_use = self.state != STOPPED
        self._end(self.exit_timeout)
        if was_in_use and self.state == STOPPED and not exit_has_come():
            self._life.restart_at = time.monotonic() + STRAGGLING

    def _close_queue_handlers_first(self) -> None:
        """Have logging.shutdown() and dictConfig() close the queue handlers before the handlers behind them.

        They close the youngest first. A handler closed before its records come would miss them, and one that
        needs logging's module lock to handle a record would deadlock with dictConfig(), which holds it.
        """
        with logging._lock:  # type: ignore[attr-defined]
            references = logging._handlerList  # type: ignore[attr-defined]
            first = [ref for ref in references if ref() in self._queue_handlers]
            references[:] = [ref for ref in references if ref not in first] + first

    def ensure_delivery(self) -> None:
        """Start the thread for a record that was just enqueued while none runs, or handle it in the calling thread."""
        life = self._life
        if self.state == STOPPED and life.may_restart() and not exit_has_come():
            life.restart_at = NEVER
            self.state = IDLE
        if self.state == IDLE and life.lock.acquire(timeout=PATIENCE):
            try:
                if self.state == IDLE:
                    self._start_thread()
            finally:
                life.lock.release()
        if self.state == STOPPED:
            self._dispatcher.deliver_here(self.exit_timeout)
        elif (
            self.state == STOPPING
            and self._dispatcher.queued() > CROWD
            and self.delivering_thread != get_ident()
        ):
            # Calls that come faster than the thread delivers would put its end off for ever.
            time.sleep(SLOW_CALL)

    def take_nested(self, record: logging.LogRecord, handlers: tuple[logging.Handler, ...] | None) -> None:
        """Have `handlers`, or all, handle what one of them logs in this thread while it handles a record."""
        self._dispatcher.handle_nested(record, handlers)

    # For a subclass whose handlers were moved from loggers.

    def handlers_for(self, targets: Any) -> tuple[logging.Handler, ...]:
        """Return the handlers that a record with `targets` is for."""
        return self.handlers

    def was_asked(self, handler: logging.Handler) -> bool:
        """Return whether the level and the filters of `handler` were asked in the log call."""
        return False

    # What is asked of it.

    def stats(self) -> ListenerStats:
        """Return what the listener has done so far; cheap enough to be asked often."""
        return ListenerStats(
            self._handled,
            self._errors.count,
            self._dispatcher.dropped,
            self._dispatcher.pending(),
            self._dispatcher.batches,
            self._life.wakeups,
            self._delay,
            self._longest_delay,
        )

    # Exit and fork: see _listener/process.py.

    def leave_alone(self) -> list[logging.Handler]:
        """Return the handlers that logging.shutdown() must not wait for, because the thread is at work with them.

        shutdown() takes their locks, and a handler that writes to a full pipe, say, does not give its lock back.
        """
        busy = list(self._queue_handlers)
        for handler in self.handlers:
            if handler.lock is None:
                continue
            if handler.lock.acquire(blocking=False):
                handler.lock.release()
            else:
                busy.append(handler)
        return busy

    def hold_for_fork(self, timeout: float) -> bool:
        """Wait for the end of the batch at work, for `timeout` seconds at most, and begin no other; return whether."""
        return acquire(self._dispatcher.lock, timeout)

    def release_after_fork(self) -> None:
        """Undo hold_for_fork()."""
        self._dispatcher.lock.release()

    def reset_in_child(self) -> None:
        """Begin anew in a forked child: no thread, nothing queued, no lock held."""
        wakeups = self._life.wakeups
        self._thread = None
        self._life.__init__()  # type: ignore[misc]
        self._life.wakeups = wakeups
        self._dispatcher.reset_in_child()
        if self._is_running:
            self.state = IDLE
        kind = type(self.queue)
        if kind in (_queue.Queue, _queue.LifoQueue, _queue.PriorityQueue):
            # Its lock may be held by a thread that is gone.
            self.queue.__init__(self.queue.maxsize)  # type: ignore[misc,attr-defined]
        elif kind is getattr(_queue, "_PySimpleQueue", None):  # PyPy's
            self.queue.__init__()  # type: ignore[misc]
        elif not kind.__module__.startswith("multiprocessing."):  # that is the parent's still
            try:
                take(self.queue, sys.maxsize, deque())
            except Exception:
                pass  # a queue of any kind


# As they are now; they may be patched later.
_standard_handle = QueueListener.handle
_standard_prepare = QueueListener.prepare
