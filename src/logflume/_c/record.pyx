"""What a log call captures, the LogRecord that is made of it, and records whose message is kept as it was in the call.

A CapturedRecord is what goes through the queue where both ends are ours. It is smaller than a LogRecord and cheaper to
make, and, when it holds nothing but immutable values, not tracked by the garbage collector. Any other code gets the
LogRecord, which is made once.
"""

cimport cython
from cpython.bool cimport PyBool_Check
from cpython.dict cimport PyDict_CheckExact, PyDict_Next, PyDict_SetItem
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_SIZE, PyTuple_New
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_Format

from logflume._c.interpreter.python cimport (
    Py_TYPE, PyList_GET_ITEM, PyList_SET_ITEM, PyList_SetSlice, PyObject_GC_IsTracked, PyObject_GC_Track,
    PyObject_GC_UnTrack, decref, instance_dict, has_references, has_weak_references, is_immutable_value, new_object,
)
from logflume._c.kept cimport is_immutable, keep_extra, kept

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object copy, logging, rendered_message, handled_contexts, set_exception
import logging
import sys
from copy import copy

from logflume._shared.contexts import handled_contexts
from logflume._shared.exceptions import CapturedException
from logflume._shared.rendered import rendered_message, set_exception

cdef extern from "interpreter/freelist.h":
    bint can_be_reused "logflume_can_be_reused" (PyObject *object) noexcept
    void keep_for_reuse "logflume_keep_for_reuse" (PyObject *object) noexcept
    PyObject *reuse_object "logflume_reuse_object" () noexcept
    bint empty_tuple "logflume_empty_tuple" (PyObject *tuple) noexcept
    bint fill_tuple "logflume_fill_tuple" (PyObject *tuple, PyObject **items, Py_ssize_t count) noexcept

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    object PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t items)
    long long as_long_long "PyLong_AsLongLongAndOverflow" (object, int *overflow)

cdef Py_ssize_t OBJECT_FIELDS = 13  # of CapturedRecord
cdef str DICT = sys.intern("__dict__")
cdef PyTypeObject *captured_exception = <PyTypeObject *><PyObject *>CapturedException
cdef PyTypeObject *record_type = <PyTypeObject *><PyObject *>logging.LogRecord
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


cdef int track_if_needed(CapturedRecord record) except -1:
    """Have the garbage collector track `record` if it may hold anything that could be part of a cycle.

    The containers among its extra fields become copies first.
    """
    cdef bint immutable = record.extra is None or keep_extra(record.extra)
    if not (
        immutable
        and record.immutable
        and (record.exc_info is None or PyBool_Check(record.exc_info))
        and record.context is None
        and PyUnicode_CheckExact(record.name)
        and PyUnicode_CheckExact(record.levelname)
        and (record.threadName is None or PyUnicode_CheckExact(record.threadName))
        and (record.processName is None or PyUnicode_CheckExact(record.processName))
        and (record.taskName is None or PyUnicode_CheckExact(record.taskName))
    ) and not PyObject_GC_IsTracked(<PyObject *>record):
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
    cdef CapturedRecord record
    cdef dict contexts = None
    for index in range(min(count, PyList_GET_SIZE(records))):
        if Py_TYPE(<object>PyList_GET_ITEM(records, index)) is captured_type:
            record = <CapturedRecord>records[index]
            if record.context is not None and contexts is None:
                contexts = handled_contexts()
            records[index] = made_of(record, contexts)
    return 0


cdef object made_of(CapturedRecord record, dict contexts=None):
    """Return the LogRecord of a captured record; always the same.

    `contexts` is what handled_contexts() returns, or None.
    """
    cdef object captured = record.exc_info
    cdef bint has_exception = Py_TYPE(captured) is captured_exception
    if record.made is None:
        record.exc_info = None if has_exception else captured
        record.made = log_record_of(record)
        if not PyObject_GC_IsTracked(<PyObject *>record):
            PyObject_GC_Track(<PyObject *>record)
    if record.context is not None:
        if contexts is None:
            contexts = handled_contexts()
        contexts[id(record.made)] = record.made, record.context
        record.context = None
    if has_exception:
        set_exception(record.made, captured)
        record.exc_info = None
    return record.made


cdef object spare = None  # a LogRecord that take_back() let go, with the attributes of NAMES: a new one costs more


cdef object log_record_of(CapturedRecord record):
    """Return the LogRecord of a captured record that has none."""
    global spare
    cdef PyObject *name
    cdef PyObject *before
    cdef Py_ssize_t at = 0, index = 0
    cdef object made = spare
    cdef dict attributes
    if made is None or record.rendered is not None or record.site is None:
        return with_attributes(attributes_of(record))
    spare = None
    attributes = <dict>instance_dict(made)
    while PyDict_Next(attributes, &at, &name, &before):
        if not is_of_call(record, index, before):
            PyDict_SetItem(attributes, <object>name, value_of_call(record, index))
        index += 1
    if record.extra is not None:
        attributes.update(record.extra)
    return made


cdef int keep_spare(object made, dict attributes, dict extra) except -1:
    """Keep a LogRecord to which nothing else refers for the next one, without what it holds of its caller's."""
    global spare
    if spare is not None:
        return 0
    attributes["msg"] = attributes["args"] = attributes["exc_info"] = None
    if extra is not None:
        for name in extra:
            del attributes[name]
    spare = made
    return 0


cdef object with_attributes(dict attributes):
    """Return a LogRecord whose dictionary that is."""
    made = PyType_GenericAlloc(<PyTypeObject *>LogRecord, 0)  # LogRecord has no __new__() of its own
    # Not PyObject_GenericSetDict(), which on 3.13 leaves behind what the object had before.
    PyObject_GenericSetAttr(made, DICT, attributes)
    return made


cdef object with_exception(object record, object captured, long long levelno):
    """Return what to enqueue for a LogRecord that is the queue's own, and for its exception, which it does not have."""
    cdef CapturedRecord new = captured_for(record)
    new.exc_info = captured
    new.levelno = <int>levelno
    created = getattr(record, "created", None)
    if PyFloat_CheckExact(created):
        new.created = created
    PyObject_GC_Track(<PyObject *>new)
    return new


cdef dict empty_attributes():
    """Return the attributes of a LogRecord, in the standard order, all None, with room for those of formatters."""
    cdef tuple names = (
        "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
        "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
        "processName", "process",
    )
    cdef dict attributes = dict.fromkeys(names + ("taskName",) if HAS_TASK_NAME else names)
    more = ("message", "asctime", "")
    attributes.update(dict.fromkeys(more))
    for name in more:
        del attributes[name]
    return attributes


# A copy has its keys in place, and does not grow when `message` and `asctime` are set.
cdef dict EMPTY_ATTRIBUTES = empty_attributes()


cdef dict attributes_of(CapturedRecord record):
    """Return the dictionary of the LogRecord, in the standard order."""
    cdef CallSite site = record.site
    if site is None:  # the collector broke a cycle, and the record was found nevertheless
        site = NOWHERE
    msg = record.msg
    if record.rendered is not None:
        msg = rendered_message(msg, record.args, record.rendered)
    cdef dict attributes = EMPTY_ATTRIBUTES.copy()
    attributes["name"] = record.name
    attributes["msg"] = msg
    attributes["args"] = record.args
    attributes["levelname"] = record.levelname
    attributes["levelno"] = record.levelno
    attributes["pathname"] = site.pathname
    attributes["filename"] = site.filename
    attributes["module"] = site.module
    attributes["exc_info"] = record.exc_info
    attributes["lineno"] = site.lineno
    attributes["funcName"] = site.funcName
    attributes["created"] = record.created
    attributes["msecs"] = milliseconds(record)
    attributes["relativeCreated"] = since_start(record)
    if record.has_thread:
        attributes["thread"] = record.thread
    attributes["threadName"] = record.threadName
    attributes["processName"] = record.processName
    if record.has_process:
        attributes["process"] = record.process
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


# ---- captured records that filters looked at ----

cdef tuple NAMES = tuple(attributes_of(new_record()))  # of the attributes that each record has, in this order
cdef frozenset SPECIAL = frozenset(("message", "asctime", "getMessage"))  # what formatting sets or calls


cdef bint take_back(CapturedRecord record) except -1:
    """Have a captured record stand for its LogRecord again, with the attributes that other code added to this.

    False if something else refers to the LogRecord, or if it was changed otherwise: then it goes on counting.
    """
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0, index = 0
    cdef dict attributes, extra = None
    if not has_references(<PyObject *>record.made, 1) or Py_TYPE(record.made) is not record_type:
        return False
    if has_weak_references(<PyObject *>record.made):  # what is kept for the LogRecord is looked up again later
        return False
    dictionary = instance_dict(record.made)
    if not PyDict_CheckExact(dictionary) or not has_references(<PyObject *>dictionary, 2):
        return False
    attributes = <dict>dictionary
    while PyDict_Next(attributes, &at, &name, &value):
        if index < PyTuple_GET_SIZE(NAMES):
            if name is not <PyObject *>NAMES[index] or not is_of_call(record, index, value):
                return False
        else:
            if not PyUnicode_CheckExact(<object>name) or <object>name in SPECIAL:
                return False
            if extra is None:
                extra = {}
            PyDict_SetItem(extra, <object>name, <object>value)
        index += 1
    if index < PyTuple_GET_SIZE(NAMES):
        return False
    record.extra = extra
    keep_spare(record.made, attributes, extra)
    record.made = None
    PyObject_GC_UnTrack(<PyObject *>record)
    return True


cdef inline bint is_of_call(CapturedRecord record, Py_ssize_t index, PyObject *value) except -1:
    """Tell whether `value` is what attributes_of() gave for the name at that index."""
    if index == 4:
        return is_whole_number(value, record.levelno)
    if index == 13:
        return is_real_number(value, record.created)
    if index == 14:
        return is_real_number(value, milliseconds(record))
    if index == 15:
        return is_real_number(value, since_start(record))
    if index == 16 and record.has_thread:
        return is_whole_number(value, record.thread)
    if index == 19 and record.has_process:
        return is_whole_number(value, record.process)
    expected = value_of_call(record, index)
    return value is <PyObject *>expected and (index != 1 or record.rendered is None)


cdef inline object value_of_call(CapturedRecord record, Py_ssize_t index):
    """Return what attributes_of() gives for the name at that index, unless the message was rendered."""
    if index == 0:
        return record.name
    if index == 1:
        return record.msg
    if index == 2:
        return record.args
    if index == 3:
        return record.levelname
    if index == 4:
        return record.levelno
    if index == 5:
        return record.site.pathname
    if index == 6:
        return record.site.filename
    if index == 7:
        return record.site.module
    if index == 8:
        return record.exc_info
    if index == 11:
        return record.site.lineno
    if index == 12:
        return record.site.funcName
    if index == 13:
        return record.created
    if index == 14:
        return milliseconds(record)
    if index == 15:
        return since_start(record)
    if index == 16:
        return record.thread if record.has_thread else None
    if index == 17:
        return record.threadName
    if index == 18:
        return record.processName
    if index == 19:
        return record.process if record.has_process else None
    return record.taskName if index == 20 else None


cdef inline bint is_whole_number(PyObject *value, long long number) except -1:
    cdef int overflow = 0
    return PyLong_CheckExact(<object>value) and as_long_long(<object>value, &overflow) == number and not overflow


cdef inline bint is_real_number(PyObject *value, double number) noexcept:
    return PyFloat_CheckExact(<object>value) and PyFloat_AS_DOUBLE(<object>value) == number


cdef CapturedRecord captured_for(object record):
    cdef CapturedRecord new = new_record()
    new.made = record
    return new
