"""setup_logging_queue(): moves handlers behind a queue, and back."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable

from ._listener.process import exit_has_come
from ._listener.sigterm import deliver_at_sigterm, leave_sigterm_alone
from ._shared.moved import HandlerList, MovedHandlers, Targets, guard, unguard
from ._shared.state import RUNNING
from .accelerate import accelerate_loggers, loggers_accelerated, restore_loggers
from .handler import LocalQueueHandler
from .listener import QueueListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._listener.bounds import OverflowPolicy
    from ._listener.errors import OnError

__all__ = ["setup_logging_queue"]


def setup_logging_queue(
    *loggers: logging.Logger | str,
    all_loggers: bool = False,
    respect_handler_level: bool = True,
    direct: Iterable[logging.Handler | type[logging.Handler]] = (),
    filter_in_call: bool = True,
    accelerate: bool = False,
    on_error: OnError | None = None,
    exit_timeout: float = 10.0,
    capacity: int | None = None,
    overflow: OverflowPolicy = "drop_newest",
    block_timeout: float = 1.0,
    keep_level: int | str = logging.ERROR,
    warn_at: int | None = 1_000_000,
) -> QueueListener:
    """Move the handlers of `loggers` behind one queue, and return the started listener.

    `loggers` are loggers or their names; none means the root logger. With `all_loggers` it is every logger
    that has handlers now, as servers hang their own on loggers that do not propagate.

    In the place of its handlers each logger gets one LocalQueueHandler. A record is handled by the handlers
    that would have handled it, in the order of the log calls. Handlers that are queue handlers already stay
    where they are, and so do NullHandlers, handlers added later, and those with which pytest's caplog and unittest's
    assertLogs collect records; and those of `direct`: handlers, or classes of handlers, which depend on the thread or
    on the event loop of the log call. A logger without handlers to move is left alone.

    The levels and filters of the moved handlers are asked in the log call, as before the move, so that a filter can
    attach what belongs to the call. With `filter_in_call=False` the filters run on the listener's thread, where costly
    ones do not hold up the caller.

    Called in the main thread while SIGTERM has its default action, which would end the process with records in the
    queue, it has them delivered first; not in children of fork and multiprocessing.

    The listener's stop() puts the handlers back in their places; so does leaving a `with` or `async with`
    block. `respect_handler_level`, `on_error`, `exit_timeout`, `capacity`, `overflow`, `block_timeout`, `keep_level`
    and `warn_at` are as for QueueListener.

    With `accelerate`, accelerate_loggers() is called too, and restore_loggers() by stop() if it was not in effect
    before.

    TypeError if one of `loggers` is neither a logger nor a name, or one of `direct` neither a handler nor a class of
    handlers. The attribute `flush_level` of the listener is as for QueueListener.
    """
    chosen = [_logger(logger) for logger in loggers]
    if all_loggers:
        chosen += _loggers_with_handlers()
    elif not loggers:
        chosen = [logging.getLogger()]
    listener = _MovedHandlersListener(
        _queue.SimpleQueue(),
        respect_handler_level=respect_handler_level,
        on_error=on_error,
        exit_timeout=exit_timeout,
        capacity=capacity,
        overflow=overflow,
        block_timeout=block_timeout,
        keep_level=keep_level,
        warn_at=warn_at,
    )
    with logging._lock:  # type: ignore[attr-defined]
        listener.move([_Move(logger, _as_direct(direct)) for logger in dict.fromkeys(chosen)], filter_in_call)
    if listener.handlers:  # else it starts with the first record
        listener.start()
        deliver_at_sigterm(listener)
    if accelerate and not loggers_accelerated():
        listener._restores_loggers = accelerate_loggers()
    return listener


def _logger(logger: logging.Logger | str) -> logging.Logger:
    if isinstance(logger, str):
        return logging.getLogger(logger)
    if isinstance(logger, logging.Logger):
        return logger
    raise TypeError(f"setup_logging_queue() takes loggers or their names, not {logger!r}")


def _loggers_with_handlers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [
        logger
        for logger in [logging.getLogger(), *known]
        if isinstance(logger, logging.Logger) and logger.handlers
    ]


def _as_direct(direct: object) -> tuple[logging.Handler | type[logging.Handler], ...]:
    chosen = tuple(direct) if isinstance(direct, Iterable) else (direct,)
    for each in chosen:
        if not isinstance(each, logging.Handler) and not (
            isinstance(each, type) and issubclass(each, logging.Handler)
        ):
            raise TypeError(f"direct takes handlers or their classes, not {each!r}")
    return chosen


def _is_among(handler: logging.Handler, direct: Iterable[logging.Handler | type[logging.Handler]]) -> bool:
    return any(isinstance(handler, each) if isinstance(each, type) else handler is each for each in direct)


def _is_movable(handler: logging.Handler) -> bool:
    """Return whether `handler` gains from a queue: not if it is one or does nothing, nor if a test reads it."""
    collects_for_test = type(handler).__module__ in ("_pytest.logging", "unittest._log")
    is_one_or_none = isinstance(handler, (logging.handlers.QueueHandler, logging.NullHandler))
    return not is_one_or_none and not collects_for_test


class _Move:
    """The handlers of one logger, and the queue handler in their place."""

    def __init__(
        self, logger: logging.Logger, direct: Iterable[logging.Handler | type[logging.Handler]]
    ) -> None:
        self.logger = logger
        self.before = tuple(logger.handlers)
        self.movable = tuple(h for h in self.before if _is_movable(h) and not _is_among(h, direct))

    def replace(self, queue_handler: LocalQueueHandler, moved: MovedHandlers) -> None:
        """Put `queue_handler` where the first moved handler is; logging's module lock is held."""
        self.queue_handler = queue_handler
        self.moved = queue_handler.moved = moved
        place = self.before.index(self.movable[0])
        kept = [h for h in self.before if h not in self.movable]
        # A new list: threads that are calling handlers go on over the old one, and meet each handler once.
        self.logger.handlers = HandlerList([*kept[:place], queue_handler, *kept[place:]], moved)

    def put_back(self, handlers: Iterable[logging.Handler]) -> None:
        """Undo replace() for those of `handlers` that were moved, unless the queue handler was removed."""
        now = list(self.logger.handlers)
        if self.queue_handler not in now:
            return
        place = now.index(self.queue_handler)
        del now[place]
        for handler in self.before:
            if handler in self.moved.handlers and handler in handlers and handler not in now:
                now.insert(place, handler)
            if handler in now:
                place = now.index(handler) + 1
        self.logger.handlers = now


class _MovedHandlersListener(QueueListener):
    """A listener whose handlers came from loggers, and go back there at stop()."""

    _moves: tuple[_Move, ...] = ()
    _all_moved: tuple[logging.Handler, ...] = ()
    _filters_in_call = True
    _restores_loggers = False

    def move(self, moves: Iterable[_Move], filter_in_call: bool) -> None:
        """Take the handlers of `moves`, and put queue handlers in their places."""
        self._moves = tuple(move for move in moves if move.movable)
        self._filters_in_call = filter_in_call
        self._all_moved = tuple(dict.fromkeys(h for move in self._moves for h in move.movable))
        self.handlers = self._all_moved
        for move in self._moves:
            queue_handler = LocalQueueHandler(self.queue)
            moved = MovedHandlers(
                move.movable, queue_handler, self.respect_handler_level, filter_in_call, self.report_error
            )
            # One queue for all keeps the order of the calls; targets beside the records tell whose handlers are meant.
            moved.are_all = len(self._moves) == 1
            queue_handler.listener = self
            move.replace(queue_handler, moved)
        for handler in self._all_moved:
            guard(handler, self._deliver_before_change)

    def _set_handlers(self, handlers: tuple[logging.Handler, ...]) -> None:
        super()._set_handlers(handlers)
        for move in self._moves:
            move.moved.has_added = any(handler not in self._all_moved for handler in handlers)
            move.queue_handler.moved = move.moved

    def _deliver_before_change(self) -> None:
        """Deliver what was logged before a program changes or closes a moved handler itself."""
        if self.state == RUNNING and not exit_has_come():
            self.flush(self.exit_timeout)

    def handlers_for(self, targets: Targets) -> tuple[logging.Handler, ...]:
        """Return the handlers that a record with `targets` is for."""
        return targets.among(self._all_moved, self.handlers)

    def was_asked(self, handler: logging.Handler) -> bool:
        """Return whether the level and the filters of `handler` were asked in the log call."""
        return self._filters_in_call and handler in self._all_moved

    def stop(self, timeout: float | None = None) -> int:  # type: ignore[override]
        """As QueueListener.stop(); then put the handlers back where they were, in their order.

        Not on loggers from which the queue handler was removed meanwhile, by basicConfig(force=True) say.
        """
        if self._restores_loggers:
            self._restores_loggers = False
            restore_loggers()
        left = super().stop(timeout)
        leave_sigterm_alone(self)
        with logging._lock:  # type: ignore[attr-defined]
            for move in self._moves:
                move.put_back(self.handlers)
            self._moves = ()
        for handler in self._all_moved:
            unguard(handler)
        return left

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver, and close the handlers behind `handler`, as they would have been closed in its place."""
        super().close_queue_handler(handler)
        for move in self._moves:
            if move.queue_handler is handler:
                for moved in move.movable:
                    moved.close()
