"""LocalQueueHandler: what it is made from, and how it ends. How it handles a record is in HandlerCore."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable

from ._backend import HandlerCore, set_unpatched_methods
from ._listener.bounds import Bounds, not_default
from .listener import QueueListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._listener.bounds import OverflowPolicy

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
    `capacity`, `overflow`, `block_timeout`, `keep_level` and `warn_at` are those of QueueListener, for the listener
    that is made here or assigned later; a TypeError if that is not one of logflume's.

    The attribute `listener` is None, or what takes the records out of the queue. If that is a
    logflume.QueueListener it starts by itself at the first record, also in a forked child, and again if records come
    long after close(); when it is stopped its handlers are called directly.
    """

    def __init__(
        self,
        queue: Any = None,
        *,
        handlers: Iterable[logging.Handler | str] | None = None,
        listener: type[logging.handlers.QueueListener] | str | None = None,
        respect_handler_level: bool = False,
        capacity: int | None = None,
        overflow: OverflowPolicy = "drop_newest",
        block_timeout: float = 1.0,
        keep_level: int | str = logging.ERROR,
        warn_at: int | None = 1_000_000,
    ) -> None:
        self._bounds = not_default(
            capacity=capacity,
            overflow=overflow,
            block_timeout=block_timeout,
            keep_level=keep_level,
            warn_at=warn_at,
        )
        Bounds(**self._bounds)
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
        """Return what to store for `handler.listener = listener`, and add this handler to it if it is one of ours."""
        # dictConfig makes a standard listener when the configuration names none, and does not start it.
        if type(listener) is logging.handlers.QueueListener and listener._thread is None:
            listener = QueueListener(
                self.queue, *listener.handlers, respect_handler_level=listener.respect_handler_level
            )
        bounds = self.__dict__.get("_bounds")
        if isinstance(listener, QueueListener):
            if bounds:
                listener.bound(**bounds)
            listener.add_queue_handler(self)
        elif bounds and listener is not None:
            raise TypeError(
                f"{' and '.join(bounds)}: only a logflume.QueueListener bounds its queue, not {listener!r}"
            )
        return listener

    def _give_handlers(self, listener: Any, handlers: Iterable[logging.Handler | str]) -> None:
        """Give `listener` its handlers, or a function that finds them: dictConfig may configure them later."""
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
        if len(listener.handlers) < len(handlers) and isinstance(listener, QueueListener):
            listener.defer_handlers(look_up)

    # Here too, where tools that patch methods of a class find them.
    emit = HandlerCore.emit
    enqueue = HandlerCore.enqueue

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


set_unpatched_methods(LocalQueueHandler)
