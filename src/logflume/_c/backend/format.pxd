"""Composes the text of many records at once."""

from cpython.object cimport PyObject

from logflume._c.backend.batch_text cimport BatchText
from logflume._c.backend.clock cimport Clock
from logflume._c.backend.json_pattern cimport JsonPattern
from logflume._c.backend.message cimport Templates
from logflume._c.backend.pattern cimport Pattern
from logflume._c.backend.text cimport Text


cdef class Composer:
    cdef object formatter
    cdef Pattern pattern  # None: the formatter makes each text, or `json` does
    cdef JsonPattern json
    cdef dict defaults
    cdef Clock clock
    cdef bint record_is_unpatched
    cdef object explained  # the record at hand, if its traceback was formatted, and its exc_text before
    cdef object unexplained
    cdef Templates templates


# What a text has to keep to: see _delivery.sinks.
cdef struct Limits:
    PyObject *terminator  # borrowed
    Py_ssize_t size
    Py_ssize_t room


cdef Composer composer_of(object formatter, Composer known)
cdef int compose(BatchText text, Composer composer, list records, Py_ssize_t index, Limits *limits) except -1
cdef Py_ssize_t compose_simple(
    Text *text, Composer composer, PyObject **records, Py_ssize_t count, Limits *limits
) noexcept nogil
cdef bint makes_simple(Composer composer) noexcept
cdef int hold_messages(Composer composer) noexcept
