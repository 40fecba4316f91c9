"""Feed: what queue handlers, and the log calls of accelerated loggers, ask of their listener."""

from __future__ import annotations

import logging
import queue as _queue
import time
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any

from .._shared.fork import settle as settle_fork
from .bounds import Bounds
from .brake import Brake
from .dispatch import Dispatcher
from .life import Life, Run
from .process import exit_has_come, threads_run
from .queue_handlers import QueueHandlers
from .sigterm import deliver_at_sigterm

__all__ = ["Feed"]

# While the thread ends and has more than so many records left, a log call takes so long (seconds).
CROWD = 1000
SLOW_CALL = 0.005
# dictConfig() closes all handlers there are. One that still gets records so long (seconds) after that is in use, and
# its listener starts again, as a FileHandler opens its file again; before, some call may just have been under way.
STRAGGLING = 1.0


class Feed:
    """The part of a QueueListener that its queue handlers call."""

    if TYPE_CHECKING:
        queue: Any
        exit_timeout: float

        @property
        def is_running(self) -> bool: ...

        delivering_thread: int
        _brake: Brake
        _dispatcher: Dispatcher
        _life: Life
        _queue_handlers: QueueHandlers

        def deliver(self, timeout: float) -> None: ...
        def _end(self, timeout: float | None) -> int: ...
        def _start_thread(self, run: Run) -> None: ...

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
            self._start_thread(run)
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
        accounts = self._dispatcher.accounts
        if isinstance(error, _queue.Full):
            self._dispatcher.overflow.count_refused(levelno)
            return True
        accounts.put_failures.add()
        return False
