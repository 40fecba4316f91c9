"""A log record that keeps what was captured in C fields until something reads its dictionary."""

from cpython.object cimport PyObject


cdef class CallSite:
    """The place a log call was made from; shared by all records made there."""
    cdef readonly object pathname
    cdef readonly object filename
    cdef readonly object module
    cdef readonly object funcName
    cdef readonly object lineno  # an int, or None for code without lines
    cdef readonly bint internal  # in logging itself or in the import machinery: not a caller
    cdef object code  # the code object, and the offset of the call in it
    cdef int lasti


cdef class RecordCore:
    # While `unfilled` is true these fields are the record. Once it is false record.__dict__ is, and the fields
    # only tell what was captured; they stay until the record ends. All object fields come first and
    # are never NULL; new_record() relies on both. record_for_call() may have others than None in them.
    # Once a record is in the queue none of them is written again but `unfilled` and `rendered`, until recycle(): so
    # code that has a reference to the record may read them without the GIL. What they refer to is shared, and does
    # not change.
    cdef object name
    cdef object msg
    cdef object args  # a tuple, or the one mapping that was given
    cdef object levelname
    cdef CallSite site  # pathname, filename, module, funcName, lineno
    cdef object exc_info
    cdef object threadName
    cdef object processName
    cdef object taskName  # always None before 3.12, whose records have no such attribute
    cdef object extra  # a dictionary of this record's own, or None
    cdef object context  # the caller's contextvars, or None if there were none
    cdef object rendered  # what getMessage() gives as long as msg and args are these same objects; or None
    cdef double created  # seconds, as record.created
    cdef long long created_ns  # what time.time_ns() gave, on Pythons whose records are made from it
    cdef unsigned long long thread  # gevent gives addresses for it, which need not fit into a long
    cdef int levelno
    cdef int process
    cdef unsigned char unfilled  # this and the following are flags
    cdef unsigned char immutable  # msg and args are immutable: rendering them later gives the same text
    cdef unsigned char has_thread  # else record.thread is None (logging.logThreads was off)
    cdef unsigned char has_process  # else record.process is None (logging.logProcesses was off)
    # A lazy record's stack_info and exc_text are None.


cdef RecordCore record_for_call(object msg, PyObject **arguments, Py_ssize_t count)
cdef int recycle(list records, Py_ssize_t count) except -1
cdef int track_if_needed(RecordCore record) except -1
cdef object message(RecordCore record)
cdef double milliseconds(RecordCore record) noexcept nogil
cpdef object snapshot(object record)
