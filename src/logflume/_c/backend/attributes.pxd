"""The attributes of a captured record that are strings."""

from cpython.object cimport PyObject

from logflume._c.backend.pattern cimport (
    FILENAME, FUNCNAME, LEVELNAME, MODULE, NAME, PATHNAME, PROCESSNAME, THREADNAME, Attribute,
)
from logflume._c.record cimport CapturedRecord


cdef inline PyObject *text_of(CapturedRecord record, Attribute attribute) noexcept nogil:
    """The value of an attribute that in nearly all records is a string, borrowed; NULL for other attributes."""
    if attribute == NAME:
        return <PyObject *>record.name
    if attribute == LEVELNAME:
        return <PyObject *>record.levelname
    if attribute == PATHNAME:
        return <PyObject *>record.site.pathname
    if attribute == FILENAME:
        return <PyObject *>record.site.filename
    if attribute == MODULE:
        return <PyObject *>record.site.module
    if attribute == FUNCNAME:
        return <PyObject *>record.site.funcName
    if attribute == THREADNAME:
        return <PyObject *>record.threadName
    if attribute == PROCESSNAME:
        return <PyObject *>record.processName
    return NULL
