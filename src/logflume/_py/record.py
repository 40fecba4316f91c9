"""Pure twin of the compiled record module: tells whether a record's message can still change, and renders it."""

from __future__ import annotations

import logging

from .._shared.rendered import rendered_copy

PLAIN = frozenset([str, int, float, bool, type(None), bytes])
NESTING = 8  # tuples in tuples that is_plain() looks into


def is_plain(value: object, nesting: int = NESTING) -> bool:
    """Tell whether `value` cannot change: exactly a str, number, bool, None, bytes, or a tuple of those."""
    if type(value) in PLAIN:
        return True
    return type(value) is tuple and nesting >= 0 and all(is_plain(item, nesting - 1) for item in value)


def snapshot(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` in a form whose message stays what it is now.

    That is `record` itself if msg and args are plain values, else a copy whose getMessage() returns the
    text of now until its msg or args are set. If rendering raises an Exception `record` is returned as it is:
    the handler that formats it will report that.
    """
    try:
        args = record.args
        if type(record.msg) in PLAIN:
            if type(args) is not tuple:
                if type(args) in PLAIN:
                    return record
            else:
                for value in args:
                    if type(value) not in PLAIN and not is_plain(value):
                        break
                else:
                    return record
        elif is_plain(args) and is_plain(record.msg):
            return record
    except AttributeError:
        return record
    return rendered_copy(record)
