"""LogRecords that are kept as they were in the log call: message, exception and extra fields could change."""

from __future__ import annotations

import contextlib
import copy
import logging
import weakref
from collections.abc import Callable
from operator import is_
from typing import Any

from .exceptions import CapturedException
from .kept import copies_in, kept_event

_standard_getMessage = logging.LogRecord.getMessage
_standard_code = _standard_getMessage.__code__
_ANY = object()


class RenderedMessage(str):
    """What becomes of record.msg: the same string, but `msg % args` is the text of the call, if `args` are its own.

    So `LogRecord.getMessage()` returns that text until record.msg or record.args are set. A record class with a
    getMessage() of its own may call format(), or either of them with other arguments than record.args: what these
    returned in the call, where `_text` was None, they return again.
    """

    __slots__ = ("_args", "_text")
    _args: Any
    _text: str | None

    def __str__(self) -> str:
        # Arguments that the caller has emptied since look like none.
        return self if self._args is _ANY or self._args or self._text is None else self._text

    def __mod__(self, args: Any) -> str:
        return self._kept(args is self._args, lambda: str.__mod__(self, args))

    def format(self, *args: Any, **keywords: Any) -> str:
        """As str.format()."""
        own = self._args
        same = type(own) is tuple and len(own) == len(args) and all(map(is_, own, args)) and not keywords
        return self._kept(same, lambda: str.format(self, *args, **keywords))

    def _kept(self, is_of_call: bool, render: Callable[[], str]) -> str:
        if self._text is None:
            self._text = render()
            if not is_of_call:
                self._args = _ANY
        elif not is_of_call and self._args is not _ANY:
            return render()
        return self._text

    def is_kept(self, args: object) -> bool:
        """Tell whether the text is that of a record with these arguments."""
        return self._args is args or self._args is _ANY

    def __reduce_ex__(self, protocol: object) -> Any:
        return str, (str.__str__(self),)


def rendered_message(msg: object, args: Any, text: str | None) -> str:
    """Return the msg of a record with `args` whose getMessage() is to return `text`."""
    if not args and text is not None:
        return text
    new = RenderedMessage(msg)
    new._args = args
    new._text = text
    return new


def rendered_copy(record: logging.LogRecord, renders: bool = True) -> logging.LogRecord:
    """Return a copy of `record` that keeps its extra fields of now, and if `renders` its message.

    It is `record` itself if copying fails, and if there is nothing to keep. A message whose rendering fails stays as it
    is: the handler that formats it will report that.

    While the record is alive and stays as it is, that is the same copy for each queue that it goes into, as without a
    queue each handler gets the same record.
    """
    try:
        msg, args, attributes = record.msg, record.args, record.__dict__
        if type(msg) is RenderedMessage and msg.is_kept(args):
            renders = False
        copies = copies_in(attributes)
        if not copies and not renders:
            return record
        known = known_copies.get(id(record))
        if known is not None and known[0]() is record:
            _, new, cls, before = known
            if type(record) is cls and _has_same_items(before, attributes):
                return new
        before = attributes.copy()
        new = private_copy(record)
        if not (renders and keep_message(new, msg, args)) and not copies:
            return record
        vars(new).update(copies)
        remember(record, new, before)
        return new
    except Exception:
        return record


def keep_message(new: logging.LogRecord, msg: Any, args: Any) -> bool:
    """Have `new` keep its message of now; false if that cannot be rendered."""
    try:
        if isinstance(msg, dict):
            new.msg = kept_event(msg, vars(new)) if type(msg) is dict else copy.copy(msg)
        elif "getMessage" in vars(new):
            text = new.getMessage()
            new.getMessage = lambda: text  # type: ignore[method-assign]
        elif _is_standard(type(new).getMessage):
            template = str(msg)
            new.msg = rendered_message(template, args, template % args if args else template)
        else:
            new.msg = rendered_message(str(msg), args, None)
            new.getMessage()
    except Exception:
        new.msg = msg
        return False
    return True


def _is_standard(function: Any) -> bool:
    return function is _standard_getMessage and function.__code__ is _standard_code


def private_copy(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of `record` that nothing else refers to."""
    if type(record) is not logging.LogRecord:
        return copy.copy(record)
    new = object.__new__(logging.LogRecord)
    vars(new).update(vars(record))
    return new


def has_same_attributes(before: logging.LogRecord, record: logging.LogRecord) -> bool:
    """Tell whether both have the same class, and the same objects as attributes, in the same order."""
    return type(before) is type(record) and _has_same_items(vars(before), vars(record))


def _has_same_items(before: dict[str, Any], attributes: dict[str, Any]) -> bool:
    return list(before) == list(attributes) and all(map(is_, before.values(), attributes.values()))


def log_record(record: Any) -> logging.LogRecord:
    """Return the LogRecord that `record` is or, captured by either core, stands for."""
    make = getattr(type(record), "as_log_record", None)
    return record if make is None else make(record)  # type: ignore[no-any-return]


def set_exception(record: logging.LogRecord, exception: CapturedException) -> None:
    """Give `record` the text of its exception, as the standard QueueHandler.prepare() does, in the call."""
    try:
        text = exception.text()
    except Exception as error:
        text = f"{error!r} was raised while the traceback was formatted"
    record.exc_text = text


# ---- the copies that were made of a record ----


MOST_COPIES = 256
# By the id() of the record: its copy, and what class and attributes the record had then. The oldest are forgotten: they
# may refer to the record, and keep it alive.
known_copies: dict[int, tuple[weakref.ref[logging.LogRecord], logging.LogRecord, type, dict[str, Any]]] = {}


def remember(record: logging.LogRecord, new: logging.LogRecord, before: dict[str, Any]) -> None:
    """Note that `new` is the copy of `record`, which has the attributes `before`, for as long as that is alive."""
    key, pop = id(record), known_copies.pop
    known_copies[key] = weakref.ref(record, lambda _: pop(key, None)), new, type(record), before
    if len(known_copies) > MOST_COPIES:
        with contextlib.suppress(RuntimeError):  # another thread adds one, and does this
            known_copies.pop(next(iter(known_copies), 0), None)
