"""What both sides use, and declares to them: the records, the batches, and what goes through the queue."""

from cpython.object cimport PyObject, PyTypeObject

cdef class CallSite:
    """The place a log call was made from; shared by all records made there."""
    cdef readonly object pathname
    cdef readonly object filename
    cdef readonly object module
    cdef readonly object funcName
    cdef readonly object lineno  # an int, or None for code without lines
    cdef readonly bint internal  # in logging itself or in the import machinery: not a caller
    cdef bint lasting  # whether the same instruction of the same code is the same line next time


cdef class CapturedRecord:
    # All object fields come first and are never NULL; new_record() relies on both. record_for_call() may have others
    # than None in them. Once a record is in the queue none of them is written again but `exc_info` and `made`, by the
    # thread that delivers it, until recycle(): so code that has a reference to the record may read them without the
    # GIL. What they refer to is shared, and does not change.
    cdef object name
    cdef object msg
    cdef object args  # a tuple, or the one mapping that was given
    cdef object levelname
    cdef CallSite site  # pathname, filename, module, funcName, lineno
    cdef object exc_info  # as a LogRecord has it, or a CapturedException
    cdef object threadName
    cdef object processName
    cdef object taskName  # always None before 3.12, whose records have no such attribute
    cdef object extra  # a dictionary of this record's own, or None
    cdef object context  # the caller's contextvars, or None if there were none
    cdef object rendered  # the message of the call if msg or args can change, or None
    cdef object made  # the LogRecord, once it is made: then it counts, with exc_info; or None
    cdef double created  # seconds, as record.created
    cdef long long created_ns  # what time.time_ns() gave, on Pythons whose records are made from it
    cdef unsigned long long thread  # gevent gives addresses for it, which need not fit into a long
    cdef readonly int levelno
    cdef int process
    cdef unsigned char immutable  # a flag, as the following: msg and args cannot change
    cdef unsigned char has_thread  # else record.thread is None (logging.logThreads was off)
    cdef unsigned char has_process  # else record.process is None (logging.logProcesses was off)
    # The LogRecord's stack_info is None.


cdef class ListenerCore:
    cdef public int state
    # As wide as these: sys.maxsize may be given for "never", and gevent's identities are addresses.
    cdef public long long flush_at
    cdef public unsigned long long delivering_thread
    cdef public bint flush_wanted
    cdef unsigned long long _calls_to_brake  # see is_brake_due()
    cdef public object queue
    cdef public object qsize
    cdef unsigned long long _crowded_at  # how long it may be then
    cdef unsigned long long _checked  # the class's version, times four, plus what it has of its own
    cdef bint delivers_here(self) except -1
    cdef bint takes_captured(self, object queue) except -1
    cdef unsigned long long own_parts(self) except? 0
    cdef bint is_brake_due(self) noexcept
    cdef bint is_crowded(self) except -1


cdef class Batch:
    cdef readonly object targets
    cdef readonly object request
    cdef readonly list records
    cdef readonly Py_ssize_t count
    cdef readonly double created
    cdef readonly dict contexts
    cdef bint add(self, object item) except -1
    cdef int append(self, object item) except -1

# shared/kept.pxi
cdef bint has_same_items(dict before, dict attributes) except -1

# shared/filters.pxi
cdef enum:
    DROPS
    PASSES
    ASKS  # they have to be called

cdef int by_name(list filters, object name) except -1
cdef bint only_standard(list filters) except -1

# shared/context.pxi
cdef object current_context()

# shared/record.pxi
cdef PyTypeObject *captured_type

cdef int keep_message(CapturedRecord record) except -1
cdef object message(CapturedRecord record)
cdef object render(object text, object args)
cdef double milliseconds(CapturedRecord record) noexcept nogil
cdef object with_exception(object record, object captured, long long levelno)
cdef object made_of(CapturedRecord record, dict contexts=*)
cdef bint take_back(CapturedRecord record) except -1
cdef CapturedRecord captured_for(object record)
cdef object log_record(object record)
cpdef int make_log_records(list records, Py_ssize_t count=*) except -1

# shared/reuse.pxi
cdef CapturedRecord record_for_call(object msg, PyObject **arguments, Py_ssize_t count)
cdef int recycle(list records, Py_ssize_t count) except -1
cdef int track_if_needed(CapturedRecord record) except -1

# shared/snapshot.pxi
cdef object snapshot(object record)
