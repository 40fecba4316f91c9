"""Makes the text of many records at once."""

from cpython.object cimport PyObject

from logflume._c.pieces cimport MOST_RUNS, Program
from logflume._c.record cimport RecordCore

cdef class Segment:
    cdef readonly Py_ssize_t count
    cdef readonly bint special
    cdef readonly object interrupt
    cdef readonly list explained
    cdef char *_text
    cdef Py_ssize_t _size
    cdef Py_ssize_t _text_room
    cdef Py_ssize_t _wide  # how many bytes of the text are not the first of their character
    cdef Py_ssize_t *_ends
    cdef Py_ssize_t _ends_room
    cdef bint _ascii


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


cdef enum:
    PLANS = 16  # of messages, kept for a formatter
    MOST_PARTS = 8  # of a message

cdef struct Conversion:
    const char *literal  # the text before it
    Py_ssize_t size
    char kind  # 0: there is none, only the text
    bint left
    bint zeros
    Py_ssize_t width

# What a message with arguments is made of, so that it is looked through once and not for each record.
cdef struct Plan:
    PyObject *message  # owned
    int count
    Py_ssize_t arguments  # how many it takes; -1: it has to be left to the interpreter
    Conversion parts[MOST_PARTS]

# The text of a run of pieces, as it was added for some record.
cdef struct Repeated:
    Py_ssize_t start  # in the segment
    Py_ssize_t size


cdef class Job:
    cdef object formatter
    cdef Program program
    cdef dict defaults
    cdef Clock clock
    cdef bint stock_record
    cdef bint private  # nobody but the deliverer refers to the record at hand
    cdef object explained  # the record at hand, if its traceback was formatted, and its exc_text before
    cdef object unexplained
    cdef Plan *plans[PLANS]
    # The last record, if add_simple() did it, its time, and where the texts that do not change often are.
    cdef RecordCore previous
    cdef double second
    cdef int msecs
    cdef Repeated repeated[MOST_RUNS]


cdef Segment compose(object handler, list records, object sink, int holders)
cdef Segment compose_job(
    Job job, list records, object terminator, Py_ssize_t limit, Py_ssize_t room, bint ascii, int holders)
cdef Job lasting_job_of(object formatter)
cdef bint renew(Job job) except -1
