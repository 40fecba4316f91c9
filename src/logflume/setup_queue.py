"""setup_logging_queue(): moves handlers behind a queue, and back."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable
from threading import get_ident

from ._delivery.caught import stop_intercepting
from ._listener import settings
from ._listener.bounds import OverflowPolicy
from ._listener.errors import OnError
from ._listener.process import exit_has_come
from ._shared.moved import HandlerList, MovedHandlers, Targets, guard, unguard
from .accelerate import accelerate_loggers, loggers_accelerated, restore_loggers
from .handler import LocalQueueHandler
from .listener import QueueListener

_Direct = Iterable[logging.Handler | type[logging.Handler]]

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
    flush_level: int | str = logging.CRITICAL,
    capacity: int | None = None,
    overflow: OverflowPolicy = "drop_newest",
    block_timeout: float = 1.0,
    keep_level: int | str = logging.ERROR,
    warn_at: int | None = 1_000_000,
) -> QueueListener:
    """Move the handlers of loggers behind one queue, and return the started listener.

    In the place of its handlers each logger gets one LocalQueueHandler. A record is handled by the handlers that would
    have handled it, in the order of the log calls. Queue handlers stay where they are, and so do NullHandlers, handlers
    added later, and those with which pytest's caplog, unittest's assertLogs and testfixtures' LogCapture collect
    records.

    The levels and filters of the moved handlers are asked in the log call, as before the move, so that a filter can
    attach what belongs to the call.

    A second call for the same loggers moves what was added to them meanwhile, and returns the listener that runs, with
    the options that it has. Of blocks in each other the end of the outermost one stops it.

    A UserWarning tells of a call that moves nothing: no handler is configured yet, there is no logger of that name, or
    it is the second call. If `loggers` are not given, another tells of loggers whose handlers stay in the log call.

    Args:
        *loggers: loggers, or their names, whose handlers move; without them, the root logger
        all_loggers: moves the handlers of every logger that has handlers now, as servers hang their own on loggers that
            do not propagate
        direct: handlers, or classes of handlers, that stay attached: they depend on the thread or on the event loop of
            the log call
        filter_in_call: False has the listener's thread call the filters, where costly ones do not hold up the caller
        accelerate: calls accelerate_loggers() too, and stop() calls restore_loggers() if it was not in effect before
        respect_handler_level: as for QueueListener, and so are the options after it

    Returns:
        The listener. Its stop() puts the handlers back in their places; so does the end of a `with` or `async with`
        block.

    Raises:
        TypeError, ValueError: if one of these is of the wrong kind; with its name, and what it takes
    """
    unknown = _unknown_names(loggers)
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
        flush_level=flush_level,
        capacity=capacity,
        overflow=overflow,
        block_timeout=block_timeout,
        keep_level=keep_level,
        warn_at=warn_at,
    )
    listener._filters_in_call = filter_in_call
    direct = _as_direct(direct)
    moves = [_Move(logger, direct) for logger in dict.fromkeys(chosen)]
    running = next(filter(None, map(_listener_behind, chosen)), None)
    if running is not None:
        listener = running
        if not any(move.movable for move in moves):
            settings.warn("setup_logging_queue() was called before for these loggers; returned the listener that runs")
    else:
        _warn_of_names(unknown, moves, direct)
        if not loggers and not all_loggers:
            _warn_of_others(moves, direct)
    listener.move([move for move in moves if move.movable])
    if running is None and listener.handlers:  # else it starts with the first record
        listener.start()
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
        logger for logger in [logging.getLogger(), *known] if isinstance(logger, logging.Logger) and logger.handlers
    ]


def _listener_behind(logger: logging.Logger) -> _MovedHandlersListener | None:
    """Return the listener to which an earlier call moved handlers of `logger`, and that still has them."""
    listeners = (handler.listener for handler in logger.handlers if isinstance(handler, LocalQueueHandler))
    return next((found for found in listeners if isinstance(found, _MovedHandlersListener)), None)


def _unknown_names(loggers: Iterable[object]) -> list[str]:
    known = logging.Logger.manager.loggerDict
    return [name for name in loggers if isinstance(name, str) and name not in ("", "root", *known)]


def _warn_of_names(unknown: list[str], moves: list[_Move], direct: _Direct) -> None:
    """Warn of a call that moves nothing for lack of handlers, and of a name that is nearly that of another logger."""
    moves_nothing = all(isinstance(handler, logging.NullHandler) for move in moves for handler in move.before)
    names = [logger.name for logger in _loggers_with_handlers() if _Move(logger, direct).movable]
    if moves_nothing:
        names += [name for name in logging.Logger.manager.loggerDict if name not in unknown]
    for name in unknown:
        from difflib import get_close_matches

        close = get_close_matches(name, names, 1)
        if close and not any(move.logger.name == close[0] for move in moves):
            settings.warn(f"there is no logger named {name!r}; did you mean {close[0]!r}?")
            return
    if moves_nothing:
        named = f", and there is no logger named {unknown[0]!r}" if unknown else ""
        settings.warn(
            f"setup_logging_queue() moved nothing: these loggers have no handlers yet{named}; "
            "call it after logging is configured"
        )


def _warn_of_others(moves: list[_Move], direct: _Direct) -> None:
    """Warn of loggers, as those of a server, with which records do not come to the loggers of `moves`."""
    chosen = [move.logger for move in moves]
    others = [
        repr(logger.name)
        for logger in _loggers_with_handlers()
        if not logger.propagate and logger not in chosen and _Move(logger, direct).movable
    ]
    if others:
        settings.warn(
            f"the handlers of {', '.join(others)} still run in the log call; "
            "give all_loggers=True, or name the loggers whose handlers are to move"
        )


def _is_above(logger: logging.Logger, other: logging.Logger) -> bool:
    """Return whether records of `other` propagate to `logger`, as long as no logger in between keeps them."""
    above = other.parent
    while above is not None and above is not logger:
        above = above.parent
    return above is not None


def _as_direct(direct: object) -> _Direct:
    chosen = tuple(direct) if isinstance(direct, Iterable) else (direct,)
    for each in chosen:
        if not isinstance(each, logging.Handler) and not (isinstance(each, type) and issubclass(each, logging.Handler)):
            raise TypeError(f"direct takes handlers or their classes, not {each!r}")
    return chosen


def _is_among(handler: logging.Handler, direct: _Direct) -> bool:
    return any(isinstance(handler, each) if isinstance(each, type) else handler is each for each in direct)


# Modules whose handlers collect records, which a test reads right after the call.
_COLLECTORS = ("_pytest.logging", "unittest._log", "testfixtures.logcapture")


def _is_movable(handler: logging.Handler) -> bool:
    """Return whether `handler` gains from a queue: not if it is one or does nothing, nor if a test reads it."""
    collects_for_test = type(handler).__module__ in _COLLECTORS
    is_one_or_none = isinstance(handler, (logging.handlers.QueueHandler, logging.NullHandler))
    return not is_one_or_none and not collects_for_test


class _Move:
    """The handlers of one logger, and the queue handler in their place."""

    def __init__(self, logger: logging.Logger, direct: _Direct) -> None:
        self.logger = logger
        self.before = tuple(logger.handlers)
        self.movable = tuple(h for h in self.before if _is_movable(h) and not _is_among(h, direct))

    def include(self, earlier: _Move) -> None:
        """Stand for what `earlier` moved from the same logger, too."""
        place = self.before.index(earlier.queue_handler)
        moved = [handler for handler in earlier.before if handler in earlier.moved.handlers]
        self.before = (*self.before[:place], *moved, *self.before[place + 1 :])
        self.movable = tuple(h for h in self.before if h in moved or h in self.movable)

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
    _for_all: Targets | None = None  # of records without targets, if these are not for all handlers
    _filters_in_call = True
    _restores_loggers = False
    _blocks = 0  # `with` blocks, one in the other: the end of the outermost one stops it

    def move(self, moves: list[_Move]) -> None:
        """Take the handlers of `moves`, and put queue handlers in their places."""
        are_all = not self._moves and len(moves) == 1
        if self._moves and moves:
            self._expect_others()
        with logging._lock:  # type: ignore[attr-defined]
            self._take(moves, are_all)

    def _expect_others(self) -> None:
        """Have the records of the loggers whose handlers are here go through the queue with targets."""
        for move in self._moves:
            if move.moved.are_all:
                # A log call that began before may enqueue its record without targets afterwards.
                self._for_all = Targets(move.moved.handlers, True)
            move.moved.are_all = False
            move.queue_handler.moved = move.moved
        self.deliver(self.exit_timeout)

    def _take(self, moves: list[_Move], are_all: bool) -> None:
        for earlier in self._moves:
            for move in moves:
                if move.logger is earlier.logger and earlier.queue_handler in move.before:
                    move.include(earlier)
        replaced = [move.logger for move in moves]
        self._moves = (*(move for move in self._moves if move.logger not in replaced), *moves)
        known = self._all_moved
        self._all_moved = tuple(dict.fromkeys(h for move in self._moves for h in move.movable))
        self.handlers = (*self.handlers, *(h for h in self._all_moved if h not in known))
        for move in moves:
            queue_handler = LocalQueueHandler(self.queue)
            moved = MovedHandlers(
                move.movable,
                queue_handler,
                self.respect_handler_level,
                self._filters_in_call,
                self,
            )
            # One queue for all keeps the order of the calls; targets beside the records tell whose handlers are meant.
            moved.are_all = are_all
            moved.has_added = any(handler not in self._all_moved for handler in self.handlers)
            queue_handler.listener = self
            move.replace(queue_handler, moved)
        for move in self._moves:
            move.moved.after = tuple(other.moved for other in self._moves if _is_above(other.logger, move.logger))
        for handler in self._all_moved:
            guard(handler, self)

    def _set_handlers(self, handlers: tuple[logging.Handler, ...]) -> None:
        super()._set_handlers(handlers)
        for move in self._moves:
            move.moved.has_added = any(handler not in self._all_moved for handler in handlers)
            move.queue_handler.moved = move.moved

    def deliver_before_change(self) -> None:
        """Deliver what was logged before a program changes, flushes or closes a moved handler itself."""
        if self.is_running and not exit_has_come():
            self.deliver(self.exit_timeout)

    def handlers_for(self, targets: Targets | None) -> tuple[logging.Handler, ...]:
        """Return the handlers that a record with `targets`, or None, is for."""
        targets = targets or self._for_all
        return self.handlers if targets is None else targets.among(self._all_moved, self.handlers)

    def was_asked(self, handler: logging.Handler) -> bool:
        """Return whether the level and the filters of `handler` were asked in the log call."""
        return self._filters_in_call and handler in self._all_moved

    def stop(self, timeout: float | None = None) -> int:  # type: ignore[override]
        """As QueueListener.stop(); then put the handlers back where they were, in their order.

        Not on loggers from which the queue handler was removed meanwhile, by basicConfig(force=True) say. If `timeout`
        ran out, the next stop() does so: a handler that is at work has its lock, for which a log call would wait.
        """
        if self._restores_loggers:
            self._restores_loggers = False
            restore_loggers()
        left = super().stop(timeout)
        if self.is_running and self.delivering_thread != get_ident():
            return left
        with logging._lock:  # type: ignore[attr-defined]
            for move in self._moves:
                move.put_back(self.handlers)
            self._moves = ()
        for handler in self._all_moved:
            unguard(handler, self)
            stop_intercepting(handler)
        return left

    def __enter__(self) -> QueueListener:
        self._blocks += 1
        return super().__enter__()

    def _leave_block(self) -> None:
        self._blocks -= 1
        if self._blocks > 0:
            self.flush(self.exit_timeout)
        else:
            super()._leave_block()

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver, and close the handlers behind `handler`, as they would have been closed in its place."""
        super().close_queue_handler(handler)
        for move in self._moves:
            if move.queue_handler is handler:
                for moved in move.movable:
                    moved.close()
