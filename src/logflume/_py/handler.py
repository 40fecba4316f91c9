"""Pure twin of the compiled handler room: a record goes from handle() into the queue."""

from __future__ import annotations

import logging

from .listener import RUNNING, ListenerCore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What logging.Handler.handle calls: a class that overrides one of these gets the standard handle().
STANDARD_METHODS = ("filter", "acquire", "release", "emit", "enqueue", "prepare", "handleError")
_standard_methods: dict[str, Any] = {}
_standard_handle = logging.Handler.handle
_LogRecord = logging.LogRecord


def set_standard_methods(cls: type) -> None:
    """Take the methods that `cls` has now as the ones whose overriding counts."""
    for name in STANDARD_METHODS:
        _standard_methods[name] = getattr(cls, name)


class HandlerCore:
    """First base of LocalQueueHandler: its handle(), and the attributes that handle() reads."""

    _queue: Any = None
    _put: Any = None
    _listener: Any = None
    _core: Any = None  # the listener, if it is ours
    _route: Any = None
    _overrides = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._overrides = any(getattr(cls, name) is not method for name, method in _standard_methods.items())

    @property
    def queue(self) -> Any:
        return self._queue

    @queue.setter
    def queue(self, queue: Any) -> None:
        put = getattr(queue, "put_nowait", None)
        if not callable(put):
            raise TypeError(
                f"a queue needs a put_nowait() method, and {type(queue).__name__!r} has none; "
                "give a queue.SimpleQueue, or none to get one"
            )
        self._queue = queue
        self._put = put

    @property
    def listener(self) -> Any:
        return self._listener

    @listener.setter
    def listener(self, listener: Any) -> None:
        self._listener = listener = self._listened_by(listener)
        self._core = listener if isinstance(listener, ListenerCore) else None

    def _listened_by(self, listener: Any) -> Any:
        return listener

    def handle(self, record: logging.LogRecord) -> Any:
        """Enqueue `record` if the filters let it pass.

        Returns what logging.Handler.handle returns on this Python. No lock is taken: SimpleQueue needs none.
        """
        if self._overrides:
            handled = _standard_handle(self, record)  # type: ignore[arg-type]
            core = self._core
            if core is not None and core.state != RUNNING:
                core._attend()
            return handled
        # Natural look-ups from here on, so that a method patched later or on the instance is honoured.
        passed = self.filter(record)  # type: ignore[attr-defined]
        if passed:
            self.emit(passed if isinstance(passed, _LogRecord) else record)  # type: ignore[attr-defined]
        return passed
