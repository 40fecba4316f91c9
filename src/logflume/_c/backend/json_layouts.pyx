"""The layouts of a formatter's JSON: a table by the names of extra fields, and by what matters about their values."""

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
    EMPTY = 100  # forms: an empty dictionary
    WHOLE  # the value itself
    OTHER  # what the formatter has to look at

cdef unsigned char ANY = shared.ANY, GIVEN = shared.GIVEN, IDENTIFIER = shared.IDENTIFIER, SETTING = shared.SETTING
cdef unsigned char OBJECT = shared.OBJECT, NUMBER = shared.NUMBER, PATH = shared.PATH


# ---- what matters about a value ----

cdef unsigned char form_of(unsigned char kind, PyObject *value, bint is_open) noexcept nogil:
    """Return what a layout has to be for, of a value in an extra field of this kind.

    `is_open` tells that it is a dictionary whose items are fields of the layout.
    """
    if kind == ANY or is_open:
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
    if kind != OBJECT or not is_exact_dict(value):
        return OTHER
    return ANY if dict_size(value) else EMPTY


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

cdef bint fits(Layout *layout, Extra *extra) noexcept nogil:
    """Whether a layout for these names is for these values."""
    cdef int index
    cdef Slot *slot
    for index in range(layout.count):
        slot = &layout.slots[index]
        if slot.items != extra.items[index]:
            return False
        if slot.kind == ANY:
            continue
        if form_of(slot.kind, extra.values[index], slot.items >= 0) != slot.form:
            return False
        if slot.form == WHOLE and not is_same_value(slot.value, extra.values[index]):
            return False
    return True


cdef int count_alike(Layouts *layouts, Extra *extra) noexcept:
    """Return how many layouts are for the same names."""
    cdef Layout *layout = layouts.buckets[(extra.hash >> 20) & (BUCKETS - 1)]
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
    cdef Layout **bucket = &layouts.buckets[(layout.hash >> 20) & (BUCKETS - 1)]
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
