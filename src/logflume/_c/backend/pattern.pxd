"""A format, compiled into a pattern of fields."""

cdef enum Kind:
    LITERAL
    TEXT  # a string as it is, or padded to a width
    NUMBER  # a whole number, maybe padded
    OTHER  # anything else that can be said with one value

cdef enum Attribute:
    UNKNOWN
    MESSAGE
    ASCTIME
    NAME
    LEVELNAME
    LEVELNO
    PATHNAME
    FILENAME
    MODULE
    FUNCNAME
    LINENO
    CREATED
    MSECS
    THREAD
    THREADNAME
    PROCESS
    PROCESSNAME
    EXTRA  # not an attribute that records have from the start
    # What a formatter adds: see added_fields.pxd.
    LEVELPREFIX
    CLIENT_ADDR
    REQUEST_LINE
    STATUS_CODE


cdef class Field:
    cdef Kind kind
    cdef Attribute attribute
    cdef str text  # the literal, or the field's name
    cdef object spec  # what makes the text of OTHER: "%..." for %, or a format spec
    cdef bint percent
    cdef Py_ssize_t width
    cdef bint left
    cdef bint zeros


cdef class Pattern:
    cdef tuple fields
    cdef bint uses_time
    cdef bint takes_fields  # a captured record has every value at hand
    cdef bint is_simple  # and each is written as it is, or padded
    cdef bint shows_message
    cdef bint has_added  # whether the formatter adds fields to a record
    cdef tuple statuses  # the text of each status if it adds those of a request


cdef Attribute attribute_of(str name) except *
cdef Pattern pattern_of(object style, tuple added)
