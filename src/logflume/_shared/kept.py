"""Values as they are in the log call: copies of the containers that the caller may change afterwards."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Container
from operator import is_
from typing import Any

IMMUTABLE = frozenset([str, int, float, bool, type(None), bytes])
OWN_ATTRIBUTES = len(vars(logging.LogRecord("", 0, "", 0, "", (), None)))  # of a record without `extra`
# Exactly these: a class of other code may do anything when it is copied.
_COPIES: dict[type, Callable[[Any], Any]] = {dict: dict, list: list, set: set, bytearray: bytearray}
_CONTAINERS = frozenset([*_COPIES, tuple])
_NO_EXTRA = frozenset(("msg", "args", "exc_info"))


def kept(value: Any) -> Any:
    """Return `value`, or a copy if it is a dict, list, set, bytearray or tuple, with copies of those in it.

    Other objects are not copied, nor is what cannot be copied: what is nested too deep.
    """
    try:
        return _kept(value, {})
    except Exception:
        return value


def _kept(value: Any, known: dict[int, tuple[Any, Any]]) -> Any:
    cls = type(value)
    make = _COPIES.get(cls)
    if make is None and cls is not tuple:
        return value
    found = known.get(id(value))  # also what contains itself
    if found is not None:
        return found[1]
    if make is None:
        items = [_kept(item, known) for item in value]
        new = value if all(map(is_, items, value)) else tuple(items)
        known[id(value)] = value, new
        return new
    new = make(value)
    known[id(value)] = value, new
    if cls is dict:
        for key, item in new.items():
            if type(item) not in IMMUTABLE:
                new[key] = _kept(item, known)
    elif cls is list:
        for index, item in enumerate(new):
            if type(item) not in IMMUTABLE:
                new[index] = _kept(item, known)
    return new


def kept_event(event: dict[Any, Any], extra: Container[str]) -> dict[Any, Any]:
    """As kept(), for the message of a record with the fields `extra`: an event of structlog keeps its exception.

    `log.exception()` says `exc_info=True` there, by which processors of ProcessorFormatter understand the current
    exception. The listener's thread has none.
    """
    new: dict[Any, Any] = kept(event)
    current = sys.exception()
    if current is not None and new is not event and new.get("exc_info") is True and "_logger" in extra:
        new["exc_info"] = current
    return new


def may_change(record: logging.LogRecord) -> bool:
    """Whether copies_in() may find anything in `record`."""
    attributes = record.__dict__
    return len(attributes) > OWN_ATTRIBUTES and not IMMUTABLE.issuperset(
        [type(value) for name, value in attributes.items() if name not in _NO_EXTRA]
    )


def copies_in(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return copies of the containers among a record's attributes, by name."""
    copies = {}
    for name, value in attributes.items():
        if type(value) in _CONTAINERS and name not in _NO_EXTRA:
            copied = kept(value)
            if copied is not value:
                copies[name] = copied
    return copies
