"""The layouts of a formatter's JSON, and which of them is that of a record: see _delivery/json_layouts.py."""

from cpython.object cimport PyObject
from libc.string cimport memcmp

from logflume._c.backend.message cimport is_string
from logflume._c.backend.pattern cimport Attribute
from logflume._c.backend.text cimport data_of, kind_of, length_of

cdef extern from "Python.h" nogil:
    ctypedef struct PyASCIIObject:
        Py_hash_t hash

cdef enum:
    NO_HASH = -1  # of a string that was not a key yet
    MOST_EXTRA = 32  # extra fields
    BUCKETS = 256  # a power of two
    MOST_LAYOUTS = 512
    MOST_ALIKE = 16  # layouts for the same names
    MOST_LEVELS = 8  # a power of two
    LEVEL_TEXTS = 2

# What a field's value is taken from, beside the attributes of pattern.pxd.
cdef enum Source:
    FROM_ATTRIBUTE
    FROM_DICTIONARY  # what a captured record does not keep
    FROM_EXTRA
    FROM_LEVEL
    TASK_NAME
    TIMESTAMP
    MILLISECONDS  # the time with them
    MICROSECONDS
    TEXT_OF_LINE
    END

# What is None in a record.
cdef enum Missing:
    NO_THREAD = 1
    NO_THREAD_NAME = 2
    NO_PROCESS = 4
    NO_PROCESS_NAME = 8

# Bytes of the output that stay the same.
cdef struct Literal:
    const char *bytes
    Py_ssize_t size
    Py_ssize_t wide

# A value, and what comes before it.
cdef struct Part:
    Literal before
    Source source
    Attribute attribute
    PyObject *name
    int index  # of the extra field, or of the level's text
    int digits  # hexadecimal ones; 0: as it is
    bint inside  # a string that has begun

# An extra field, or an item of a dictionary that is one.
cdef struct Slot:
    PyObject *name
    PyObject *value  # if this is in the layout
    int items
    unsigned char kind
    unsigned char form

cdef struct Layout:
    Layout *next  # in the bucket
    size_t hash
    int missing
    int count
    bint looks  # at values
    bint is_simple  # a captured record has every value, and the message is among them
    bint takes_fields  # a captured record has every value
    Slot *slots
    Part *parts  # NULL: the formatter has to be called

# What depends on a record's level.
cdef struct Level:
    PyObject *name
    long long number
    Literal texts[LEVEL_TEXTS]

cdef struct Layouts:
    Layout *buckets[BUCKETS]
    int count
    Level levels[MOST_LEVELS]

# The extra fields of a record.
cdef struct Extra:
    int missing
    int count
    size_t hash
    PyObject *names[MOST_EXTRA]
    PyObject *values[MOST_EXTRA]
    int items[MOST_EXTRA]  # how many of the following are in this one, a dictionary; -1: it is not looked into


cdef unsigned char form_of(unsigned char kind, PyObject *value, bint is_open) noexcept nogil
cdef bint is_in_layout(unsigned char form) noexcept nogil
cdef bint is_left_to_formatter(unsigned char form) noexcept nogil
cdef bint fits(Layout *layout, Extra *extra) noexcept nogil
cdef int count_alike(Layouts *layouts, Extra *extra) noexcept
cdef Layout *new_layout(Extra *extra) except NULL
cdef int add_layout(Layouts *layouts, Layout *layout) noexcept
cdef int free_layout(Layout *layout) noexcept
cdef int free_layouts(Layouts *layouts) noexcept


cdef inline bint is_same_string(PyObject *one, PyObject *other) noexcept nogil:
    """Whether two strings of the same hash are equal."""
    return (
        length_of(one) == length_of(other)
        and kind_of(one) == kind_of(other)
        and memcmp(data_of(one), data_of(other), length_of(one) * kind_of(one)) == 0
    )


cdef inline bint add_extra_field(Extra *extra, PyObject *name, PyObject *value) noexcept nogil:
    """Add a field of a record; false if there are too many, or its name is no string."""
    cdef Py_hash_t hashed
    if extra.count == MOST_EXTRA or not is_string(name):
        return False
    hashed = (<PyASCIIObject *>name).hash
    if hashed == NO_HASH:
        return False
    extra.names[extra.count] = name
    extra.values[extra.count] = value
    extra.items[extra.count] = -1
    extra.count += 1
    extra.hash = (extra.hash ^ <size_t>hashed) * 1000003
    return True


cdef inline bint has_names(Layout *layout, Extra *extra) noexcept nogil:
    cdef int index
    cdef PyObject *name
    cdef PyObject *other
    if layout.hash != extra.hash or layout.count != extra.count or layout.missing != extra.missing:
        return False
    for index in range(layout.count):
        name = layout.slots[index].name
        other = extra.names[index]
        if name is not other and (
            (<PyASCIIObject *>name).hash != (<PyASCIIObject *>other).hash or not is_same_string(name, other)
        ):
            return False
    return True


cdef inline Layout *find_layout(Layouts *layouts, Extra *extra) noexcept nogil:
    """Return the layout for a record; NULL if it is not known."""
    cdef Layout *layout = layouts.buckets[(extra.hash >> 20) & (BUCKETS - 1)]
    while layout is not NULL:
        if has_names(layout, extra) and (not layout.looks or fits(layout, extra)):
            return layout
        layout = layout.next
    return NULL


cdef inline Level *find_level(Layouts *layouts, PyObject *name, long long number) noexcept nogil:
    """Return the texts for a level; NULL if they are not known yet."""
    cdef int index
    for index in range(MOST_LEVELS):
        if layouts.levels[index].name is name and layouts.levels[index].number == number:
            return &layouts.levels[index]
    return NULL
