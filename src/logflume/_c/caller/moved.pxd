from cpython.object cimport PyObject

from logflume._c.interpreter.python cimport WatchedObject
from logflume._c.record cimport CapturedRecord

cdef enum:
    MOST_CHECKED = 8  # handlers

# What targets() returns besides targets.
cdef object ASK  # ask() tells
cdef object NO_TARGETS


cdef class MovedCheck:
    cdef readonly object moved
    cdef tuple handlers
    cdef int count  # of the handlers that are watched; 0: nothing is known
    cdef WatchedObject watched[MOST_CHECKED]
    cdef PyObject *filters[MOST_CHECKED]  # held by the handlers' dictionaries
    cdef long long levels[MOST_CHECKED]
    cdef bint asked[MOST_CHECKED]  # whether its filters are asked in the call
    cdef bint overridden[MOST_CHECKED]  # whether its filter() is not the standard one
    cdef long long lowest
    cdef long long highest
    cdef readonly object for_all  # the targets of a record that is for all handlers
    cdef dict by_level  # those of a record of a level
    cdef dict by_set  # those of a record for a set of handlers, one bit each
    cdef object targets(self, long long levelno, object name)
    cdef object by_names(self, long long levelno, object name)
    cdef list ask(self, CapturedRecord record)
    cdef bint is_known(self, Py_ssize_t index) noexcept
    cdef bint is_below(self, Py_ssize_t index, object handler, CapturedRecord record) except -1
    cdef bint may_filter(self, Py_ssize_t index, object handler) except -1
    cdef bint is_current(self, bint *have_filters) noexcept
    cdef bint read_handlers(self, bint *have_filters) except -1
