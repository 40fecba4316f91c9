"""The layouts of a formatter's JSON: a table by the names of extra fields, and by what matters about their values."""

from cpython.object cimport PyObject, PyTypeObject
from libc.stdlib cimport calloc, free
from libc.string cimport memchr

from logflume._c.backend.message cimport Py_None, is_string, is_whole, whole_number
from logflume._c.backend.text cimport data_of, is_ascii, length_of

from logflume._delivery import json_layouts as shared

cdef extern from "Python.h" nogil:
    bint is_dict "PyDict_Check"(PyObject *)
    bint is_bool "PyBool_Check"(PyObject *)
    PyTypeObject *type_of "Py_TYPE"(PyObject *)

cdef unsigned char ANY = shared.ANY, GIVEN = shared.GIVEN, IDENTIFIER = shared.IDENTIFIER, PATH = shared.PATH


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
    if kind == IDENTIFIER:
        return form_of_identifier(value) if is_string(value) and is_ascii(value) else OTHER
    return WHOLE if is_string(value) or is_whole(value) or is_bool(value) else OTHER


cdef unsigned char form_of_identifier(PyObject *string) noexcept nogil:
    cdef const char *text = <const char *>data_of(string)
    cdef Py_ssize_t size = length_of(string), zeros = 0
    while zeros < size and text[zeros] == c'0':
        zeros += 1
    if zeros == size:
        return WHOLE
    return ANY if memchr(text, c'/', size) is NULL else PATH


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

cdef class Layout:
    """What is the same in all records with these extra fields."""

    def __dealloc__(self):
        free(self.slots)
        free(self.parts)


cdef bint fits(Layout layout, Extra *extra) noexcept nogil:
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


cdef bint may_be_added(Layouts *layouts, Extra *extra) noexcept:
    """Whether a layout for this record may be made: it may cost more than it saves."""
    cdef PyObject *layout = layouts.buckets[(extra.hash >> 20) & (BUCKETS - 1)]
    cdef int count = 0
    while layout is not NULL:
        count += has_names(<Layout>layout, extra)
        layout = (<Layout>layout).next
    return layouts.credit >= LAYOUT_COST and count < MOST_ALIKE


cdef Layout new_layout(Extra *extra):
    """Return a layout for a record, with empty slots and without parts, that is in no table."""
    cdef Layout layout = Layout.__new__(Layout)
    layout.slots = <Slot *>calloc(extra.count + 1, sizeof(Slot))
    if layout.slots is NULL:
        raise MemoryError
    layout.hash = extra.hash
    layout.level_name = extra.level_name
    layout.level = extra.level
    layout.count = extra.count
    layout.held = []
    return layout


cdef int add_layout(Layouts *layouts, Layout layout) noexcept:
    """Put a layout, which has to be held as long, into the table."""
    cdef PyObject **bucket = &layouts.buckets[(layout.hash >> 20) & (BUCKETS - 1)]
    layout.next = bucket[0]
    bucket[0] = <PyObject *>layout
    layouts.credit -= LAYOUT_COST
    return 0
