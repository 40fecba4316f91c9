"""What a log call captures, the LogRecord that is made of it, and records whose message is kept as it was in the call.

A CapturedRecord is what goes through the queue where both ends are ours. It is smaller than a LogRecord and cheaper to
make, and, when it holds nothing but immutable values, not tracked by the garbage collector. Any other code gets the
LogRecord, which is made once.
"""

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.bytearray cimport PyByteArray_CheckExact
from cpython.dict cimport PyDict_CheckExact, PyDict_Copy, PyDict_Next, PyDict_SetItem
from cpython.float cimport PyFloat_CheckExact
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_SIZE, PyTuple_New
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_Format

from logflume._c.interpreter.python cimport (
    Py_TYPE, PyList_GET_ITEM, PyList_SET_ITEM, PyList_SetSlice, PyObject_GC_IsTracked, PyObject_GC_Track,
    PyObject_GC_UnTrack, decref, is_immutable_value, new_object,
)

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object copy, kept_deeply, logging, may_change, rendered_copy, rendered_message, set_context, set_exception
import logging
import sys
from copy import copy

from logflume._shared.contexts import set_context
from logflume._shared.exceptions import CapturedException
from logflume._shared.kept import kept as kept_deeply, may_change
from logflume._shared.rendered import rendered_copy, rendered_message, set_exception

cdef extern from "interpreter/freelist.h":
    bint can_be_reused "logflume_can_be_reused" (PyObject *object) noexcept
    void keep_for_reuse "logflume_keep_for_reuse" (PyObject *object) noexcept
    PyObject *reuse_object "logflume_reuse_object" () noexcept
    bint empty_tuple "logflume_empty_tuple" (PyObject *tuple) noexcept
    bint fill_tuple "logflume_fill_tuple" (PyObject *tuple, PyObject **items, Py_ssize_t count) noexcept

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    bint PyList_CheckExact(object)
    bint PySet_CheckExact(object)
    object PyList_GetSlice(object, Py_ssize_t, Py_ssize_t)

cdef Py_ssize_t OBJECT_FIELDS = 13  # of CapturedRecord
cdef str DICT = sys.intern("__dict__")
cdef int NESTING = 8  # tuples in tuples that is_immutable() looks into
cdef PyTypeObject *captured_exception = <PyTypeObject *><PyObject *>CapturedException
cdef object new_instance = logging.LogRecord.__new__
cdef object LogRecord = logging.LogRecord
cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
# From 3.13 a record's times come from time.time_ns(), before from time.time().
cdef bint FROM_NS = isinstance(logging._startTime, int)
cdef object START = logging._startTime


cdef class CallSite:
    pass


cdef CallSite NOWHERE = CallSite()


@cython.auto_pickle(False)
cdef class CapturedRecord:
    """Stands for a record in the queue."""

    def as_log_record(self):
        """Return the LogRecord; always the same."""
        return made_of(self)


cdef PyTypeObject *captured_type = <PyTypeObject *><PyObject *>CapturedRecord

# ---- in the call ----


cdef CapturedRecord new_record():
    """Return a CapturedRecord with empty fields that the garbage collector does not track."""
    return <CapturedRecord>new_object(captured_type, OBJECT_FIELDS)


cdef CapturedRecord record_for_call(object msg, PyObject **arguments, Py_ssize_t count):
    """Return a CapturedRecord with this message, new or from the freelist, that the garbage collector does not track.

    All its other fields have to be set, but `extra`, `rendered` and `made`, which are None.
    """
    cdef PyObject *reused = reuse_object()
    cdef CapturedRecord record
    if reused is NULL:
        record = new_record()
    else:
        record = <CapturedRecord>reused
        decref(reused)
    store_message(record, msg, arguments, count)
    return record


cdef inline int store_message(CapturedRecord record, object msg, PyObject **arguments, Py_ssize_t count) except -1:
    """Set the message and the arguments of a record for a call, and whether they are immutable."""
    cdef bint is_reused = PyTuple_CheckExact(record.args) and PyTuple_GET_SIZE(record.args) == count
    if not is_reused:
        record.args = None
        record.args = PyTuple_New(count)
    record.msg = msg
    record.immutable = fill_tuple(<PyObject *>record.args, arguments, count)
    record.immutable = record.immutable and is_immutable_value(<PyObject *>msg)
    if not record.immutable:
        record.immutable = is_immutable(msg) and is_immutable(record.args)
    if count > 0 and record.immutable == (not is_reused):  # an emptied one is not tracked
        if record.immutable:
            PyObject_GC_UnTrack(<PyObject *>record.args)
        else:
            PyObject_GC_Track(<PyObject *>record.args)
    return 0


cdef inline void drop_message(CapturedRecord record) noexcept:
    """Drop what a delivered record holds of its caller's. The other values are mostly the same at its next use."""
    record.msg = None
    record.extra = None
    if not empty_tuple(<PyObject *>record.args):
        record.args = None


cdef int recycle(list records, Py_ssize_t count) except -1:
    """Delete the first `count` records from the list, and keep those for reuse to which nothing else refers."""
    cdef PyObject *record
    cdef Py_ssize_t index
    for index in range(count):
        record = PyList_GET_ITEM(records, index)
        if Py_TYPE(<object>record) is captured_type and can_be_reused(record):
            drop_message(<CapturedRecord>record)
            Py_INCREF(None)
            PyList_SET_ITEM(records, index, <PyObject *>None)  # its reference goes to the freelist
            keep_for_reuse(record)
    if count == PyList_GET_SIZE(records):
        records.clear()  # which needs no memory
    else:
        PyList_SetSlice(records, 0, count, NULL)
    return 0


cdef bint is_immutable(object value):
    """Tell whether `value` cannot change: exactly a str, number, bool, None, bytes, or a tuple of those."""
    return is_immutable_value(<PyObject *>value) or (
        PyTuple_CheckExact(value) and is_immutable_tuple(<tuple>value, NESTING)
    )


cdef bint is_immutable_tuple(tuple values, int nesting):
    for value in values:
        if not is_immutable_value(<PyObject *>value):
            if not PyTuple_CheckExact(value) or nesting == 0 or not is_immutable_tuple(<tuple>value, nesting - 1):
                return False
    return True


cdef object kept(object value):
    """As kept() of _shared.kept."""
    cdef object new = None
    if PyDict_CheckExact(value):
        new = PyDict_Copy(value)
    elif PyList_CheckExact(value):
        new = PyList_GetSlice(value, 0, PY_SSIZE_T_MAX)
    elif not (PyTuple_CheckExact(value) or PySet_CheckExact(value) or PyByteArray_CheckExact(value)):
        return value
    return new if new is not None and is_flat(new) else kept_deeply(value)


cdef bint is_flat(object container):
    """Tell whether a list or dictionary that is not shared holds only immutable values."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    if PyDict_CheckExact(container):
        while PyDict_Next(container, &at, &name, &value):
            if not is_immutable_value(value):
                return False
        return True
    for at in range(PyList_GET_SIZE(container)):
        if not is_immutable_value(PyList_GET_ITEM(container, at)):
            return False
    return True


cdef bint keep_extra(dict extra) except -1:
    """Keep the extra fields of a record as they are now; return whether they are immutable, and then not tracked."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    cdef bint immutable = True
    while PyDict_Next(extra, &at, &name, &value):
        if not is_immutable_value(value):
            immutable = False
            new = kept(<object>value)
            if new is not <object>value:
                PyDict_SetItem(extra, <object>name, new)
    if immutable:
        PyObject_GC_UnTrack(<PyObject *>extra)
    return immutable


cdef int track_if_needed(CapturedRecord record) except -1:
    """Have the garbage collector track `record` if it may hold anything that could be part of a cycle.

    The containers among its extra fields become copies first.
    """
    if not (
        (record.extra is None or keep_extra(record.extra))
        and record.immutable
        and (record.exc_info is None or PyBool_Check(record.exc_info))
        and record.context is None
        and PyUnicode_CheckExact(record.name)
        and PyUnicode_CheckExact(record.levelname)
        and (record.threadName is None or PyUnicode_CheckExact(record.threadName))
        and (record.processName is None or PyUnicode_CheckExact(record.processName))
        and (record.taskName is None or PyUnicode_CheckExact(record.taskName))
    ):
        PyObject_GC_Track(<PyObject *>record)
    return 0


cdef int keep_message(CapturedRecord record) except -1:
    """Keep the message that it has now; for a record whose msg or args can change."""
    try:
        if isinstance(record.msg, dict):
            record.msg = kept(record.msg) if PyDict_CheckExact(record.msg) else copy(record.msg)
        else:
            record.rendered = message(record)
    except Exception:
        pass  # the handler that formats it will report that
    return 0


cdef object message(CapturedRecord record):
    """Return the message, as LogRecord.getMessage() makes it, or made it in the call."""
    return render(record.msg, record.args) if record.rendered is None else record.rendered


cdef object render(object text, object args):
    """Return the message of a record with this `msg` and `args`, as LogRecord.getMessage() makes it."""
    if not PyUnicode_CheckExact(text):
        text = str(text)
    if not args:
        return text
    if PyUnicode_CheckExact(text) and (PyTuple_CheckExact(args) or PyDict_CheckExact(args)):
        return PyUnicode_Format(text, args)
    return text % args


# ---- the LogRecord ----

cpdef object log_record(object record):
    """Return the LogRecord that `record` is or stands for."""
    return made_of(<CapturedRecord>record) if Py_TYPE(record) is captured_type else record


cpdef int make_log_records(list records, Py_ssize_t count=PY_SSIZE_T_MAX) except -1:
    """Put the LogRecord in the place of each captured record among the first `count`."""
    cdef Py_ssize_t index
    for index in range(min(count, PyList_GET_SIZE(records))):
        if Py_TYPE(<object>PyList_GET_ITEM(records, index)) is captured_type:
            records[index] = made_of(<CapturedRecord>records[index])
    return 0


cdef object made_of(CapturedRecord record):
    """Return the LogRecord of a captured record; always the same."""
    cdef object captured = record.exc_info
    cdef bint has_exception = Py_TYPE(captured) is captured_exception
    if record.made is None:
        record.exc_info = None if has_exception else captured
        made = new_instance(LogRecord)
        # Not PyObject_GenericSetDict(), which on 3.13 leaves behind what the object had before.
        PyObject_GenericSetAttr(made, DICT, attributes_of(record))
        record.made = made
        if not PyObject_GC_IsTracked(<PyObject *>record):
            PyObject_GC_Track(<PyObject *>record)
    if record.context is not None:
        set_context(record.made, record.context)
        record.context = None
    if has_exception:
        set_exception(record.made, captured)
        record.exc_info = None
    return record.made


cdef object with_exception(object record, object captured, long long levelno):
    """Return what to enqueue for a LogRecord that is the queue's own, and for its exception, which it does not have."""
    cdef CapturedRecord new = new_record()
    new.made = record
    new.exc_info = captured
    new.levelno = <int>levelno
    created = getattr(record, "created", None)
    if PyFloat_CheckExact(created):
        new.created = created
    PyObject_GC_Track(<PyObject *>new)
    return new


cdef dict attributes_of(CapturedRecord record):
    """Return the dictionary of the LogRecord, in the standard order."""
    cdef CallSite site = record.site
    if site is None:  # the collector broke a cycle, and the record was found nevertheless
        site = NOWHERE
    msg = record.msg
    if record.rendered is not None:
        msg = rendered_message(msg, record.args, record.rendered)
    cdef dict attributes = {
        "name": record.name,
        "msg": msg,
        "args": record.args,
        "levelname": record.levelname,
        "levelno": record.levelno,
        "pathname": site.pathname,
        "filename": site.filename,
        "module": site.module,
        "exc_info": record.exc_info,
        "exc_text": None,
        "stack_info": None,
        "lineno": site.lineno,
        "funcName": site.funcName,
        "created": record.created,
        "msecs": milliseconds(record),
        "relativeCreated": since_start(record),
        "thread": record.thread if record.has_thread else None,
        "threadName": record.threadName,
        "processName": record.processName,
        "process": record.process if record.has_process else None,
    }
    if HAS_TASK_NAME:
        attributes["taskName"] = record.taskName
    if record.extra is not None:
        attributes.update(record.extra)
    return attributes


cdef double milliseconds(CapturedRecord record) noexcept nogil:
    cdef double created = record.created
    cdef long long ns = record.created_ns
    cdef double msecs
    if not FROM_NS:
        return <double><long long>((created - <double><long long>created) * 1000)
    msecs = <double>(ns % 1000000000 // 1000000)
    if msecs == 999.0 and <long long>created != ns // 1000000000:
        return 0.0  # created was rounded up to the next second
    return msecs


cdef double since_start(CapturedRecord record) except? -1.0:
    if FROM_NS:
        return <double>(record.created_ns - <long long>START) / 1e6
    return (record.created - <double>START) * 1000


# ---- LogRecords ----

cpdef object snapshot(object record):
    """Return `record` in a form whose message and extra fields stay what they are now.

    That is `record` itself if they are immutable, else a copy. If rendering raises an Exception `record` is
    returned as it is: the handler that formats it will report that.
    """
    try:
        if is_immutable(record.args) and is_immutable(record.msg):
            return rendered_copy(record, False) if may_change(record) else record
    except AttributeError:
        return record
    return rendered_copy(record)
