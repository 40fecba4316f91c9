"""What a log call captures, the LogRecord that is made of it, and records whose message is kept as it was in the call.

A CapturedRecord is what goes through the queue where both ends are ours. It is smaller than a LogRecord and cheaper to
make, and, when it holds nothing but immutable values, not tracked by the garbage collector. Any other code gets the
LogRecord, which is made once.
"""

cdef extern from "Python.h":
    object PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t items)
    long long as_long_long "PyLong_AsLongLongAndOverflow" (object, int *overflow)

cdef Py_ssize_t OBJECT_FIELDS = 13  # of CapturedRecord
cdef str DICT = sys.intern("__dict__")
cdef PyTypeObject *captured_exception = <PyTypeObject *><PyObject *>CapturedException
cdef PyTypeObject *record_type = <PyTypeObject *><PyObject *>LogRecord
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


cdef int keep_message(CapturedRecord record) except -1:
    """Keep the message that it has now; for a record whose msg or args can change."""
    try:
        if isinstance(record.msg, dict):
            if PyDict_CheckExact(record.msg):
                record.msg = kept_event(record.msg, record.extra)
            else:
                record.msg = copy(record.msg)
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

cdef object log_record(object record):
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


cdef object log_record_of(CapturedRecord record):
    """Return the LogRecord of a captured record that has none."""
    cdef object made = None
    if record.rendered is None and record.site is not None:
        made = spare_for(record)
    return with_attributes(attributes_of(record)) if made is None else made


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
cdef int COUNT = len(NAMES)
cdef frozenset SPECIAL = frozenset(("message", "asctime", "getMessage"))  # what formatting sets or calls

# The places in NAMES of what is dropped, and of the numbers; and how many there are.
cdef enum:
    MSG = 1
    ARGS = 2
    LEVELNO = 4
    EXC_INFO = 8
    CREATED = 13
    MSECS = 14
    RELATIVE = 15
    THREAD = 16
    PROCESS = 19
    MOST_NAMES = 21  # 20 before 3.12

# A LogRecord that take_back() let go, without what it had of its caller's: a new one costs more. It has the attributes
# of NAMES alone, with these values, to which its dictionary refers.
cdef object spare = None
cdef PyObject *spare_values[MOST_NAMES]


cdef object spare_for(CapturedRecord record):
    """Return the spare LogRecord with the attributes of a captured record, whose message was not rendered; or None."""
    global spare
    cdef object made = spare
    cdef dict attributes
    cdef PyObject *values[MOST_NAMES]
    cdef PyObject *before[MOST_NAMES]
    cdef int index
    if made is None:
        return None
    spare = None
    memcpy(before, spare_values, sizeof(before))  # the end of a value may run code that leaves another spare one
    attributes = <dict>instance_dict(made)
    values_of(record, values)
    for index in range(COUNT):
        if values[index] is NULL:
            if not is_number(before[index], record, index):
                PyDict_SetItem(attributes, <object>PyTuple_GET_ITEM(NAMES, index), number_of(record, index))
        elif values[index] is not before[index]:
            PyDict_SetItem(attributes, <object>PyTuple_GET_ITEM(NAMES, index), <object>values[index])
    if record.extra is not None:
        PyDict_Update(attributes, record.extra)
    return made


cdef bint take_back(CapturedRecord record) except -1:
    """Have a captured record stand for its LogRecord again, with the attributes that other code added to this.

    False if something else refers to the LogRecord, or if it was changed otherwise: then it goes on counting.
    """
    global spare
    cdef PyObject *name
    cdef PyObject *value
    cdef PyObject *values[MOST_NAMES]
    cdef Py_ssize_t at = 0, index = 0
    cdef dict attributes, extra = None
    if not has_references(<PyObject *>record.made, 1) or Py_TYPE(record.made) is not record_type:
        return False
    if has_weak_references(<PyObject *>record.made):  # what is kept for the LogRecord is looked up again later
        return False
    if record.rendered is not None or record.site is None:
        return False
    dictionary = instance_dict(record.made)
    if not PyDict_CheckExact(dictionary) or not has_references(<PyObject *>dictionary, 2):
        return False
    attributes = <dict>dictionary
    values_of(record, values)
    while PyDict_Next(attributes, &at, &name, &value):
        if index >= COUNT:
            if not PyUnicode_CheckExact(<object>name) or <object>name in SPECIAL:
                return False
            if extra is None:
                extra = {}
            PyDict_SetItem(extra, <object>name, <object>value)
        elif name is not PyTuple_GET_ITEM(NAMES, index):
            return False
        elif values[index] is NULL:
            if not is_number(value, record, index):
                return False
            values[index] = value
        elif value is not values[index]:
            return False
        index += 1
    if index < COUNT:
        return False
    record.extra = extra
    if spare is None:
        for index in (MSG, ARGS, EXC_INFO):
            if values[index] is not <PyObject *>None:
                PyDict_SetItem(attributes, <object>PyTuple_GET_ITEM(NAMES, index), None)
                values[index] = <PyObject *>None
        if extra is not None:
            for name_of_extra in extra:
                PyDict_DelItem(attributes, name_of_extra)
        memcpy(spare_values, values, sizeof(values))
        spare = record.made
    record.made = None
    PyObject_GC_UnTrack(<PyObject *>record)
    return True


cdef void values_of(CapturedRecord record, PyObject **values) noexcept:
    """Store what attributes_of() gives if the message was not rendered, borrowed from the record; NULL for a number."""
    cdef CallSite site = record.site
    values[0] = <PyObject *>record.name
    values[MSG] = <PyObject *>record.msg
    values[ARGS] = <PyObject *>record.args
    values[3] = <PyObject *>record.levelname
    values[LEVELNO] = NULL
    values[5] = <PyObject *>site.pathname
    values[6] = <PyObject *>site.filename
    values[7] = <PyObject *>site.module
    values[EXC_INFO] = <PyObject *>record.exc_info
    values[9] = values[10] = <PyObject *>None
    values[11] = <PyObject *>site.lineno
    values[12] = <PyObject *>site.funcName
    values[CREATED] = values[MSECS] = values[RELATIVE] = NULL
    values[THREAD] = NULL if record.has_thread else <PyObject *>None
    values[17] = <PyObject *>record.threadName
    values[18] = <PyObject *>record.processName
    values[PROCESS] = NULL if record.has_process else <PyObject *>None
    values[20] = <PyObject *>record.taskName


cdef object number_of(CapturedRecord record, Py_ssize_t index):
    """Return what attributes_of() gives at that index, which is one of those of numbers."""
    if index == LEVELNO:
        return record.levelno
    if index == CREATED:
        return record.created
    if index == MSECS:
        return milliseconds(record)
    if index == RELATIVE:
        return since_start(record)
    return record.thread if index == THREAD else record.process


cdef inline bint is_number(PyObject *value, CapturedRecord record, Py_ssize_t index) except -1:
    """Tell whether `value` is what number_of() returns."""
    if index == LEVELNO:
        return is_whole_number(value, record.levelno)
    if index == CREATED:
        return is_real_number(value, record.created)
    if index == MSECS:
        return is_real_number(value, milliseconds(record))
    if index == RELATIVE:
        return is_real_number(value, since_start(record))
    return is_whole_number(value, <long long>record.thread if index == THREAD else record.process)


cdef inline bint is_whole_number(PyObject *value, long long number) except -1:
    cdef int overflow = 0
    return PyLong_CheckExact(<object>value) and as_long_long(<object>value, &overflow) == number and not overflow


cdef inline bint is_real_number(PyObject *value, double number) noexcept:
    return PyFloat_CheckExact(<object>value) and PyFloat_AS_DOUBLE(<object>value) == number


cdef CapturedRecord captured_for(object record):
    cdef CapturedRecord new = new_record()
    new.made = record
    return new
