"""Formatters that add fields to a record, and format it then as their base does: uvicorn's.

Where these fields are known the text of many records is composed without a LogRecord, or a copy of it, for each. A
class is known by the source of its module. One that was not compared is like any other formatter, and so is one that
shows colours.
"""

from __future__ import annotations

import sys
from typing import Any

from .compared import was_compared
from .overrides import base_among, overrides
from .unpatched import FORMATTER_METHODS, class_is_unpatched, style_is_unpatched, take_snapshot

MODULE = "uvicorn.logging"
METHODS = FORMATTER_METHODS | {"get_status_code"}

FIELDS = {
    "DefaultFormatter": ("levelprefix",),
    "AccessFormatter": ("levelprefix", "client_addr", "request_line", "status_code"),
}

_fields: dict[type, tuple[str, ...]] = {}  # by class


def added_fields(formatter: Any) -> tuple[str, ...]:
    """Return what `formatter` adds to a record if it is of a known class, or derived from one, and unpatched."""
    cls = type(formatter)
    if MODULE in [base.__module__ for base in cls.__mro__]:
        _know_classes()
    base = base_among(cls, tuple(_fields))
    if (
        base is None
        or not class_is_unpatched(base)
        or overrides(cls, base)
        or not METHODS.isdisjoint(vars(formatter))
        or vars(formatter).get("use_colors") is not False
        or not style_is_unpatched(formatter)
    ):
        return ()
    return _fields[base]


def status_texts() -> tuple[str, ...]:
    """Return what AccessFormatter.get_status_code() makes of each code from 100 to 599."""
    from http import HTTPStatus

    phrases = {status.value: status.phrase for status in HTTPStatus}
    return tuple(f"{code} {phrases.get(code, '')}" for code in range(100, 600))


def _know_classes() -> None:
    """Know uvicorn's formatters from now on, if they were compared and are unpatched."""
    if was_compared(MODULE):
        for name, fields in FIELDS.items():
            cls = vars(sys.modules[MODULE]).get(name)
            if cls not in _fields and isinstance(cls, type) and take_snapshot(cls):
                _fields[cls] = fields
