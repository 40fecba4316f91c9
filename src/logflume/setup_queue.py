"""setup_logging_queue(): moves handlers behind a queue, and back."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable

from ._listener.sigterm import deliver_at_sigterm, leave_sigterm_alone
from .accelerate import accelerate_loggers, loggers_accelerated, restore_loggers
from .handler import LocalQueueHandler
from .listener import QueueListener, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .listener import OnError

__all__ = ["setup_logging_queue"]


def setup_logging_queue(
    *loggers: logging.Logger | str,
    all_loggers: bool = False,
    respect_handler_level: bool = True,
    accelerate: bool = False,
    on_error: OnError | None = None,
    exit_timeout: float = 10.0,
) -> QueueListener:
    """Move the handlers of `loggers` behind one queue, and return the started listener.

    `loggers` are loggers or their names; none means the root logger. With `all_loggers` it is every logger
    that has handlers now, as servers hang their own on loggers that do not propagate.

    In the place of its handlers each logger gets one LocalQueueHandler. A record is handled by the handlers
    that would have handled it, in the order of the log calls. Handlers that are queue handlers already stay
    where they are, and so do NullHandlers, handlers added later, and those with which pytest's caplog and unittest's
    assertLogs collect records. A logger without handlers to move is left alone.

    Called in the main thread while SIGTERM has its default action, which would end the process with records in the
    queue, it has them delivered first; not in children of fork and multiprocessing.

    The listener's stop() puts the handlers back in their places; so does leaving a `with` or `async with`
    block. `respect_handler_level`, `on_error` and `exit_timeout` are as for QueueListener.

    With `accelerate`, accelerate_loggers() is called too, and restore_loggers() by stop() if it was not in effect
    before.

    TypeError if one of `loggers` is neither a logger nor a name. The attribute `flush_level` of the listener is as for
    QueueListener.
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
    )
    with logging._lock:  # type: ignore[attr-defined]
        listener._move(dict.fromkeys(chosen))
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


def _is_movable(handler: logging.Handler) -> bool:
    """Return whether `handler` gains from a queue: not if it is one or does nothing, nor if a test reads it."""
    collects_for_test = type(handler).__module__ in ("_pytest.logging", "unittest._log")
    is_one_or_none = isinstance(handler, (logging.handlers.QueueHandler, logging.NullHandler))
    return not is_one_or_none and not collects_for_test


class _Move:
    """The handlers of one logger, and the queue handler in their place."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.before = tuple(logger.handlers)
        self.moved = tuple(h for h in self.before if _is_movable(h))

    def replace(self, handler: LocalQueueHandler) -> None:
        """Put `handler` where the first moved handler is; logging's module lock is held."""
        self.handler = handler
        place = self.before.index(self.moved[0])
        kept = [h for h in self.before if h not in self.moved]
        # A new list: threads that are calling handlers go on over the old one, and meet each handler once.
        self.logger.handlers = [*kept[:place], handler, *kept[place:]]

    def put_back(self, handlers: Iterable[logging.Handler]) -> None:
        """Undo replace() for those of `handlers` that were moved, unless somebody else took the queue handler out."""
        now = list(self.logger.handlers)
        if self.handler not in now:
            return
        place = now.index(self.handler)
        del now[place]
        for handler in self.before:
            if handler in self.moved and handler in handlers and handler not in now:
                now.insert(place, handler)
            if handler in now:
                place = now.index(handler) + 1
        self.logger.handlers = now


class _MovedHandlersListener(QueueListener):
    """A listener whose handlers came from loggers, and go back there at stop()."""

    _moves: list[_Move]
    _restores_loggers = False

    def _move(self, loggers: Iterable[logging.Logger]) -> None:
        self._moves = [move for logger in loggers if (move := _Move(logger)).moved]
        for move in self._moves:
            handler = LocalQueueHandler(self.queue)
            if len(self._moves) > 1:
                # One queue for all keeps the order of the calls; the route tells whose handlers are meant.
                handler._route = Route(move.moved)
                self._routes.append(handler._route)
            handler.listener = self
            move.replace(handler)
        self._set_handlers(tuple(dict.fromkeys(h for move in self._moves for h in move.moved)))

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
            self._moves = []
        return left

    def close_queue_handler(self, handler: logging.Handler) -> None:
        """Deliver, and close the handlers behind `handler`, as they would have been closed in its place."""
        super().close_queue_handler(handler)
        for move in self._moves:
            if move.handler is handler:
                for moved in move.moved:
                    moved.close()
