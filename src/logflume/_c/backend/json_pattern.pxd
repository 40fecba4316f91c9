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

cdef enum:
    MOST_PARTS = 32  # of an object
    MOST_KEYS = 128  # of extra fields that are known; a power of two

# What a field's value is taken from, beside the attributes of pattern.pxd.
cdef enum Source:
    FROM_ATTRIBUTE
    FROM_DICTIONARY  # a value that a record need not have, or that a captured record does not keep
    TASK_NAME
    TIMESTAMP
    NULL_VALUE  # what a record without an exception has for exc_info, exc_text and stack_info
    EXTRA_FIELDS  # all the fields that are not the record's own
    END

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

cdef enum KeyKind:
    SKIPPED
    ADDED
    RENAMED
    TARGET  # an other one may have this name in the output
    CLASHES  # with a field that is there before

cdef struct Key:
    PyObject *key  # the table's
    Py_hash_t hash
    KeyKind kind
    Literal before


cdef class JsonPattern:
    cdef object formatter
    cdef object encoder
    cdef list held  # what the parts refer to
    cdef list held_keys  # what the keys refer to
    cdef tuple attributes  # of the formatter, as they were
    cdef tuple contents  # of its dictionaries
    cdef dict renamed
    cdef object skipped
    cdef set names  # in the output, of all fields that are not extra
    cdef list targets  # names in the output of renamed fields
    cdef bint keeps_missing
    cdef bint ascii
    cdef bint uses_time
    cdef bint takes_fields  # a captured record has every value
    cdef bint is_simple  # and the message is among the values
    cdef int known
    cdef Part parts[MOST_PARTS]
    cdef Key keys[MOST_KEYS]


cdef JsonPattern json_pattern_of(object formatter, JsonPattern known)
cdef bint is_unchanged(JsonPattern pattern) except -1
cdef Key *get_to_know(JsonPattern pattern, object key) except NULL


cdef inline bint is_same_string(PyObject *one, PyObject *other) noexcept nogil:
    """Whether two strings of the same hash are equal."""
    return (
        length_of(one) == length_of(other)
        and kind_of(one) == kind_of(other)
        and memcmp(data_of(one), data_of(other), length_of(one) * kind_of(one)) == 0
    )


cdef inline Key *known_key(JsonPattern pattern, PyObject *key) noexcept nogil:
    """Return what is known of the name of an extra field; NULL: nothing, or it is no string."""
    cdef Py_hash_t hashed
    cdef size_t index
    cdef Key *found
    if not is_string(key):
        return NULL
    hashed = (<PyASCIIObject *>key).hash
    if hashed == NO_HASH:
        return NULL
    index = <size_t>hashed
    while True:
        found = &pattern.keys[index & (MOST_KEYS - 1)]
        if found.key is NULL:
            return NULL
        if found.key is key or (found.hash == hashed and is_same_string(found.key, key)):
            return found
        index += 1
