from cpython.object cimport PyObject

from logflume._c.backend.text cimport Text, add_number, add_string


cdef class Clock:
    cdef object formatter
    cdef object converter
    cdef object datefmt
    cdef object format  # of the part that changes each second; None: only the formatter can make the text
    cdef bint lasts  # the text of a second is the same in any locale
    cdef str separator  # before the milliseconds; None if they are not shown
    cdef double second
    cdef object zone  # time.tzname then
    cdef str text  # of that second
    cdef str shown  # that and the separator


cdef Clock clock_of(object formatter)
cdef bint renew(Clock clock) except -1
cdef bint tick(Clock clock, double created) except -1
cdef object time_text(Clock clock, object record, dict attributes)


cdef inline bint add_time(Text *text, Clock clock, int milliseconds) noexcept nogil:
    """Add the time that the clock shows."""
    return add_string(text, <PyObject *>clock.shown) or (
        clock.separator is not None and add_number(text, milliseconds, 3, False, True)
    )
