"""A format, compiled into pieces."""

cdef enum Kind:
    LITERAL
    TEXT  # a string as it is, or padded to a width
    NUMBER  # a whole number, maybe padded
    OTHER  # anything else that can be said with one value

cdef enum Field:
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


cdef enum:
    MOST_RUNS = 8
    MOST_REPEATED = 6  # values in a run

# Values whose texts are the same in many records, and what is between them.
cdef struct Repeats:
    int pieces
    int count
    bint times  # the time is among them
    Field fields[MOST_REPEATED]


cdef class Piece:
    cdef Kind kind
    cdef Field field
    cdef str text  # the literal, or the field's name
    cdef object spec  # what makes the text of OTHER: "%..." for %, or a format spec
    cdef bint percent
    cdef Py_ssize_t width
    cdef bint left
    cdef bint zeros
    # Pieces beside each other whose texts are the same in many records make a run; its first one has its number.
    # -1: not the first of a run.
    cdef int run


# A format, ready to be run.
cdef class Program:
    cdef tuple pieces
    cdef Repeats runs[MOST_RUNS]
    cdef bint uses_time
    cdef bint lean  # every value is at hand in a lean record's fields
    cdef bint simple  # and is written as it is, or padded; the message is among them


cdef bint is_stock(type cls) except -1
cdef Program program_of(object style)
