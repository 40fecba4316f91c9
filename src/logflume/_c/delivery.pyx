"""Hands batches of records to the real handlers: the pure twin's way of a batch, with compiled parts."""

from cpython.long cimport PyLong_CheckExact

from logflume._c.format cimport compose
from logflume._c.pieces cimport is_stock
from logflume._c.record cimport RecordCore

import logging

from logflume._c.record import LeanRecord as _LeanRecord
from logflume._py.delivery import ALONE, SEEN, UNSEEN, deliver
from logflume._py.sinks import rotates_by_size
from logflume._py.standard import (
    FORMATTER_METHODS as _FORMATTER_METHODS,
    HANDLER_METHODS as _HANDLER_METHODS,
    HANDLERS as _HANDLERS,
    STYLE_METHODS as _STYLE_METHODS,
    STYLES as _STYLES,
)

__all__ = ["ALONE", "SEEN", "UNSEEN", "at_level", "batching", "deliver_batch"]

cdef extern from "pycompat.h":
    object logflume_instance_dict(object)

cdef tuple HANDLERS = _HANDLERS
cdef tuple STYLES = _STYLES
cdef tuple HANDLER_METHODS = tuple(_HANDLER_METHODS)
cdef tuple FORMATTER_METHODS = tuple(_FORMATTER_METHODS)
cdef tuple STYLE_METHODS = tuple(_STYLE_METHODS)
cdef type Formatter = logging.Formatter
cdef type LeanRecord = _LeanRecord


cdef bint is_one_of(type cls, tuple classes):
    for known in classes:
        if cls is known:
            return True
    return False


cdef bint has_any(object attributes, tuple names) except -1:
    for name in names:
        if name in attributes:
            return True
    return False


cdef bint formatter_is_stock(object formatter) except -1:
    cdef object own
    if type(formatter) is not Formatter or not is_stock(Formatter):
        return False
    own = logflume_instance_dict(formatter)
    style = own.get("_style")
    return (
        is_one_of(type(style), STYLES)
        and is_stock(type(style))
        and not has_any(own, FORMATTER_METHODS)
        and not has_any(logflume_instance_dict(style), STYLE_METHODS)
    )


def recognised(handler):
    """As the pure twin says, but quicker."""
    cdef object own
    if not is_one_of(type(handler), HANDLERS) or not is_stock(type(handler)):
        return ALONE
    own = logflume_instance_dict(handler)
    if own.get("filters", True) or own.get("lock") is None or has_any(own, HANDLER_METHODS):
        return ALONE
    if formatter_is_stock(own.get("formatter") or logging._defaultFormatter):
        return UNSEEN
    return ALONE if rotates_by_size(handler) else SEEN


def deliver_batch(handler, list records not None, report, int holders=0):
    """Deliver `records`, in order, to `handler`, and empty the list; see the pure twin, which says it all."""
    deliver(handler, records, report, recognised, compose_batch, holders, 1)


def compose_batch(handler, list records, sink, int holders):
    return compose(handler, records, sink, holders)


def batching(handler):
    """How `deliver_batch` now delivers to `handler`; see the pure twin."""
    return recognised(handler) or (SEEN if hasattr(type(handler), "handle_batch") else ALONE)


def at_level(list records not None, level):
    """Return the records at or above `level`."""
    cdef list found = []
    cdef int least
    if not PyLong_CheckExact(level) or not -1000000 < level < 1000000:
        return [record for record in records if record.levelno >= level]
    least = level
    for record in records:
        if type(record) is LeanRecord and (<RecordCore>record).lean:
            if (<RecordCore>record).levelno >= least:
                found.append(record)
        elif record.levelno >= level:
            found.append(record)
    return found
