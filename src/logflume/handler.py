"""LocalQueueHandler: puts records into a queue of this process, as they are."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable
from threading import get_ident

from ._backend import HandlerCore, context_for, set_standard_methods
from ._shared.contexts import keep_context
from ._shared.state import RUNNING
from .listener import QueueListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Context
    from typing import Any

__all__ = ["LocalQueueHandler"]


class LocalQueueHandler(HandlerCore, logging.handlers.QueueHandler):
    """A logging.handlers.QueueHandler for a queue that stays in this process.

    `queue` is any object with put_nowait(), by default a new queue.SimpleQueue; or something that makes one, the
    dotted name of either, or a dictionary with "()", as in dictConfig. Anything else is a TypeError.
    Records are enqueued as they are: the standard prepare() is for records that leave the process.
    handle() takes no lock, and never raises for what goes wrong in emit(): that goes to handleError().

    `handlers`, `listener` and `respect_handler_level` are the keys that dictConfig has for queue handlers
    from Python 3.12 on. Given here, they do the same on every Python, and in fileConfig::

        "queue": {"()": "logflume.LocalQueueHandler", "handlers": ["file"], "respect_handler_level": true}

    `handlers` are names of configured handlers, or handlers; a name that is not configured is a ValueError.
    `listener` is a listener class, QueueListener by default, or its dotted name.

    The attribute `listener` is None, or what takes the records out of the queue. A logflume.QueueListener
    that hangs there starts by itself at the first record, also in a forked child, and again if records come long
    after close(); when it is stopped its handlers are called directly.
    """

    def __init__(
        self,
        queue: Any = None,
        *,
        handlers: Iterable[logging.Handler | str] | None = None,
        listener: type[logging.handlers.QueueListener] | str | None = None,
        respect_handler_level: bool = False,
    ) -> None:
        if isinstance(queue, str):
            queue = _resolve(queue)
        if isinstance(queue, dict) and "()" in queue:
            queue = _configurator().configure_custom(dict(queue))
        elif isinstance(queue, type) or (callable(queue) and not hasattr(queue, "put_nowait")):
            queue = queue()
        super().__init__(_queue.SimpleQueue() if queue is None else queue)
        self.listener = None  # as the standard class has it from 3.12
        if handlers is not None or listener is not None:
            make = _resolve(listener) if isinstance(listener, str) else listener or QueueListener
            self.listener = make(self.queue, respect_handler_level=respect_handler_level)
            self._give_handlers(self.listener, handlers or ())

    def _listened_by(self, listener: Any) -> Any:
        """Return what to keep for `handler.listener = listener`, and have ours know this handler."""
        # dictConfig makes a standard listener when the configuration names none; nobody starts that.
        if type(listener) is logging.handlers.QueueListener and listener._thread is None:
            listener = QueueListener(
                self.queue, *listener.handlers, respect_handler_level=listener.respect_handler_level
            )
        if isinstance(listener, QueueListener):
            listener.add_queue_handler(self)
        return listener

    def _give_handlers(self, listener: Any, handlers: Iterable[logging.Handler | str]) -> None:
        """Give `listener` its handlers, or a way to them: dictConfig may come to configure them later."""
        # dictConfig's own lists know the configuration, whose names turn into handlers one after the other.
        configurator = getattr(handlers, "configurator", None)
        known: Any = configurator.config["handlers"] if configurator else logging._handlers  # type: ignore[attr-defined]
        handlers = tuple(handlers)
        for name in handlers:
            if isinstance(name, str) and name not in known:
                raise ValueError(
                    f"no handler {name!r} is configured; in fileConfig, list it before the queue handler"
                )

        def look_up() -> tuple[logging.Handler, ...]:
            found = (known[handler] if isinstance(handler, str) else handler for handler in handlers)
            return tuple(handler for handler in found if isinstance(handler, logging.Handler))

        listener.handlers = look_up()
        if len(listener.handlers) < len(handlers):
            listener.defer_handlers(look_up)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put `record` into the queue, without waiting; raises what the queue's put_nowait() raises."""
        item: Any = record
        if (context := context_for(record)) is not None:
            item = self._with_context(record, context)
        elif self.targets is not None:
            item = (self.targets, record)
        self._put(item)

    def _with_context(self, record: logging.LogRecord, context: Context) -> Any:
        """Return what to enqueue for `record`, so that the listener gets `context` with it."""
        core = self._core
        if self.targets is not None or (
            core is not None
            and type(self.queue) is _queue.SimpleQueue
            and type(core).dequeue is QueueListener.dequeue
        ):
            return self.targets, record, context
        keep_context(record, self.queue, context)  # others may take the records from this queue
        return record

    def emit(self, record: logging.LogRecord) -> None:
        """Enqueue `record`; an exception goes to handleError().

        What a handler of the listener logs while it handles a record is handled at once instead.
        """
        core = self._core
        if core is not None and core.delivering_thread == get_ident():
            core.take_nested(record if self.targets is None else (self.targets, record))
            return
        try:
            self.enqueue(self.prepare(record))
        except Exception:
            self.handleError(record)
        if core is None:
            return
        if core.state != RUNNING:
            core.ensure_delivery()
        if isinstance(level := getattr(record, "levelno", 0), int) and level >= core.flush_level:
            core.flush_soon()

    def flush(self) -> None:
        """Return when the listener has handled what was enqueued so far, or after its exit_timeout."""
        core = self._core
        if core is not None:
            core.flush(core.exit_timeout)

    def close(self) -> None:
        """Deliver what was enqueued; the last handler to close stops its listener.

        Waits for its exit_timeout at most, and not for a lock that the calling thread holds.
        """
        super().close()
        core = self._core
        if core is not None:
            core.close_queue_handler(self)


def _configurator() -> Any:
    from logging.config import BaseConfigurator

    return BaseConfigurator({})


def _resolve(name: str) -> Any:
    return _configurator().resolve(name)


set_standard_methods(LocalQueueHandler)
