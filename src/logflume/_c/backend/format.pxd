"""Makes the text of many records at once."""

from cpython.object cimport PyObject

from logflume._c.backend.message cimport Plans
from logflume._c.backend.pattern cimport MOST_RUNS, Program
from logflume._c.backend.text cimport Text

cdef class BatchText:
    cdef readonly bint special
    cdef readonly object interrupt
    cdef readonly list explained
    cdef Text text


cdef class Clock:
    cdef object formatter
    cdef object converter
    cdef object datefmt
    cdef object format  # of the part that changes each second; None: the formatter has to say
    cdef bint lasts  # the text of a second is the same in any locale
    cdef str separator  # before the milliseconds; None if they are not shown
    cdef double second
    cdef object zone  # time.tzname then
    cdef str text  # of that second
    cdef str shown  # that and the separator


# The text of pieces beside each other, as it was added for the last record.
cdef struct Repeated:
    Py_ssize_t start  # in the segment
    Py_ssize_t size
    Py_ssize_t wide
    Py_ssize_t milliseconds  # where they are in it; -1: nowhere


cdef class Job:
    cdef object formatter
    cdef Program program
    cdef dict defaults
    cdef Clock clock
    cdef bint record_is_unpatched
    cdef bint private  # nobody but the deliverer refers to the record at hand
    cdef object explained  # the record at hand, if its traceback was formatted, and its exc_text before
    cdef object unexplained
    cdef Plans plans
    # The last record of this segment, if add_simple() did it, its time, and its texts that do not change often.
    # `repeated` counts from the segment's begin and is right only while `previous` is not NULL: begin_segment(), and
    # whoever takes back what add_simple() added, sets that to NULL. Records added in other ways leave both as they are.
    cdef PyObject *previous
    cdef double second
    cdef int milliseconds
    cdef Repeated repeated[MOST_RUNS]


cdef BatchText compose(object handler, list records, object sink, int holders)
cdef BatchText begin_segment(Job job, bint ascii)
cdef Py_ssize_t add_simple_records(
    Text *text, Job job, PyObject **records, Py_ssize_t count, PyObject *terminator, Py_ssize_t room
) noexcept nogil
cdef int add_records(
    BatchText segment, Job job, list records, Py_ssize_t index, object terminator, Py_ssize_t limit, Py_ssize_t room,
    int holders) except -1
cdef int hold_messages(Job job) noexcept
cdef Job lasting_job_of(object formatter)
cdef bint renew(Job job) except -1
cdef bint tick(Clock clock, double created) except -1
