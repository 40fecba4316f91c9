from cpython.object cimport PyObject

from logflume._c.interpreter.python cimport WatchedObject

cdef enum:
    MOST_CHECKED = 8  # handlers

cdef enum:
    FOR_NONE
    FOR_ALL
    FOR_SOME  # moved.ask() tells for which


cdef class MovedCheck:
    cdef readonly object moved
    cdef tuple handlers
    cdef int count  # of the handlers that are watched; 0: nothing is known
    cdef WatchedObject watched[MOST_CHECKED]
    cdef PyObject *filters[MOST_CHECKED]  # held by the handlers' dictionaries
    cdef long long lowest
    cdef long long highest
    cdef int ask(self, long long levelno) except -1
    cdef bint is_current(self) noexcept
    cdef bint look(self) except -1
