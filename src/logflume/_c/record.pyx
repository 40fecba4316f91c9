"""The lazy record, and records whose message is kept as it was when they were enqueued.

A LazyRecord is a real logging.LogRecord. It keeps what the log call captured in C fields, and makes the
dictionary that the standard class has when something first reads it. A record that nothing reads is
smaller, cheaper to make, and, when it holds nothing but immutable values, not tracked by the garbage collector.
"""

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.dict cimport PyDict_Update
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject, PyObject_GenericGetAttr, PyObject_GenericSetAttr, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_SIZE, PyTuple_New
from cpython.unicode cimport PyUnicode_CheckExact

from logflume._c.interpreter.python cimport (
    Py_TYPE, PyList_GET_ITEM, PyList_SET_ITEM, PyList_SetSlice, PyObject_GC_IsTracked, PyObject_GC_Track,
    PyObject_GC_UnTrack, decref, dict_get, generic_delattr, instance_dict, is_immutable_value, new_object,
)

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object copy, logging, rendered_copy, sys
import copy
import logging
import sys

from logflume._shared.rendered import rendered_copy

cdef extern from "interpreter/freelist.h":
    bint can_be_reused "logflume_can_be_reused" (PyObject *object) noexcept
    void keep_for_reuse "logflume_keep_for_reuse" (PyObject *object) noexcept
    PyObject *reuse_object "logflume_reuse_object" () noexcept
    bint empty_tuple "logflume_empty_tuple" (PyObject *tuple) noexcept
    bint fill_tuple "logflume_fill_tuple" (PyObject *tuple, PyObject **items, Py_ssize_t count) noexcept

cdef Py_ssize_t OBJECT_FIELDS = 12  # of RecordCore
cdef int NESTING = 8  # tuples in tuples that is_immutable() looks into
cdef object MISSING = object()
cdef object LogRecord = logging.LogRecord
cdef object standard_getMessage = logging.LogRecord.getMessage
cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
cdef str CLASS = sys.intern("__class__")
cdef str LEVELNO = sys.intern("levelno")
cdef str NAME = sys.intern("name")
cdef str LEVELNAME = sys.intern("levelname")
cdef str MSG = sys.intern("msg")
cdef str ARGS = sys.intern("args")
cdef str EXC_INFO = sys.intern("exc_info")
# From 3.13 a record's times come from time.time_ns(), before from time.time().
cdef bint FROM_NS = isinstance(logging._startTime, int)
cdef object START = logging._startTime


cdef class CallSite:
    pass


cdef CallSite NOWHERE = CallSite()


cdef class RecordCore:
    """First base of LazyRecord: the captured values, from which it makes the dictionary."""

    def __getattribute__(self, name):
        if name is CLASS:
            return LogRecord
        if self.unfilled:
            # The most common ones, without making the dictionary; an equal name that is not interned makes it.
            if name is LEVELNO:
                return self.levelno
            if name is NAME:
                return self.name
            if name is LEVELNAME:
                return self.levelname
            if name is MSG:
                return self.msg
            if name is ARGS:
                return self.args
            if name is EXC_INFO:
                return self.exc_info
            if name not in METHODS:
                fill(self)
        return PyObject_GenericGetAttr(self, name)

    def __setattr__(self, name, value):
        fill(self)
        PyObject_GenericSetAttr(self, name, value)

    def __delattr__(self, name):
        fill(self)
        generic_delattr(self, name, NULL)

    def getMessage(self):
        """Return the message: msg % args, or what that gave when the record was enqueued."""
        return message(self)

    def __copy__(self):
        cdef RecordCore new = duplicate(self)
        if not self.unfilled:
            fill_from(new, dict(instance_dict(self)))
        else:
            track_if_needed(new)
        return new

    def __deepcopy__(self, memo):
        cdef RecordCore new = new_record()
        memo[id(self)] = new
        fill(self)
        fill_from(new, copy.deepcopy(instance_dict(self), memo))
        return new

    def __reduce_ex__(self, protocol):
        """Pickle as the standard record that this one stands for, which loads without this package."""
        fill(self)
        standard = LogRecord.__new__(LogRecord)
        standard.__dict__.update(instance_dict(self))
        return standard.__reduce_ex__(protocol)

    def __reduce__(self):
        return self.__reduce_ex__(0)

    def __getstate__(self):
        return dict(self.__dict__)

    def __sizeof__(self):
        return object.__sizeof__(self)


class LazyRecord(RecordCore, logging.LogRecord):
    __slots__ = ()


# Code that prints or compares the name of its class gets that of the standard class.
LazyRecord.__name__ = logging.LogRecord.__name__
LazyRecord.__qualname__ = logging.LogRecord.__qualname__
LazyRecord.__module__ = logging.LogRecord.__module__
LazyRecord.__doc__ = logging.LogRecord.__doc__

cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>LazyRecord
# Looking these up does not need the dictionary.
cdef frozenset METHODS = frozenset(
    name for name in dir(LazyRecord) if name not in ("__dict__", "__dir__", "__getstate__")
)


cdef RecordCore new_record():
    """Return a LazyRecord with empty fields that the garbage collector does not track."""
    return <RecordCore>new_object(lazy_type, OBJECT_FIELDS)


cdef RecordCore record_for_call(object msg, PyObject **arguments, Py_ssize_t count):
    """Return a LazyRecord with this message, new or from the freelist, that the garbage collector does not track.

    All its other fields have to be set, but `extra` and `rendered`, which are None.
    """
    cdef PyObject *kept = reuse_object()
    cdef RecordCore record
    if kept is NULL:
        record = new_record()
    else:
        record = <RecordCore>kept
        decref(kept)
    store_message(record, msg, arguments, count)
    record.unfilled = True
    return record


cdef inline int store_message(RecordCore record, object msg, PyObject **arguments, Py_ssize_t count) except -1:
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


cdef inline void drop_message(RecordCore record) noexcept:
    """Drop what a delivered record holds of its caller's. The other values are mostly the same at its next use."""
    record.unfilled = False
    record.msg = None
    if not empty_tuple(<PyObject *>record.args):
        record.args = None


cdef int recycle(list records, Py_ssize_t count) except -1:
    """Delete the first `count` records from the list, and keep those for reuse to which nothing else refers."""
    cdef PyObject *record
    cdef Py_ssize_t index
    for index in range(count):
        record = PyList_GET_ITEM(records, index)
        if Py_TYPE(<object>record) is lazy_type and (<RecordCore>record).unfilled and can_be_reused(record):
            drop_message(<RecordCore>record)
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


cdef int track_if_needed(RecordCore record) except -1:
    """Have the garbage collector track `record` if it may hold anything that could be part of a cycle."""
    if not (
        record.immutable
        and (record.exc_info is None or PyBool_Check(record.exc_info))
        and record.extra is None
        and record.context is None
        and PyUnicode_CheckExact(record.name)
        and PyUnicode_CheckExact(record.levelname)
        and (record.threadName is None or PyUnicode_CheckExact(record.threadName))
        and (record.processName is None or PyUnicode_CheckExact(record.processName))
        and (record.taskName is None or PyUnicode_CheckExact(record.taskName))
    ):
        PyObject_GC_Track(<PyObject *>record)
    return 0


cdef RecordCore duplicate(RecordCore record):
    """Return an untracked LazyRecord with the same fields."""
    cdef RecordCore new = new_record()
    new.name = record.name
    new.msg = record.msg
    new.args = record.args
    new.levelname = record.levelname
    new.site = record.site
    new.exc_info = record.exc_info
    new.threadName = record.threadName
    new.processName = record.processName
    new.taskName = record.taskName
    new.extra = record.extra
    new.context = record.context
    new.rendered = record.rendered
    new.created = record.created
    new.created_ns = record.created_ns
    new.levelno = record.levelno
    new.thread = record.thread
    new.process = record.process
    new.unfilled = record.unfilled
    new.immutable = record.immutable
    new.has_thread = record.has_thread
    new.has_process = record.has_process
    return new


cdef int fill_from(RecordCore record, object attributes) except -1:
    """Make `attributes` the contents of a record that no other code knows yet."""
    if not PyObject_GC_IsTracked(<PyObject *>record):
        PyObject_GC_Track(<PyObject *>record)
    PyDict_Update(instance_dict(record), attributes)
    record.unfilled = False
    return 0


cdef int fill(RecordCore record) except -1:
    """Move the captured values into the record's dictionary, in the standard order, if they are not there."""
    if not record.unfilled:
        return 0
    # Making these can run a collection, and with it arbitrary code, which may fill the record. Nothing after it
    # can; and `unfilled` comes last, because other threads look for an attribute in the fields until then.
    cdef dict attributes = captured(record)
    cdef object contents = instance_dict(record)
    with cython.critical_section(record):
        if record.unfilled:
            if not PyObject_GC_IsTracked(<PyObject *>record):
                PyObject_GC_Track(<PyObject *>record)
            PyDict_Update(contents, attributes)
            record.unfilled = False
    return 0


cdef dict captured(RecordCore record):
    cdef CallSite site = record.site
    if site is None:  # the collector broke a cycle, and the record was found nevertheless
        site = NOWHERE
    cdef dict attributes = {
        "name": record.name,
        "msg": record.msg,
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


cdef double milliseconds(RecordCore record) noexcept nogil:
    cdef double created = record.created
    cdef long long ns = record.created_ns
    cdef double msecs
    if not FROM_NS:
        return <double><long long>((created - <double><long long>created) * 1000)
    msecs = <double>(ns % 1000000000 // 1000000)
    if msecs == 999.0 and <long long>created != ns // 1000000000:
        return 0.0  # created was rounded up to the next second
    return msecs


cdef double since_start(RecordCore record) except? -1.0:
    if FROM_NS:
        return <double>(record.created_ns - <long long>START) / 1e6
    return (record.created - <double>START) * 1000


cdef object message(RecordCore record):
    """Return what record.getMessage() returns."""
    cdef object msg, args, attributes
    if LogRecord.getMessage is not standard_getMessage:
        return LogRecord.getMessage(record)
    if record.unfilled:
        msg = record.msg
        args = record.args
    else:
        attributes = instance_dict(record)
        msg = dict_get(attributes, "msg", MISSING)
        args = dict_get(attributes, "args", MISSING)
        if msg is MISSING or args is MISSING:
            return standard_getMessage(record)
    if record.rendered is not None and msg is record.msg and args is record.args:
        return record.rendered
    text = str(msg)
    if args:
        text = text % args
    return text


cpdef object snapshot(object record):
    """Return `record` in a form whose message stays what it is now.

    That is `record` itself if msg and args are immutable. A lazy record keeps the text that it has now
    until its msg or args are set; for any other record a copy is returned that does so. If rendering
    raises an Exception `record` is returned as it is: the handler that formats it will report that.
    """
    if Py_TYPE(record) is lazy_type:
        return snapshot_lazy(<RecordCore>record)
    try:
        if is_immutable(record.args) and is_immutable(record.msg):
            return record
    except AttributeError:
        return record
    return rendered_copy(record)


cdef object snapshot_lazy(RecordCore record):
    cdef object attributes
    if record.unfilled:
        if record.immutable:
            return record
    else:
        attributes = instance_dict(record)
        msg = dict_get(attributes, "msg", None)
        args = dict_get(attributes, "args", None)
        if is_immutable(msg) and is_immutable(args):
            return record
        if msg is not record.msg or args is not record.args:
            return rendered_copy(record)
    if record.rendered is None:
        try:
            record.rendered = message(record)
        except Exception:
            pass
    return record
