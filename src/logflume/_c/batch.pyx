"""The part of a listener that a log call looks at, and the loop that takes each record out of the queue."""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.object cimport PyObject, PyTypeObject

from logflume._c.interpreter.python cimport Py_TYPE, call0, dict_get
from logflume._c.record cimport RecordCore

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object Empty, LazyRecord, SimpleQueue, take_context
import time
from queue import Empty, SimpleQueue

from logflume._c.record import LazyRecord
from logflume._shared.contexts import kept_contexts, take_context
from logflume._listener.state import IDLE, RUNNING, STOPPED, STOPPING, FlushRequest

cdef object flush_request = FlushRequest
cdef dict time_globals = vars(time)
cdef dict kept = kept_contexts
cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>LazyRecord

__all__ = ["IDLE", "RUNNING", "STOPPED", "STOPPING", "FlushRequest", "ListenerCore", "Batch", "take"]


cdef class ListenerCore:
    """State shared by a listener and the handlers that feed it."""

    @property
    def delivering_thread(self):
        return self._delivering_thread

    @delivering_thread.setter
    def delivering_thread(self, unsigned long long ident):
        self._delivering_thread = ident

    cdef int count(self, Batch run) except -1:
        self._handled += run.count
        if run.created != 0.0:
            self._delay = <double>call0(dict_get(time_globals, "time", None)) - run.created
            self._longest_delay = max(self._longest_delay, self._delay)
        return 0

    def _count(self, Batch run not None):
        """Count the records of `run`, which were handled, and how late that was."""
        self.count(run)


cdef class Batch:
    """What was taken from the queue: see the pure twin."""

    def __init__(self, item):
        self.records = []
        self.count = 1
        self.created = 0.0
        if type(item) is flush_request:
            self.request = item
        elif type(item) is tuple:
            self.route = (<tuple>item)[0]
            self.records.append((<tuple>item)[1])
        elif item is not None:
            self.records.append(item)
        if self.records:
            self.note_context(item, self.records[0])
            self.created = created(self.records[0])

    cdef bint add(self, object item) except -1:
        """Take `item` in, if it is a record for the same handlers."""
        if Py_TYPE(item) is lazy_type and self.route is None and self.records:
            self.records.append(item)
            self.count += 1
            return True
        if item is None or type(item) is flush_request or not self.records:
            return False
        cdef object record = item
        if type(item) is tuple:
            if (<tuple>item)[0] is not self.route:
                return False
            record = (<tuple>item)[1]
        elif self.route is not None:
            return False
        self.note_context(item, record)
        self.records.append(record)
        self.count += 1
        return True

    cdef int note_context(self, object item, object record) except -1:
        """Note what came beside `record`."""
        cdef object context = None
        if Py_TYPE(record) is lazy_type:
            return 0  # which carries it
        if record is not item:
            context = (<tuple>item)[2] if len(<tuple>item) == 3 else None
        elif kept:
            context = take_context(record)
        if context is not None:
            if self.contexts is None:
                self.contexts = {}
            self.contexts[id(record)] = record, context
        return 0


cdef double created(object record) except? -1.0:
    """Return record.created, without making a lean record's dictionary; 0.0 if that is no time."""
    cdef object found
    if Py_TYPE(record) is lazy_type and (<RecordCore>record).unfilled:
        return (<RecordCore>record).created
    try:
        found = record.created
    except Exception:  # the record would be lost
        return 0.0
    return PyFloat_AS_DOUBLE(found) if PyFloat_CheckExact(found) else 0.0


cpdef take(object queue, Py_ssize_t limit, object taken):
    """Move up to `limit` items that are in `queue` now to `taken`, in runs, oldest first, without waiting."""
    cdef Batch run = None
    cdef object get = queue.get_nowait
    cdef object item = None
    cdef bint in_hand = False
    cdef Py_ssize_t _
    if type(queue) is SimpleQueue:
        limit = min(limit, <Py_ssize_t>queue.qsize())  # to be told by an exception costs more
    try:
        for _ in range(limit):
            in_hand = False
            item = call0(get)
            in_hand = True
            if run is None or not run.add(item):
                run = Batch(item)
                taken.append(run)
    except BaseException as error:
        if in_hand:
            queue.put_nowait(item)  # there is no memory: better late than lost
        elif isinstance(error, Empty):
            return
        raise
