"""QueueListener: its handlers, start, stop, flush and statistics. Its parts are in _listener/."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
import threading
import time
from collections.abc import Callable
from threading import get_ident
from typing import Any

from ._backend import ListenerCore
from ._listener import settings
from ._listener.accounting import Accounts
from ._listener.async_wait import call_in_thread
from ._listener.bounds import Bounds, OverflowPolicy
from ._listener.brake import Brake
from ._listener.dispatch import Dispatcher
from ._listener.errors import ErrorReports, OnError
from ._listener.handler_locks import free_stream, handlers_at_work
from ._listener.launch import Launcher, on_listener_thread
from ._listener.life import NEVER, PATIENCE, Life, Run
from ._listener.locks import Hold, wait
from ._listener.process import add_listener, exit_has_come, living, stop_in_time, threads_run
from ._listener.queue_handlers import QueueHandlers
from ._listener.sigterm import deliver_at_sigterm, leave_sigterm_alone
from ._shared.contexts import expect_contexts
from ._shared.fork import settle as settle_fork
from ._shared.queues import SHUT_DOWN, forget_queued, has_own_dequeue
from ._shared.state import IDLE, STOPPED, STOPPING, FlushRequest
from .stats import ListenerStats

__all__ = ["QueueListener", "listeners"]

# While the thread ends and has more than so many records left, a log call takes so long (seconds).
CROWD = 1000
SLOW_CALL = 0.005
# dictConfig() closes all handlers there are. One that still gets records so long (seconds) after that is in use, and
# its listener starts again, as a FileHandler opens its file again; before, some call may just have been under way.
STRAGGLING = 1.0


class QueueListener(ListenerCore, logging.handlers.QueueListener):
    """Hands records from a queue to handlers, on a thread of its own.

    An exception of a handler, or of a filter on it, never ends the thread. Whether it escapes, or the handler catches
    it and calls its handleError(), it is printed on stderr, with the place of the log call, at most ten in ten
    seconds; or it goes to `on_error`. An overridden handleError() is called as without a queue.

    Records are handled some milliseconds after the call, many at a time. What is queued when the interpreter exits is
    delivered first. Drops are counted in stats() and told in the log, by records of the logger "logflume".

    Args:
        queue: where the records come from, as for logging.handlers.QueueListener
        *handlers: what handles them
        respect_handler_level: whether a handler gets only the records at or above its level
        on_error: is called as on_error(record, handler, exception): `record` is None if none is to blame (a handler's
            flush(), the queue), `handler` if none is (the queue, too). If it raises, both errors are printed
        exit_timeout: how many seconds the exit, or the end of a block, waits at most
        flush_level: a record at or above this level, or its name, is handled at once, with those before it, and the
            handlers are flushed
        capacity: how many records may wait in the queue; None for any number
        overflow: what becomes of a record for which there is no room: "drop_newest" drops it; "drop_oldest" drops the
            oldest one in its favour; "block" waits for room, in a thread that runs no event loop, and then drops it;
            "direct" handles the oldest records in the log call, as without a queue, waiting as long for a handler at
            work
        block_timeout: how many seconds a log call waits at most
        keep_level: a record at or above this level, or its name, is dropped only after all below it
        warn_at: the log tells once that more than this number of records wait; None for never

    Raises:
        TypeError, ValueError: if one of these is of the wrong kind, or if the queue cannot keep a capacity
    """

    def __init__(
        self,
        queue: Any,
        *handlers: logging.Handler,
        respect_handler_level: bool = False,
        on_error: OnError | None = None,
        exit_timeout: float = 10.0,
        flush_level: int | str = logging.CRITICAL,
        capacity: int | None = None,
        overflow: OverflowPolicy = "drop_newest",
        block_timeout: float = 1.0,
        keep_level: int | str = logging.ERROR,
        warn_at: int | None = 1_000_000,
    ) -> None:
        bounds = Bounds(capacity, overflow, block_timeout, keep_level, warn_at)
        if not has_own_dequeue(self):  # else it may be anything
            settings.queue(queue)
        for handler in handlers:
            settings.handler(handler, "QueueListener")
        super().__init__(queue, *handlers, respect_handler_level=respect_handler_level)
        expect_contexts(queue)
        self.on_error = on_error
        self.exit_timeout = exit_timeout
        self.flush_level = flush_level  # type: ignore[assignment]
        self.state = IDLE
        self._life = Life()
        self._handlers_lock = threading.RLock()
        self._at_work_in_fork: tuple[logging.Handler, ...] = ()
        self._brake = Brake(self)
        self._errors = ErrorReports(self, Accounts(self), on_listener_thread)
        self._dispatcher = Dispatcher(self, self._life, self._errors, bounds)
        self._queue_handlers = QueueHandlers()
        self._launcher = Launcher(self._dispatcher, self._queue_handlers)
        add_listener(self)

    def __repr__(self) -> str:
        run = self._life.run
        running = "stopping" if run.stop_requested else "running"
        name = next(cls.__name__ for cls in type(self).__mro__ if not cls.__name__.startswith("_"))
        state = "idle" if run.is_open else "stopped" if run.is_over else running
        left = self._dispatcher.pending()
        return f"<{name} {state}, {len(self.handlers)} handlers, {left} records left>"

    on_error: OnError | None = settings.checked(
        "_on_error",
        settings.function,
        "on_error",
        "What is called for an exception that escapes from a handler, or None.",
    )
    flush_level: int = settings.checked(
        "flush_at",
        settings.level,
        "flush_level",
        "The level, or its name, from which on a record is handled at once.",
    )
    exit_timeout: float = settings.checked(
        "_exit_timeout",
        settings.seconds,
        "exit_timeout",
        "How many seconds the end of the process waits at most.",
    )

    # The handlers.

    def addHandler(self, handler: logging.Handler) -> None:
        """Give `handler` every record taken from the queue from now on; may be called while it runs."""
        settings.handler(handler, "addHandler()")
        with self._handlers_lock: self._add_handler(handler)  # fmt: skip  # noqa: E701
        self._queue_handlers.close_first()

    def removeHandler(self, handler: logging.Handler) -> None:
        """Give `handler` no more records; may be called while it runs. It is neither flushed nor closed."""
        with self._handlers_lock: self._remove_handler(handler)  # fmt: skip  # noqa: E701

    # On one line with their lock: an exception that a signal handler raises may come between lines.

    def _add_handler(self, handler: logging.Handler) -> None:
        if handler not in self.handlers:
            self._set_handlers((*self.handlers, handler))

    def _remove_handler(self, handler: logging.Handler) -> None:
        self._set_handlers(tuple(h for h in self.handlers if h is not handler))

    def _set_handlers(self, handlers: tuple[logging.Handler, ...]) -> None:
        self.handlers = handlers

    def defer_handlers(self, look_up: Callable[[], tuple[logging.Handler, ...]]) -> None:
        """Call `look_up()` for the handlers when the listener starts: they are configured later."""
        self._launcher.look_up_handlers = look_up

    def handle(self, record: logging.LogRecord) -> None:
        """Have each handler handle `record`; what one of them raises is reported, and the next goes on."""
        self._dispatcher.deliver(self.handlers, [self.prepare(record)])

    # As they are now; they may be patched later.
    standard_handling = handle, logging.handlers.QueueListener.prepare

    def report_error(self, record: logging.LogRecord | None, handler: logging.Handler | None) -> None:
        """Report the exception that is being handled to on_error or on stderr. Never raises an Exception."""
        self._errors.report(record, handler)

    # Start and stop.

    def start(self) -> None:
        """Start the thread.

        RuntimeError if start() was called before, and stop() was not, or if a stop() whose timeout ran out is still
        at work.
        """
        settle_fork()
        run = self._life.run
        if run.is_over:
            run = run.follow()
        elif run.stop_requested:
            raise RuntimeError("the listener is still stopping; stop() it again to wait, then start() it")
        elif run.started_by_user:
            raise RuntimeError("the listener is running already; stop() it before another start()")
        if run.is_open:  # else the first record was quicker
            self._launcher.launch(run)
        run.started_by_user = True  # last: a start() that an exception ends may be tried again

    def stop(self, timeout: float | None = None) -> int:  # type: ignore[override]
        """Deliver what is queued and end the thread; returns how many records are left undelivered.

        That is 0, unless `timeout` (seconds) ran out, or the caller is a handler on the listener's own thread,
        which cannot wait for itself: the thread goes on and ends when it is done. Afterwards the handlers of
        log calls are called directly. May be called at any time, in any thread, and more than once.
        """
        return self._end(timeout)

    def _end(self, timeout: float | None) -> int:
        settle_fork()
        deadline = None if timeout is None else time.monotonic() + timeout
        run = self._life.run
        run.restart_at = NEVER
        run.started_by_user = False
        if run.cancel():
            self.state = STOPPED
        else:
            if not run.is_over:
                run.stop_requested = True
                self.state = STOPPING
            if self._dispatcher.lock.is_held_here:
                run.stopped_from_within = True  # the queue may be full, and no other thread makes room
                self._life.wake()
            else:
                if not run.is_over:
                    self._tell_to_end(timeout)
                self._wait_for_end(run, _left(deadline))
        if run.is_over:
            left = _left(deadline)
            self._dispatcher.deliver_here(self.exit_timeout if left is None else left)
            leave_sigterm_alone(self)
            self._errors.tell_rest(early=True)
        return self._dispatcher.pending()

    def _tell_to_end(self, timeout: float | None) -> None:
        """Wake the thread, which sees then that it was told to end. May be called again: it is told again."""
        try:
            self._dispatcher.put_control(self.enqueue_sentinel, timeout)
        except SHUT_DOWN:
            pass  # that ends the thread, too
        self._life.wake()

    def _wait_for_end(self, run: Run, timeout: float | None) -> None:
        wait(run.ended.wait, timeout, run.ended.is_set)
        thread = run.thread
        if run.ended.is_set() and thread is not None:
            # Not before: on 3.11 a join() that a signal handler ends by an exception takes the thread to be gone.
            thread.join(None if timeout is None else PATIENCE)
            if self._thread is thread:
                self._thread = None

    @property
    def is_running(self) -> bool:
        """Whether a thread takes the records."""
        return self._life.run.is_running

    @property
    def starts_by_itself(self) -> bool:
        """Whether it is idle, and the next record of a queue handler starts it."""
        return self._life.run.is_open and any(True for _ in self._queue_handlers)

    def __enter__(self) -> QueueListener:
        run = self._life.run
        if run.stop_requested or run.is_over or not run.started_by_user:
            self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop, within exit_timeout; a line on stderr tells if records are left."""
        self._leave_block()

    async def __aenter__(self) -> QueueListener:
        return self.__enter__()

    async def __aexit__(self, *exc_info: object) -> None:
        """As __exit__(), without blocking the event loop; a cancellation takes effect after that."""
        await call_in_thread(self._leave_block)
        self._leave_sigterm_alone()

    def _leave_block(self) -> None:
        """Do what the end of a block does, in any thread."""
        stop_in_time(self)

    async def astop(self, timeout: float | None = None) -> int:
        """As stop(), without blocking the event loop: under asyncio and trio, and so under uvloop and anyio.

        A cancellation takes effect at once; the thread goes on to its end, and a further stop() waits for that.
        """
        left = await call_in_thread(lambda: self.stop(timeout), when_cancelled=lambda: None)
        self._leave_sigterm_alone()
        return left

    def _leave_sigterm_alone(self) -> None:
        """Do what stop() could not do in its thread, as only the main thread may."""
        if self._life.run.is_over:
            leave_sigterm_alone(self)

    # Flush.

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was enqueued before the call is handled and the handlers are flushed.

        Returns False if `timeout` (seconds) ran out first, or if the caller is one of the handlers at work,
        which cannot wait for itself.
        """
        settle_fork()
        return self._flush(FlushRequest(), timeout)

    async def aflush(self, timeout: float | None = None) -> bool:
        """As flush(), without blocking the event loop: under asyncio and trio, and so under uvloop and anyio.

        A cancellation takes effect at once, and changes nothing for the listener.
        """
        settle_fork()
        request = FlushRequest()
        return await call_in_thread(lambda: self._flush(request, timeout), when_cancelled=request.done.set)

    def _flush(self, request: FlushRequest, timeout: float | None) -> bool:
        dispatcher = self._dispatcher
        if dispatcher.lock.is_held_here:
            return False
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self.is_running:
            if not dispatcher.deliver_here(self.exit_timeout if timeout is None else timeout):
                return False
            if not self.is_running:  # else another thread started it meanwhile, and leaves the rest to it
                if request.flushes:
                    dispatcher.flush_handlers()
                return True
        run = self._life.run
        try:
            if not dispatcher.put_control(lambda: self.queue.put_nowait(request), timeout):
                return False
        except SHUT_DOWN:  # the thread ends when the queue is empty
            wait(run.ended.wait, _left(deadline), run.ended.is_set)
            if request.flushes:
                dispatcher.flush_handlers()
            return run.ended.is_set()
        self._life.wake()
        if run.is_over:  # it stopped meanwhile, and may have missed the request
            dispatcher.deliver_here(self.exit_timeout if timeout is None else timeout)
        wait(request.done.wait, _left(deadline), request.done.is_set)
        return request.done.is_set()

    def deliver(self, timeout: float) -> None:
        """As flush(), for a reason of the listener's own: no handler is flushed, as none would be if attached."""
        settle_fork()
        self._flush(FlushRequest(flushes=False), timeout)

    def flush_soon(self) -> None:
        """Have the records that are queued handled at once, and the handlers flushed. Does not wait."""
        self.flush_wanted = True
        self._life.wake()

    # What queue handlers, and the log calls of accelerated loggers, ask of it.

    def add_queue_handler(self, handler: logging.Handler) -> None:
        """Note that `handler` puts records into the queue."""
        self._queue_handlers.add(handler)
        deliver_at_sigterm(self)

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver what `handler` enqueued; with the last queue handler that closes the thread ends, too."""
        settle_fork()
        if self._queue_handlers.close(handler):
            self.deliver(self.exit_timeout)
            return
        run = self._life.run
        was_in_use = not run.is_over
        self._end(self.exit_timeout)
        if was_in_use and run.is_over and not exit_has_come():
            run.restart_at = time.monotonic() + STRAGGLING

    def reads(self, queue: object) -> bool:
        """Return whether its thread takes what is in `queue`."""
        return self.queue is queue and self.is_running

    def ensure_delivery(self) -> None:
        """Start the thread for a record that was just enqueued while none runs, or handle it in the calling thread."""
        settle_fork()
        run = self._life.run
        if run.may_follow() and not exit_has_come():
            run = run.follow()
        if run.is_open:
            self._launcher.launch(run)
        if run.is_over or (run.is_open and not threads_run()):
            self._dispatcher.deliver_here(self.exit_timeout)
        elif run.stop_requested and self._dispatcher.queued() > CROWD and self.delivering_thread != get_ident():
            # Calls that come faster than the thread delivers would put its end off for ever.
            time.sleep(SLOW_CALL)

    def brake(self) -> None:
        """Sleep for a moment if the queue is so long that threads that log have to be slowed, and this one is due."""
        self._brake.apply()

    def take_nested(self, record: logging.LogRecord, handlers: tuple[logging.Handler, ...] | None) -> None:
        """Have `handlers`, or all, handle what one of them logs in this thread while it handles a record."""
        self._dispatcher.nested.handle(record, handlers)

    def bound(self, **options: Any) -> None:
        """Take the options `capacity` to `warn_at` anew, where a configuration gives them to the queue handler."""
        self._dispatcher.overflow.set_bounds(Bounds(**options))
        self._dispatcher.announcer.begin_anew()

    def put_crowded(self, put: Callable[[Any], object], item: Any, levelno: int) -> bool:
        """Call put(item) if the queue has room or gets some; else drop `item` or another. Return whether it was put."""
        return self._dispatcher.overflow.put(put, item, levelno)

    def count_unput(self, error: BaseException, levelno: int) -> bool:
        """Count a record whose put raised `error`; return whether that is told in the log."""
        if isinstance(error, _queue.Full):
            self._dispatcher.overflow.drop(levelno)
            return True
        self._dispatcher.accounts.put_failures.add()
        return False

    # For a subclass whose handlers were moved from loggers.

    def handlers_for(self, targets: Any) -> tuple[logging.Handler, ...]:
        """Return the handlers that a record with `targets`, or None, is for."""
        return self.handlers

    def was_asked(self, handler: logging.Handler) -> bool:
        """Return whether the level and the filters of `handler` were asked in the log call."""
        return False

    # What is asked of it.

    def stats(self) -> ListenerStats:
        """Return what the listener has done so far; cheap enough to be asked often."""
        return self._dispatcher.accounts.stats(self._dispatcher)

    # Exit and fork: see _listener/process.py.

    def leave_alone(self) -> list[logging.Handler]:
        """Return the handlers that logging.shutdown() must not wait for, because the thread is at work with them.

        shutdown() takes their locks, and a handler that writes to a full pipe, say, does not give its lock back.
        """
        return [*self._queue_handlers, *handlers_at_work(self.handlers)]

    def deliver_before_fork(self, timeout: float) -> None:
        """Wait until what is queued is handled, for `timeout` seconds at most."""
        if self.is_running and self._dispatcher.pending():
            self.deliver(timeout)

    def hold_for_fork(self, timeout: float) -> Hold | None:
        """Wait for the end of the batch at work, for `timeout` seconds at most, and begin no other.

        To be given back; None if the time ran out.
        """
        hold = self._dispatcher.lock.take(timeout)
        self._at_work_in_fork = () if hold is not None else tuple(handlers_at_work(self.handlers))
        return hold

    def reset_in_child(self) -> None:
        """Begin anew in a forked child: no thread, nothing queued, no lock held."""
        for handler in self._at_work_in_fork:
            free_stream(handler)
        self._at_work_in_fork = ()
        self._thread = None
        if not self._life.run.is_over:
            self.state = IDLE
            self._life.begin_anew()
        self._handlers_lock = threading.RLock()
        self._dispatcher.reset_in_child()
        self._errors.reset_in_child()
        forget_queued(self.queue)


def listeners() -> list[QueueListener]:
    """Return the listeners of this process that run, or that the next record of a queue handler starts; oldest first.

    So dictConfig() needs no name for the listener that it makes.
    """
    return [listener for listener in living() if listener.is_running or listener.starts_by_itself]


def _left(deadline: float | None) -> float | None:
    """Return how many seconds are left."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
