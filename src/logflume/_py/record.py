"""Pure twin of the compiled record module: records that are kept as they were in the call."""

from __future__ import annotations

import logging
from typing import Any

from .._shared.exceptions import CapturedException
from .._shared.kept import IMMUTABLE, may_change
from .._shared.rendered import rendered_copy, set_exception

NESTING = 8  # tuples in tuples that is_immutable() looks into


def is_immutable(value: object, nesting: int = NESTING) -> bool:
    """Tell whether `value` cannot change: exactly a str, number, bool, None, bytes, or a tuple of those."""
    if type(value) in IMMUTABLE:
        return True
    return type(value) is tuple and nesting >= 0 and all(is_immutable(item, nesting - 1) for item in value)


def snapshot(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` in a form whose message and extra fields stay what they are now.

    That is `record` itself if they are immutable, else a copy. If rendering raises an Exception the message stays as it
    is: the handler that formats it will report that.
    """
    try:
        args = record.args
        if type(record.msg) in IMMUTABLE:
            if type(args) is not tuple:
                if type(args) in IMMUTABLE:
                    return _with_extra_of_now(record)
            else:
                for value in args:
                    if type(value) not in IMMUTABLE and not is_immutable(value):
                        break
                else:
                    return _with_extra_of_now(record)
        elif is_immutable(args) and is_immutable(record.msg):
            return _with_extra_of_now(record)
    except AttributeError:
        return record
    return rendered_copy(record)


def _with_extra_of_now(record: logging.LogRecord) -> logging.LogRecord:
    return rendered_copy(record, False) if may_change(record) else record


class CapturedRecord:
    """Stands in the queue for a LogRecord whose exception was captured."""

    __slots__ = ("_exception", "created", "levelno", "record")

    def __init__(self, record: logging.LogRecord, exception: CapturedException) -> None:
        self.record = record
        self._exception: CapturedException | None = exception
        self.created = getattr(record, "created", None)
        self.levelno = getattr(record, "levelno", 0)

    def as_log_record(self) -> logging.LogRecord:
        """Return the LogRecord; always the same."""
        if self._exception is not None:
            set_exception(self.record, self._exception)
            self._exception = None
        return self.record


def make_log_records(records: list[Any]) -> None:
    """Put the LogRecord in the place of each captured record."""
    for index, record in enumerate(records):
        if type(record) is CapturedRecord:
            records[index] = record.as_log_record()
