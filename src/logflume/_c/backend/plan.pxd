from cpython.object cimport PyObject

from logflume._c.backend.format cimport Composer
from logflume._c.interpreter.python cimport WatchedObject

cdef extern from "backend/write.h" nogil:
    ctypedef struct logflume_file:
        Py_ssize_t at_once


# A handler whose text is composed, and how. It is kept as long as nothing about them changes.
cdef class Plan:
    cdef WatchedObject handler
    cdef WatchedObject formatter
    cdef WatchedObject style
    cdef unsigned int record_version
    cdef PyObject *stream  # the handler's dictionary, unchanged, holds it
    cdef object terminator
    cdef Composer composer
    cdef object sink  # None: it has to be looked up for each batch
    cdef object encoding  # the stream's; how many attributes it and its buffers have; and so on
    cdef object line_buffering
    cdef Py_ssize_t attributes
    cdef logflume_file file  # the sink's
    cdef Py_ssize_t capacity  # of the stream's buffer if the text goes through it; 0 if straight to the file
    cdef bint may_be_due
    cdef bint may_rotate
    # Whether simple records can be composed without the GIL. A batch with another one needs it after all, and costs
    # more then: the next batches are not tried, twice as many as after the one before.
    cdef bint is_simple
    cdef int not_tried
    cdef int left


cdef int way_of(object handler, bint asked) except -1
cdef bint may_have_plan(object handler) except -1
cdef Plan plan_of(object handler)
cdef bint is_current(Plan plan, object handler) except -1
cdef int forget(Plan plan) except -1
