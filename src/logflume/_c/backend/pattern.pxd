"""A format, compiled into pieces."""

from cpython.object cimport PyObject

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
    MOST_SIMPLE = 32  # pieces of a format
    MOST_RUNS = 8
    MOST_REPEATED = 6  # values in a run

# Pieces beside each other whose texts are the same in many records: values, and what is between them.
cdef struct Repeats:
    int pieces
    int count
    int times  # how many of the values are the time
    Field fields[MOST_REPEATED]  # of the others

cdef struct SimplePiece:
    Field field
    PyObject *text  # a literal; the program's
    Py_ssize_t width
    bint left
    bint zeros
    int run  # the number of the run that begins here; -1: none does

# A format whose values are written as they are, or padded, as it is read without the GIL.
cdef struct SimpleProgram:
    bint uses_time
    int count
    SimplePiece pieces[MOST_SIMPLE]
    Repeats runs[MOST_RUNS]


cdef class Piece:
    cdef Kind kind
    cdef Field field
    cdef str text  # the literal, or the field's name
    cdef object spec  # what makes the text of OTHER: "%..." for %, or a format spec
    cdef bint percent
    cdef Py_ssize_t width
    cdef bint left
    cdef bint zeros


# A format, ready to be run.
cdef class Program:
    cdef tuple pieces
    cdef bint uses_time
    cdef bint lean  # every value is at hand in a lean record's fields
    cdef bint is_simple  # and is written as it is, or padded; the message is among them
    cdef SimpleProgram simple  # then


cdef bint is_unpatched(type cls) except -1
cdef Program program_of(object style)
