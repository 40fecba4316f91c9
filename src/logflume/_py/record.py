"""Pure twin of the compiled record module: tells whether a record's message can still change, and renders it."""

from __future__ import annotations

import logging

from .._shared.rendered import rendered_copy

IMMUTABLE = frozenset([str, int, float, bool, type(None), bytes])
NESTING = 8  # tuples in tuples that is_immutable() looks into


def is_immutable(value: object, nesting: int = NESTING) -> bool:
    """Tell whether `value` cannot change: exactly a str, number, bool, None, bytes, or a tuple of those."""
    if type(value) in IMMUTABLE:
        return True
    return type(value) is tuple and nesting >= 0 and all(is_immutable(item, nesting - 1) for item in value)


def snapshot(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` in a form whose message stays what it is now.

    That is `record` itself if msg and args are immutable, else a copy whose getMessage() returns the
    text of now until its msg or args are set. If rendering raises an Exception `record` is returned as it is:
    the handler that formats it will report that.
    """
    try:
        args = record.args
        if type(record.msg) in IMMUTABLE:
            if type(args) is not tuple:
                if type(args) in IMMUTABLE:
                    return record
            else:
                for value in args:
                    if type(value) not in IMMUTABLE and not is_immutable(value):
                        break
                else:
                    return record
        elif is_immutable(args) and is_immutable(record.msg):
            return record
    except AttributeError:
        return record
    return rendered_copy(record)
