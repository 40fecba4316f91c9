"""LocalQueueHandler: what it is made from, and how it ends. How it handles a record is in HandlerCore."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from collections.abc import Iterable
from typing import Any

from ._backend import HandlerCore, set_unpatched_methods
from ._listener import settings
from ._listener.bounds import Bounds
from ._listener.process import living
from ._shared.queues import leaves_process
from ._shared.state import MOST_UNREAD
from .listener import QueueListener

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
    `listener` is a listener class, QueueListener by default, or its dotted name. `options` are those of
    logflume.QueueListener, as `capacity`, `exit_timeout` and `on_error`, which may be a dotted name. They go to the
    listener that is made here, or assigned later.

    The attribute `listener` is None, or what takes the records out of the queue. If that is a
    logflume.QueueListener it starts by itself at the first record, also in a forked child, and again if records come
    long after close(); when it is stopped its handlers are called directly.
    """

    _options: dict[str, Any] = {}  # noqa: RUF012 - for the listener, by the names of its attributes

    def __init__(
        self,
        queue: Any = None,
        *,
        handlers: Iterable[logging.Handler | str] | None = None,
        listener: type[logging.handlers.QueueListener] | str | None = None,
        respect_handler_level: bool = False,
        **options: Any,
    ) -> None:
        if isinstance(queue, str):
            queue = _resolve(queue)
        if isinstance(queue, dict) and "()" in queue:
            queue = _configurator().configure_custom(dict(queue))
        elif isinstance(queue, type) or (callable(queue) and not hasattr(queue, "put_nowait")):
            queue = queue()
        super().__init__(_queue.SimpleQueue() if queue is None else queue)
        self._options = _checked(options)
        if handlers is not None or listener is not None:
            make = _resolve(listener) if isinstance(listener, str) else listener or QueueListener
            make = settings.listener_class(make, "listener")
            settings.handlers(handlers or (), "handlers")
            self.listener = make(self.queue, respect_handler_level=respect_handler_level)
            self._give_handlers(self.listener, handlers or ())

    def _listened_by(self, listener: Any) -> Any:
        """Return what to store for `handler.listener = listener`, and add this handler to it if it is one of ours."""
        if isinstance(listener, type):
            raise TypeError(f"the attribute listener takes a listener, not the class {listener.__name__}")
        # dictConfig makes a standard listener when the configuration names none, and does not start it.
        if type(listener) is logging.handlers.QueueListener and listener._thread is None:
            listener = QueueListener(
                self.queue, *listener.handlers, respect_handler_level=listener.respect_handler_level
            )
        if isinstance(listener, QueueListener):
            listener.add_queue_handler(self)
            bounds = {name: self._options[name] for name in vars(Bounds()).keys() & self._options.keys()}
            if bounds:
                listener.bound(**bounds)
            for name in self._options.keys() - bounds.keys():
                setattr(listener, name, self._options[name])
        elif listener is not None and self._options:
            raise TypeError(f"{', '.join(self._options)}: only for a logflume.QueueListener, not {listener!r}")
        return listener

    def _give_handlers(self, listener: Any, handlers: Iterable[logging.Handler | str]) -> None:
        """Give `listener` its handlers, or a function that finds them: dictConfig may configure them later."""
        # dictConfig's own lists know the configuration, whose names turn into handlers one after the other.
        configurator = getattr(handlers, "configurator", None)
        known: Any = configurator.config["handlers"] if configurator else logging._handlers  # type: ignore[attr-defined]
        handlers = tuple(handlers)
        for name in handlers:
            if isinstance(name, str) and name not in known:
                raise ValueError(f"no handler {name!r} is configured; in fileConfig, list it before the queue handler")

        def look_up() -> tuple[logging.Handler, ...]:
            found = (known[handler] if isinstance(handler, str) else handler for handler in handlers)
            return tuple(handler for handler in found if isinstance(handler, logging.Handler))

        listener.handlers = look_up()
        if len(listener.handlers) < len(handlers) and isinstance(listener, QueueListener):
            listener.defer_handlers(look_up)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Set the formatter. It does nothing, and a warning tells so: the handlers behind the queue have their own."""
        if fmt is not None and _is_unused(self) and not _is_default(fmt):
            settings.warn("a formatter of a LocalQueueHandler does nothing; give it to the handlers behind the queue")
        super().setFormatter(fmt)

    def _warn_if_unread(self) -> None:
        """Warn if all records are still in the queue, and no listener that is known will take them."""
        try:
            queued = self.queue.qsize()
        except Exception:
            return
        if queued >= MOST_UNREAD and not any(other.reads(self.queue) for other in living()):
            try:
                settings.warn(
                    f"no listener has read the queue of a LocalQueueHandler, which got {MOST_UNREAD:,} records; "
                    "assign one: handler.listener = logflume.QueueListener(handler.queue, ...)"
                )
            except Warning as warning:  # an error by the user's wish, and a log call raises none
                self.handleError(logging.makeLogRecord({"msg": str(warning)}))

    def __copy__(self) -> LocalQueueHandler:
        """Return another handler with the same attributes, as copy.copy() does of any handler."""
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        for name in ("queue", "filters", "level", "moved", "listener"):  # the compiled core has them elsewhere
            setattr(other, name, getattr(self, name))
        return other

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


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """Return `options`, for the attributes of a QueueListener, with functions in the place of their names."""
    if not options:
        return options
    known = QueueListener.__init__.__kwdefaults__ or {}
    for name in options:
        if name not in known or name == "respect_handler_level":
            raise TypeError(f"LocalQueueHandler() has no option {name!r}; its listener's are {', '.join(known)}")
    on_error = options.get("on_error")
    if isinstance(on_error, str):
        options["on_error"] = _resolve(on_error)
    QueueListener(_queue.SimpleQueue(), **options)  # raises for what is wrong, before anything is set up
    return options


def _is_unused(handler: LocalQueueHandler) -> bool:
    """Whether `handler` does not format: nothing is overridden, and the records stay in the process."""
    names = ("prepare", "enqueue", "emit", "format")
    return not leaves_process(handler.queue) and all(
        getattr(type(handler), name) is getattr(LocalQueueHandler, name) and name not in vars(handler) for name in names
    )


def _is_default(formatter: Any) -> bool:
    """Whether basicConfig() made `formatter` without being asked for it."""
    formats = [default for _, default in logging._STYLES.values()]
    return getattr(formatter, "_fmt", None) in formats and getattr(formatter, "datefmt", None) is None


def _configurator() -> Any:
    from logging.config import BaseConfigurator

    return BaseConfigurator({})


def _resolve(name: str) -> Any:
    return _configurator().resolve(name)


set_unpatched_methods(LocalQueueHandler)
