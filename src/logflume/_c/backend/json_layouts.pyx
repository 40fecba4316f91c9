"""The layouts of a formatter's JSON: a table by the names of the extra fields, and by what matters about their values."""

from cpython.object cimport PyObject, PyTypeObject
from libc.stdlib cimport calloc, free
from libc.string cimport memchr

from logflume._c.backend.message cimport Py_None, is_string, is_whole, whole_number
from logflume._c.backend.text cimport data_of, is_ascii, length_of

from logflume._delivery import json_layouts as shared

cdef extern from "Python.h" nogil:
    bint is_dict "PyDict_Check"(PyObject *)
    bint is_exact_dict "PyDict_CheckExact"(PyObject *)
    bint is_bool "PyBool_Check"(PyObject *)
    Py_ssize_t dict_size "PyDict_Size"(PyObject *)
    PyTypeObject *type_of "Py_TYPE"(PyObject *)

cdef enum:
    NO_HASH = -1  # of a string that was not a key yet
    EMPTY = 100  # forms: an empty dictionary
    WHOLE  # the value itself
    OTHER  # what the formatter has to look at

cdef unsigned char ANY = shared.ANY, GIVEN = shared.GIVEN, IDENTIFIER = shared.IDENTIFIER, SETTING = shared.SETTING
cdef unsigned char OBJECT = shared.OBJECT, NUMBER = shared.NUMBER, PATH = shared.PATH


# ---- what matters about a value ----

cdef unsigned char form_of(unsigned char kind, PyObject *value) noexcept nogil:
    """Return what a layout has to be for, of a value in an extra field of this kind."""
    if kind == ANY:
        return ANY
    if value is Py_None:
        return WHOLE
    if kind == GIVEN:
        return OTHER if is_dict(value) else ANY
    if kind == SETTING:
        return WHOLE if is_string(value) or is_whole(value) or is_bool(value) else OTHER
    if kind == IDENTIFIER:
        if is_string(value):
            return form_of_identifier(value)
        if is_whole(value):
            return WHOLE if is_zero(value) else NUMBER
        return OTHER
    if not is_exact_dict(value):
        return OTHER
    if dict_size(value) == 0:
        return EMPTY
    return ANY if kind == OBJECT else OTHER


cdef unsigned char form_of_identifier(PyObject *string) noexcept nogil:
    cdef const char *text = <const char *>data_of(string)
    cdef Py_ssize_t size = length_of(string), zeros = 0
    if not is_ascii(string):
        return OTHER
    while zeros < size and text[zeros] == c'0':
        zeros += 1
    if zeros == size:
        return WHOLE
    return ANY if memchr(text, c'/', size) is NULL else PATH


cdef bint is_zero(PyObject *number) noexcept nogil:
    cdef int overflow = 0
    return whole_number(number, &overflow) == 0 and not overflow


cdef bint is_in_layout(unsigned char form) noexcept nogil:
    """Whether the value is part of the layout."""
    return form == WHOLE or form == EMPTY


cdef bint is_left_to_formatter(unsigned char form) noexcept nogil:
    return form == OTHER


cdef bint is_same_value(PyObject *one, PyObject *other) noexcept nogil:
    """Whether two of what form_of() finds to be a part of layouts are equal."""
    cdef int overflow = 0, more = 0
    if one is other:
        return True
    if type_of(one) is not type_of(other):
        return False
    if is_string(one):
        return is_same_string(one, other)
    return is_whole(one) and whole_number(one, &overflow) == whole_number(other, &more) and not overflow and not more


# ---- which layout ----

cdef bint add_extra_field(Extra *extra, PyObject *name, PyObject *value) noexcept nogil:
    """Add a field of a record; false if there are too many, or its name is no string."""
    cdef Py_hash_t hashed
    if extra.count == MOST_EXTRA or not is_string(name):
        return False
    hashed = (<PyASCIIObject *>name).hash
    if hashed == NO_HASH:
        return False
    extra.names[extra.count] = name
    extra.values[extra.count] = value
    extra.count += 1
    extra.hash = (extra.hash ^ <size_t>hashed) * 1000003 + (<size_t>hashed >> 7)
    return True


cdef bint has_names(Layout *layout, Extra *extra) noexcept nogil:
    cdef int index
    cdef PyObject *name
    if layout.hash != extra.hash or layout.count != extra.count:
        return False
    for index in range(layout.count):
        name = layout.slots[index].name
        if name is not extra.names[index] and not (
            (<PyASCIIObject *>name).hash == (<PyASCIIObject *>extra.names[index]).hash
            and is_same_string(name, extra.names[index])
        ):
            return False
    return True


cdef bint fits(Layout *layout, Extra *extra) noexcept nogil:
    """Whether a layout for these names is for these values."""
    cdef int index
    cdef Slot *slot
    for index in range(layout.count):
        slot = &layout.slots[index]
        if slot.kind != ANY and form_of(slot.kind, extra.values[index]) != slot.form:
            return False
        if slot.form == WHOLE and not is_same_value(slot.value, extra.values[index]):
            return False
    return layout.missing == extra.missing


cdef Layout *find_layout(Layouts *layouts, Extra *extra) noexcept nogil:
    """Return the layout for a record; NULL if it is not known."""
    cdef Layout *layout = layouts.buckets[extra.hash & (BUCKETS - 1)]
    while layout is not NULL and not (has_names(layout, extra) and fits(layout, extra)):
        layout = layout.next
    return layout


cdef int count_alike(Layouts *layouts, Extra *extra) noexcept:
    """Return how many layouts are for the same names."""
    cdef Layout *layout = layouts.buckets[extra.hash & (BUCKETS - 1)]
    cdef int count = 0
    while layout is not NULL:
        count += has_names(layout, extra)
        layout = layout.next
    return count


cdef Layout *new_layout(Extra *extra) except NULL:
    """Return a layout for a record, with empty slots and without parts, that is in no table."""
    cdef Layout *layout = <Layout *>calloc(1, sizeof(Layout))
    if layout is NULL:
        raise MemoryError
    layout.slots = <Slot *>calloc(extra.count + 1, sizeof(Slot))
    if layout.slots is NULL:
        free(layout)
        raise MemoryError
    layout.hash = extra.hash
    layout.missing = extra.missing
    layout.count = extra.count
    return layout


cdef int add_layout(Layouts *layouts, Layout *layout) noexcept:
    cdef Layout **bucket = &layouts.buckets[layout.hash & (BUCKETS - 1)]
    layout.next = bucket[0]
    bucket[0] = layout
    layouts.count += 1
    return 0


cdef int free_layout(Layout *layout) noexcept:
    free(layout.slots)
    free(layout.parts)
    free(layout)
    return 0


cdef int free_layouts(Layouts *layouts) noexcept:
    """Empty the table of layouts."""
    cdef Layout *layout
    cdef Layout *next
    cdef int index
    for index in range(BUCKETS):
        layout = layouts.buckets[index]
        layouts.buckets[index] = NULL
        while layout is not NULL:
            next = layout.next
            free_layout(layout)
            layout = next
    layouts.count = 0
    return 0
