from cpython.object cimport PyObject

from logflume._c.interpreter.python cimport WatchedObject

cdef enum:
    MOST_CHECKED = 8  # handlers

# What targets() returns besides targets.
cdef object ASK  # moved.ask() tells
cdef object NOBODY


cdef class MovedCheck:
    cdef readonly object moved
    cdef tuple handlers
    cdef int count  # of the handlers that are watched; 0: nothing is known
    cdef WatchedObject watched[MOST_CHECKED]
    cdef PyObject *filters[MOST_CHECKED]  # held by the handlers' dictionaries
    cdef long long lowest
    cdef long long highest
    cdef readonly object for_all  # the targets of a record that is for all handlers
    cdef dict by_level  # those of a record of a level
    cdef object targets(self, long long levelno)
    cdef bint is_current(self) noexcept
    cdef bint look(self) except -1
