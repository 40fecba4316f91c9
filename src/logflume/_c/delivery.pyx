"""Hands batches of records to the real handlers: the pure twin's way of a batch, with compiled parts."""

from logflume._c.format cimport compose, is_stock

import logging

from logflume._py.delivery import deliver
from logflume._py.standard import (
    FORMATTER_METHODS as _FORMATTER_METHODS,
    HANDLER_METHODS as _HANDLER_METHODS,
    HANDLERS as _HANDLERS,
    STYLE_METHODS as _STYLE_METHODS,
    STYLES as _STYLES,
)

cdef tuple HANDLERS = _HANDLERS
cdef tuple STYLES = _STYLES
cdef frozenset HANDLER_METHODS = _HANDLER_METHODS
cdef frozenset FORMATTER_METHODS = _FORMATTER_METHODS
cdef frozenset STYLE_METHODS = _STYLE_METHODS
cdef type Formatter = logging.Formatter


cdef bint is_one_of(type cls, tuple classes):
    for known in classes:
        if cls is known:
            return True
    return False


cdef bint formatter_is_stock(object formatter) except -1:
    cdef object own
    if type(formatter) is not Formatter or not is_stock(Formatter):
        return False
    own = formatter.__dict__
    style = own.get("_style")
    return (
        FORMATTER_METHODS.isdisjoint(own)
        and is_one_of(type(style), STYLES)
        and is_stock(type(style))
        and STYLE_METHODS.isdisjoint(style.__dict__)
    )


def recognised(handler):
    """Whether a batch can stand for `handler.handle`: as `handler_is_stock` says, but quicker."""
    cdef object own
    if not is_one_of(type(handler), HANDLERS) or not is_stock(type(handler)):
        return False
    own = handler.__dict__
    return (
        HANDLER_METHODS.isdisjoint(own)
        and not own.get("filters", True)
        and own.get("lock") is not None
        and formatter_is_stock(own.get("formatter") or logging._defaultFormatter)
    )


def deliver_batch(handler, list records not None, report, int holders=0):
    """Deliver `records`, in order, to `handler`, and empty the list; see the pure twin, which says it all."""
    deliver(handler, records, report, recognised, compose_batch, holders, 1)


def compose_batch(handler, list records, sink, int holders):
    return compose(handler, records, sink, holders)


def is_batchable(handler):
    """Whether `deliver_batch` now has a better way for `handler` than one record at a time."""
    return hasattr(type(handler), "handle_batch") or recognised(handler)
