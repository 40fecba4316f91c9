"""Pure twin of the compiled handler module: a record goes from handle() into the queue."""

from __future__ import annotations

import logging
import logging.handlers
import queue as _queue
from typing import Any

from .._delivery.unpatched import needs_no_exception
from .._shared import fork
from .._shared.contexts import keep_context
from .._shared.queues import leaves_process
from .._shared.rendered import private_copy
from .._shared.state import MOST_UNREAD, RUNNING
from .batch import ListenerCore
from .context import current_context
from .exceptions import capture
from .record import CapturedRecord, snapshot

# What logging.Handler.handle calls: a class or handler that overrides one of these gets the standard handle().
CALLED_METHODS = ("filter", "acquire", "release", "emit", "enqueue", "prepare", "handleError")
_standard_handle = logging.Handler.handle
_standard_handle_error = logging.Handler.handleError
_standard_prepare = logging.handlers.QueueHandler.prepare
_LogRecord = logging.LogRecord
# As it is now, which a test may replace: each log call asks whether the process was forked in C.
getpid = fork.getpid


def set_unpatched_methods(cls: Any) -> None:
    """Take the methods that `cls` has now as the ones that handle() need not call."""
    HandlerCore._unpatched_methods = {name: getattr(cls, name) for name in CALLED_METHODS}


def _level_of(record: logging.LogRecord) -> int:
    """Return record.levelno, or 0 if that is no number."""
    level = getattr(record, "levelno", 0)
    return level if isinstance(level, int) else 0


class HandlerCore:
    """First base of LocalQueueHandler: what it does with a record, and the attributes that this needs.

    moved: the MovedHandlers that this one stands for, or None
    """

    _queue: Any
    _put: Any
    _leaves_process: bool  # the queue pickles what is put into it
    _listener: logging.handlers.QueueListener | None = None
    _core: Any = None  # a ListenerCore, which is a QueueListener, or None
    moved: Any = None
    _unwatched = 0  # records that were enqueued while there was no listener
    _overrides = False  # the class or the instance has one of CALLED_METHODS of its own
    _unpatched_methods: dict[str, Any] = {}  # noqa: RUF012

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._overrides = any(getattr(cls, name) is not method for name, method in cls._unpatched_methods.items())

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name in CALLED_METHODS:
            object.__setattr__(self, "_overrides", True)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in CALLED_METHODS and not any(method in self.__dict__ for method in CALLED_METHODS):
            object.__setattr__(self, "_overrides", type(self)._overrides)

    @property
    def queue(self) -> Any:
        """Where the records go: an object with put_nowait()."""
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
        self._leaves_process = leaves_process(queue)
        self._put = put

    @property
    def listener(self) -> logging.handlers.QueueListener | None:
        """What takes the records out of the queue, or None."""
        return self._listener

    @listener.setter
    def listener(self, listener: logging.handlers.QueueListener | None) -> None:
        self._listener = listener = self._listened_by(listener)
        self._core = listener if isinstance(listener, ListenerCore) else None

    def _listened_by(self, listener: Any) -> Any:
        return listener

    def _warn_if_unread(self) -> None: ...

    def handle(self, record: logging.LogRecord) -> Any:
        """Enqueue `record` if the filters let it pass.

        Returns what logging.Handler.handle returns on this Python. No lock is taken: SimpleQueue needs none.
        """
        if self._overrides:
            if getpid() != fork.process:
                fork.settle()
            handled = _standard_handle(self, record)  # type: ignore[arg-type]
            core = self._core
            if core is not None and core.state != RUNNING:
                core.ensure_delivery()
            return handled
        # Ordinary look-ups from here on, so that what is patched on a class later is honoured.
        passed = self.filter(record)  # type: ignore[attr-defined]
        if passed:
            if passed is not True and passed is not record and isinstance(passed, _LogRecord):
                record = passed
            self.emit(record)
        return passed

    @property
    def level(self) -> Any:
        """The level of this handler, or the lowest of the handlers behind it that were moved, if that is higher."""
        moved = self.__dict__.get("moved")
        level = self.__dict__["level"]
        return level if moved is None else max(level, moved.lowest_level())

    @level.setter
    def level(self, level: Any) -> None:
        self.__dict__["level"] = level

    def emit(self, record: logging.LogRecord) -> None:
        """Enqueue `record`; an exception goes to handleError().

        The levels and filters of moved handlers are asked first. A record that a handler of the listener logs while it
        handles one is handled at once.
        """
        if getpid() != fork.process:
            fork.settle()
        core, moved = self._core, self.moved
        if core is not None and core.delivers_here():
            core.take_nested(record, None if moved is None else moved.handlers)
            return
        try:
            if moved is not None:
                for targets, asked in moved.ask(record):
                    self._put_item(self._item_for(asked, targets), asked)
            elif self._overrides or self._is_patched():
                self.enqueue(self.prepare(record))
            else:
                self._put_item(self._item_for(record, None), record)
        except Exception as error:
            self._report_unput(record, error)
        if core is None:
            self._unwatched += 1
            if self._unwatched == MOST_UNREAD:
                self._warn_if_unread()
            return
        if core.state != RUNNING:
            core.ensure_delivery()
        else:
            core.calls_to_brake = calls = core.calls_to_brake - 1
            if calls <= 0:
                core.brake()
        if _level_of(record) >= core.flush_at:
            core.flush_soon()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return the record to enqueue: `record` itself, unless its message could change until it is written.

        A message or argument that is not a str, bytes, number, bool or None (or a tuple of those) may be
        changed by the caller after the call; then it is a copy whose getMessage() returns the text of now. For a queue
        that pickles records, as multiprocessing's do, it is what the standard prepare() returns.
        """
        if self._leaves_process:
            return _standard_prepare(self, record)  # type: ignore[arg-type, no-any-return]
        return snapshot(record)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put `record` into the queue; raises what the queue's put_nowait() raises.

        If the queue is full and `listener` is one of logflume's, what its `overflow` says happens instead.
        """
        self._put_item(record if self._leaves_process else self._with_context(record, None), record)

    def _put_item(self, item: Any, record: logging.LogRecord) -> None:
        """Enqueue `item`, which is made of `record`, or have the listener do what is to be done with a full queue."""
        core = self._core
        if core is None:
            self._put(item)
        elif core.is_crowded():
            core.put_crowded(self._put, item, _level_of(record))
        else:
            try:
                self._put(item)
            except _queue.Full:
                if not core.put_crowded(self._put, item, _level_of(record)) and self._reports_itself():
                    self.handleError(record)  # type: ignore[attr-defined]

    def _report_unput(self, record: logging.LogRecord, error: Exception) -> None:
        """Give `error`, which is being handled, to handleError(), unless the log tells of it."""
        core = self._core
        if core is None or not core.count_unput(error, _level_of(record)) or self._reports_itself():
            self.handleError(record)  # type: ignore[attr-defined]

    def _reports_itself(self) -> bool:
        """Return whether handleError() does anything but print the error."""
        return "handleError" in vars(self) or type(self).handleError is not _standard_handle_error  # type: ignore[attr-defined]

    def _is_patched(self) -> bool:
        cls = type(self)
        names = ("enqueue", "prepare")
        return any(getattr(cls, name) is not self._unpatched_methods[name] for name in names)

    def _item_for(self, record: logging.LogRecord, targets: Any) -> Any:
        """Return what to enqueue for `record` as it is now: with its targets, its contextvars, and its exception."""
        if self._leaves_process:
            return self.prepare(record)
        kept = snapshot(record)
        if kept is record and self.moved is not None and self.moved.is_changed_later():
            kept = private_copy(record)
        if getattr(record, "exc_info", None):
            return self._with_context(self._without_frames(kept, targets), targets)
        return self._with_context(kept, targets)

    def _with_context(self, item: Any, targets: Any) -> Any:
        context = current_context()
        if context is None:
            return item if targets is None else (targets, item)
        if targets is not None or self._is_read_by_listener():
            return targets, item, context
        keep_context(item, self._queue, context)  # others may take the records from this queue
        return item

    def _is_read_by_listener(self) -> bool:
        """Tell whether nothing but the listener takes what is put into the queue."""
        core = self._core
        return core is not None and core.queue is self._queue and core.is_polled

    def _without_frames(self, record: logging.LogRecord, targets: Any) -> Any:
        """Return what to enqueue for `record` so that the frames of its exception end with the call, if that may be."""
        if not self._may_capture(getattr(record, "levelno", 0), targets):
            return record
        captured = None
        if not getattr(record, "exc_text", None):
            captured = capture(record.exc_info)
            if captured is None:
                return record
        new = private_copy(record)
        new.exc_info = None
        return new if captured is None else CapturedRecord(new, captured)

    def _may_capture(self, levelno: int, targets: Any) -> bool:
        """Tell whether nothing that gets a record of this level behind the queue can ask for its exc_info."""
        core, moved = self._core, self.moved
        if not self._is_read_by_listener() or core.handles_itself:
            return False
        handlers, asked = core.handlers, False
        if moved is not None and moved.asks_filters and not moved.has_added:
            # Else a filter on the listener's thread may set what another handler shows: no copy must be in its way.
            handlers, asked = (moved if targets is None else targets).handlers, True
        respects = core.respect_handler_level
        return len(handlers) > 0 and all(
            needs_no_exception(handler, asked) for handler in handlers if not respects or levelno >= handler.level
        )
