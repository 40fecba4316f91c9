"""The handlers that setup_logging_queue() moved from a logger, and what they are asked in the log call."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

from .rendered import has_same_attributes, private_copy

Report = Callable[[logging.LogRecord, logging.Handler], object]

_standard_handle = logging.Handler.handle
_standard_filter = logging.Filterer.filter


def is_handler(handler: object) -> bool:
    """Return whether it is a logging.Handler. A logger takes anything with `level` and handle(): a mock, say."""
    return issubclass(type(handler), logging.Handler)


def has_standard_handle(handler: logging.Handler) -> bool:
    """Return whether `handler` has no handle() of its own, so that its filters can be asked apart from that."""
    return getattr(type(handler), "handle", None) is _standard_handle and "handle" not in vars(handler)


def has_standard_filter(handler: logging.Handler) -> bool:
    """Return whether `handler` has no filter() of its own, so that its list of filters is all that is asked."""
    return getattr(type(handler), "filter", None) is _standard_filter and "filter" not in vars(handler)


class Targets:
    """Some of the handlers that were moved from one logger. It goes through the queue beside a record for them.

    `is_last` tells that no other copy of the record follows, so that handlers that were added to the listener get it.
    """

    __slots__ = ("_last", "handlers", "is_last")

    def __init__(self, handlers: tuple[logging.Handler, ...], is_last: bool) -> None:
        self.handlers = handlers
        self.is_last = is_last
        self._last: tuple[Any, ...] = None, None, ()

    def among(self, all_moved: tuple[logging.Handler, ...], now: tuple[logging.Handler, ...]) -> tuple[Any, ...]:
        """Return those of them that are in `now`, and what was added to it if this is for the last copy."""
        last_moved, last_now, found = self._last
        if last_moved is not all_moved or last_now is not now or type(now) is not tuple:
            found = tuple(handler for handler in self.handlers if handler in now)
            if self.is_last:
                found += tuple(handler for handler in now if handler not in all_moved)
            self._last = all_moved, now, found
        return found  # type: ignore[no-any-return]

    def is_apart_from(self, other: Targets) -> bool:
        """Return whether none of the handlers gets what is for `other`."""
        if self.is_last and other.is_last:
            return False
        return not any(handler is one for handler in self.handlers for one in other.handlers)


class MovedHandlers:
    """The handlers of one logger, moved behind `queue_handler`, in their order.

    `respects_levels` tells whether a record below a handler's level is not for it, and `asks_filters` whether filters
    are asked in the call. `listener`, which gives the handlers their records, reports what a filter raises.
    """

    def __init__(
        self,
        handlers: Iterable[logging.Handler],
        queue_handler: logging.Handler,
        respects_levels: bool,
        asks_filters: bool,
        listener: Any,
    ) -> None:
        self.handlers = tuple(handlers)
        self.queue_handler = queue_handler
        self.respects_levels = respects_levels
        self.asks_filters = asks_filters
        self.report: Report = listener.report_error
        self.deliver: Callable[[], object] = listener.deliver_before_change
        self.are_all = True  # that the listener had at first; then its records need no targets
        self.after: tuple[MovedHandlers, ...] = ()  # those of the loggers above, which get a record later
        self.has_added = False  # whether others were added to the listener, which get every record
        self._targets: dict[tuple[tuple[int, ...], bool], Targets] = {}

    def lowest_level(self) -> int:
        """Return the level that a record must have for one of the handlers to take it."""
        if not self.respects_levels or self.has_added:
            return logging.NOTSET
        return min((handler.level for handler in self.handlers), default=logging.NOTSET)

    def tells_in_call(self) -> bool:
        """Return whether the handlers' levels and filters tell whom a record is for."""
        return bool(self.handlers) and not self.has_added

    def remove(self, handler: logging.Handler) -> None:
        """Give `handler` no more records of the logger, once it has those that were logged before."""
        self.handlers = tuple(other for other in self.handlers if other is not handler)
        self.are_all = False
        self.queue_handler.moved = self  # type: ignore[attr-defined] # it looks at them anew
        self.deliver()

    def for_all(self) -> Targets | None:
        """Return the targets of a record that is for all of the handlers."""
        return None if self.are_all else self._targets_of(self.handlers, True)

    def of_level(self, levelno: int) -> Targets | None:
        """Return the targets of a record of that level, if no filter has to be asked."""
        return self.last(tuple(h for h in self.handlers if not self.respects_levels or levelno >= h.level))

    def last(self, handlers: tuple[logging.Handler, ...]) -> Targets | None:
        """Return the targets of a record for `handlers`, which are among those here; no copy of it follows."""
        return self.for_all() if len(handlers) == len(self.handlers) else self._targets_of(handlers, True)

    def some(self, handlers: tuple[logging.Handler, ...]) -> Targets:
        """Return the targets of a record for `handlers`; another copy of it may follow."""
        return self._targets_of(handlers, False)

    def may_filter(self, handler: logging.Handler) -> bool:
        """Return whether `handler` has filters to be asked in the call."""
        if not self.asks_filters or not has_standard_handle(handler):
            return False
        return bool(handler.filters) or not has_standard_filter(handler)

    def is_changed_later(self) -> bool:
        """Return whether filters that are asked later in the log call may change a record that is enqueued now."""
        return any(other.may_filter(handler) for other in self.after for handler in other.handlers)

    def ask(self, record: logging.LogRecord) -> list[tuple[Targets | None, logging.LogRecord]]:
        """Ask the handlers' levels and filters about `record`; return what to enqueue, in this order.

        Each handler gets the record as it is when the handler's turn comes, as Logger.callHandlers() has it: filters
        may change it, for the handlers that follow as well, or replace it, for their own handler. A handler before
        them gets a copy if they change it.
        """
        found: list[tuple[Targets | None, logging.LogRecord]] = []
        passed: list[logging.Handler] = []  # which get the record as it is now
        for handler in self.handlers:
            if self.respects_levels and record.levelno < handler.level:
                continue
            if self.may_filter(handler):
                before = private_copy(record) if passed else record
                answer: Any = False
                try:
                    answer = handler.filter(record)
                except Exception:
                    self.report(record, handler)
                replaced = answer is not record and isinstance(answer, logging.LogRecord)
                if passed and (replaced or not has_same_attributes(before, record)):
                    found.append((self.some(tuple(passed)), before))
                    passed = []
                if replaced:
                    found.append((self.some((handler,)), answer))
                    continue
                if not answer:
                    continue
            passed.append(handler)
        if passed or self.has_added:
            found.append((self.last(tuple(passed)), record))
        return found

    def _targets_of(self, handlers: tuple[logging.Handler, ...], is_last: bool) -> Targets:
        """Return one object for the same handlers, so that the records for them make batches."""
        key = tuple(map(id, handlers)), is_last
        targets = self._targets.get(key)
        if targets is None or targets.handlers != handlers:
            targets = self._targets[key] = Targets(handlers, is_last)
        return targets


# What changes how or where a handler writes, or tells that all is written: before it, what was logged is delivered.
GUARDED = ("close", "setFormatter", "setStream", "doRollover", "flush")
# Those of them that emit() calls, with the handler's lock.
CALLED_BY_EMIT = ("doRollover", "flush")


def guard(handler: logging.Handler, listener: Any) -> None:
    """Have `listener` deliver before the GUARDED methods of `handler`; not of a mock, or of what else may handle."""
    for name in GUARDED if is_handler(handler) else ():
        method = getattr(handler, name, None)
        if name == "flush" and getattr(method, "__module__", None) not in ("logging", "logging.handlers"):
            continue  # threads of the handler may call it, with a lock that its emit() takes
        if method is not None and name not in vars(handler):
            handler.__dict__[name] = Guarded(handler, name, method, listener)


def unguard(handler: logging.Handler, listener: Any) -> None:
    """Undo guard() for that listener, where no other code has replaced the methods since."""
    for name in GUARDED if is_handler(handler) else ():
        found = vars(handler).get(name)
        if type(found) is Guarded and found.listener is listener:
            del handler.__dict__[name]


def _holds_lock(handler: object, if_unknown: bool = False) -> bool:
    """Return whether the calling thread holds the handler's lock; one such as multiprocessing's does not tell."""
    lock: Any = getattr(handler, "lock", None)
    is_owned = getattr(lock, "_is_owned", None)
    if is_owned is None:
        return if_unknown and lock is not None
    return bool(is_owned())


class Guarded:
    """Stands for a method of `handler`, in its instance dictionary, and has `listener` deliver first.

    To deliver takes the locks of its handlers, in another thread: so a program that holds some lets go of them
    meanwhile. An emit() that holds one may be in the middle of its record, and goes on.
    """

    def __init__(self, handler: logging.Handler, name: str, method: Callable[..., object], listener: Any) -> None:
        functools.update_wrapper(self, method)
        self._handler = handler
        self._by_emit = name in CALLED_BY_EMIT
        self._method = method
        self.listener = listener

    def __call__(self, *args: Any, **kwargs: Any) -> object:
        handler, listener = self._handler, self.listener
        if not (self._by_emit and _holds_lock(handler, True)):
            # By their identities, as two handlers may have the same.
            among = filter(is_handler, (handler, *listener.handlers))
            held = {id(one.lock): one.lock for one in among if _holds_lock(one)}
            if not (self._by_emit and held):
                with contextlib.ExitStack() as given_back:
                    for lock in held.values():
                        given_back.callback(lock._acquire_restore, lock._release_save())
                    listener.deliver_before_change()
        return self._method(*args, **kwargs)


class HandlerList(list[logging.Handler]):
    """What logger.handlers becomes: the moved handlers still count as there, so that they are not added twice."""

    def __init__(self, handlers: Iterable[logging.Handler], moved: MovedHandlers) -> None:
        super().__init__(handlers)
        self._moved = moved

    def _is_behind(self, handler: object) -> bool:
        moved = self._moved
        return handler in moved.handlers and super().__contains__(moved.queue_handler)

    def __contains__(self, handler: object) -> bool:
        return super().__contains__(handler) or self._is_behind(handler)

    def copy(self) -> HandlerList:
        """Return another one: from Python 3.15 on removeHandler() removes from a copy."""
        return HandlerList(self, self._moved)

    def remove(self, handler: logging.Handler) -> None:
        """Remove `handler`, also if it is behind the queue; ValueError if it is not there.

        With the last one behind it the queue handler goes, too: a logger without handlers has its records go to
        logging.lastResort, say.
        """
        if self._is_behind(handler):
            self._moved.remove(handler)
            if not self._moved.handlers and not self._moved.has_added:
                super().remove(self._moved.queue_handler)
        else:
            super().remove(handler)
