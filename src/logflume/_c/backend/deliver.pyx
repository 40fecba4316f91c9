"""Hands batches of records to the real handlers: the pure twin's way of a batch, with compiled parts."""

from cpython.dict cimport PyDict_Contains
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact

from logflume._c.interpreter.python cimport dict_get, instance_dict
from logflume._c.backend.format cimport compose
from logflume._c.backend.pattern cimport is_unpatched
from logflume._c.record cimport RecordCore

import logging

from logflume._c.record import LazyRecord as _LazyRecord
from logflume._delivery.deliver import ALONE as _ALONE, SEEN as _SEEN, UNSEEN as _UNSEEN, deliver
from logflume._delivery.sinks import rotates_by_size
from logflume._delivery.unpatched import (
    FORMATTER_METHODS as _FORMATTER_METHODS,
    HANDLER_METHODS as _HANDLER_METHODS,
    HANDLERS as _HANDLERS,
    STYLE_METHODS as _STYLE_METHODS,
    STYLES as _STYLES,
)

__all__ = ["ALONE", "SEEN", "UNSEEN", "at_level", "batching", "deliver_batch"]

cdef tuple HANDLERS = _HANDLERS
cdef tuple STYLES = _STYLES
cdef tuple HANDLER_METHODS = tuple(_HANDLER_METHODS)
cdef tuple FORMATTER_METHODS = tuple(_FORMATTER_METHODS)
cdef tuple STYLE_METHODS = tuple(_STYLE_METHODS)
cdef type Formatter = logging.Formatter
cdef type LazyRecord = _LazyRecord
cdef int alone_way = _ALONE, seen_way = _SEEN, unseen_way = _UNSEEN
ALONE = _ALONE
SEEN = _SEEN
UNSEEN = _UNSEEN


cdef bint is_one_of(type cls, tuple classes):
    for known in classes:
        if cls is known:
            return True
    return False


cdef bint has_any(object attributes, tuple names) except -1:
    for name in names:
        if PyDict_Contains(attributes, name):
            return True
    return False


cdef bint formatter_is_unpatched(object formatter) except -1:
    cdef object own, style
    if type(formatter) is not Formatter or not is_unpatched(Formatter):
        return False
    own = instance_dict(formatter)
    style = dict_get(own, "_style", None)
    return (
        is_one_of(type(style), STYLES)
        and is_unpatched(type(style))
        and not has_any(own, FORMATTER_METHODS)
        and not has_any(instance_dict(style), STYLE_METHODS)
    )


cdef int way_of(object handler) except -1:
    """As the pure twin's recognised() says, but quicker."""
    cdef object own, filters
    if not is_one_of(type(handler), HANDLERS) or not is_unpatched(type(handler)):
        return alone_way
    own = instance_dict(handler)
    filters = dict_get(own, "filters", None)
    if (
        not PyList_CheckExact(filters)
        or PyList_GET_SIZE(filters) != 0
        or dict_get(own, "lock", None) is None
        or has_any(own, HANDLER_METHODS)
    ):
        return alone_way
    if formatter_is_unpatched(dict_get(own, "formatter", None) or logging._defaultFormatter):
        return unseen_way
    return alone_way if rotates_by_size(handler) else seen_way


def recognised(handler):
    """As the pure twin says."""
    return way_of(handler)


def batching(handler):
    """How `deliver_batch` now delivers to `handler`; see the pure twin."""
    return way_of(handler) or (SEEN if hasattr(type(handler), "handle_batch") else ALONE)


def deliver_batch(handler, list records not None, report, int holders=0, bint unseen=False):
    """Deliver `records`, in order, to `handler`, and empty the list; see the pure twin, which says it all."""
    deliver(handler, records, report, recognised, compose_batch, holders, unseen, 1)


def compose_batch(handler, list records, sink, int holders):
    return compose(handler, records, sink, holders)


cpdef list at_level(list records, object level):
    """Return the records at or above `level`."""
    cdef list found = []
    cdef int least
    if not PyLong_CheckExact(level) or not -1000000 < level < 1000000:
        return [record for record in records if record.levelno >= level]
    least = level
    for record in records:
        if type(record) is LazyRecord and (<RecordCore>record).unfilled:
            if (<RecordCore>record).levelno >= least:
                found.append(record)
        elif record.levelno >= level:
            found.append(record)
    return found
