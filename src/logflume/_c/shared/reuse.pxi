"""A captured record for a call: new, or one that was delivered; and whether the garbage collector has to track it."""

cdef extern from "interpreter/freelist.h":
    bint can_be_reused "logflume_can_be_reused" (PyObject *) noexcept
    void keep_for_reuse "logflume_keep_for_reuse" (PyObject *) noexcept
    PyObject *reuse_object "logflume_reuse_object" () noexcept
    bint empty_tuple "logflume_empty_tuple" (PyObject *tuple) noexcept
    bint fill_tuple "logflume_fill_tuple" (PyObject *tuple, PyObject **items, Py_ssize_t count) noexcept


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
    record.msg = reference_to_give(msg)
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
        if Py_TYPE(<object>record) is not captured_type or not can_be_reused(record):
            continue
        # The list's reference goes to the freelist.
        if not PyObject_GC_IsTracked(record):
            Py_INCREF(None)
            PyList_SET_ITEM(records, index, <PyObject *>None)
        elif is_plain(<CapturedRecord>record):
            PyObject_GC_UnTrack(record)
            # The end of the contextvars may run code: they end with the list.
            Py_INCREF((<CapturedRecord>record).context)
            PyList_SET_ITEM(records, index, <PyObject *>(<CapturedRecord>record).context)
            (<CapturedRecord>record).context = None
        else:
            continue
        drop_message(<CapturedRecord>record)
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
    if (
        not (immutable and record.context is None and holds_immutable(record))
        and not PyObject_GC_IsTracked(<PyObject *>record)
    ):
        PyObject_GC_Track(<PyObject *>record)
    return 0


cdef bint is_plain(CapturedRecord record):
    """Tell whether a record whose contextvars are dropped need not be tracked."""
    return record.made is None and holds_immutable(record) and (record.extra is None or is_flat(record.extra))


cdef inline bint holds_immutable(CapturedRecord record):
    """Tell whether a record holds only immutable values, but for its extra fields, contextvars and LogRecord."""
    return (
        record.immutable
        and (record.exc_info is None or PyBool_Check(record.exc_info))
        and PyUnicode_CheckExact(record.name)
        and PyUnicode_CheckExact(record.levelname)
        and (record.threadName is None or PyUnicode_CheckExact(record.threadName))
        and (record.processName is None or PyUnicode_CheckExact(record.processName))
        and (record.taskName is None or PyUnicode_CheckExact(record.taskName))
    )
