"""Formatters that add fields to a record, and format it then as their base does: uvicorn's.

Where these fields are known the text of many records is composed without a LogRecord, or a copy of it, for each. A
class is known by the source of its module: a version that was not compared is like any other formatter, and so is one
that shows colours.
"""

from __future__ import annotations

import sys
from typing import Any

from .compared import source_hash
from .overrides import base_among, overrides
from .unpatched import FORMATTER_METHODS, class_is_unpatched, style_is_unpatched, take_snapshot

# The versions of uvicorn that tests/test_uvicorn_formatters.py was run with, by the SHA-256 of uvicorn/logging.py.
COMPARED = {
    "7473a22ae59b5aaf23b6710649c71e17dfd0fcbbc7a0c6c20e1827696d5a06fc": "0.23 to 0.25",
    "8a67d4cbc2d42126bfc675632a68f639412cdeaafd1652d1fe8e16e949236b4d": "0.26 and 0.27",
    "b20e03f651da5bf90a423fe498ff9ba256c286329f841ba2864b655a9f118d22": "0.28 to 0.32",
    "f9e084e273899856ed07da9f349b8454d174635dcb1941eabc5cde9984f43da4": "0.33 to 0.40",
    "2013d2a36a910562518f90b69cdec8d5c8af1408fd8ca679033c64d09a4f07df": "0.42 to 0.49",
    "9020759f8e41e4ee794920298afdb1e94406dcb9c5a8d946bdca211b20306e55": "0.51 to 0.54",
}
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
    if source_hash(MODULE) in COMPARED:
        for name, fields in FIELDS.items():
            cls = vars(sys.modules[MODULE]).get(name)
            if cls not in _fields and isinstance(cls, type) and take_snapshot(cls):
                _fields[cls] = fields
