"""The contextvars that the caller of a log call sees: the pure twin has the rest."""

from cpython.object cimport PyObject, PyTypeObject

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object LazyRecord, copy_context, is_worth_carrying
from contextvars import copy_context

from logflume._c.record cimport RecordCore

from logflume._c.record import LazyRecord
from logflume._shared.contexts import add_carrier, is_worth_carrying

cdef extern from "interpreter/compat.h":
    bint logflume_sees_context(PyObject **context)
    void logflume_remember_context(PyObject *context, bint worth_carrying)

cdef extern from "Python.h":
    PyTypeObject *Py_TYPE(object)

cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>LazyRecord


cdef object current_context():
    """Return the contextvars that the running code sees, or None if there are none worth carrying."""
    cdef PyObject *known = NULL
    cdef object context
    cdef bint worth
    if not logflume_sees_context(&known):
        return None
    if known is not NULL:
        return <object>known
    context = copy_context()
    worth = is_worth_carrying(context)
    logflume_remember_context(<PyObject *>context, worth)
    return context if worth else None


def forget_context():
    """Let go of the contextvars that were seen last."""
    logflume_remember_context(NULL, False)


cpdef object context_for(object record):
    """Return what has to go through a queue beside `record`, or None: a lean record carries it itself."""
    return None if Py_TYPE(record) is lazy_type else current_context()


def carried(record):
    """Return the contextvars that a lean record carries; None for any other."""
    return (<RecordCore>record).context if Py_TYPE(record) is lazy_type else None


add_carrier(carried)
