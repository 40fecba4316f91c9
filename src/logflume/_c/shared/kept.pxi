"""Values that cannot change, and copies of those that can: a record is written as it was in the call."""

cdef extern from "Python.h":
    bint PySet_CheckExact(object)

cdef int NESTING = 8  # tuples in tuples that is_immutable() looks into


cdef bint is_immutable(object value):
    """Tell whether `value` cannot change: exactly a str, number, bool, None, bytes, or a tuple of those."""
    return is_immutable_value(<PyObject *>value) or (
        PyTuple_CheckExact(value) and is_immutable_tuple(<tuple>value, NESTING)
    )


cdef bint is_immutable_tuple(tuple values, int nesting):
    for value in values:
        if not is_immutable_value(<PyObject *>value):
            if not PyTuple_CheckExact(value) or nesting == 0 or not is_immutable_tuple(<tuple>value, nesting - 1):
                return False
    return True


cdef object kept(object value):
    """As kept() of _shared.kept."""
    cdef object new = None
    if PyDict_CheckExact(value):
        new = PyDict_Copy(value)
    elif PyList_CheckExact(value):
        new = PyList_GetSlice(value, 0, PY_SSIZE_T_MAX)
    elif not (PyTuple_CheckExact(value) or PySet_CheckExact(value) or PyByteArray_CheckExact(value)):
        return value
    return new if new is not None and is_flat(new) else kept_deeply(value)


cdef object kept_event(dict event, object extra):
    """As kept_event() of _shared.kept; `extra` may be None."""
    if extra is None or dict_get(event, "exc_info", None) is not True:
        return kept(event)
    return kept_event_of_structlog(event, extra)


cdef bint is_flat(object container):
    """Tell whether a list or dictionary that is not shared holds only immutable values."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    if PyDict_CheckExact(container):
        while PyDict_Next(container, &at, &name, &value):
            if not is_immutable_value(value):
                return False
        return True
    for at in range(PyList_GET_SIZE(container)):
        if not is_immutable_value(PyList_GET_ITEM(container, at)):
            return False
    return True


cdef bint keep_extra(dict extra) except -1:
    """Keep the extra fields of a record as they are now; return whether they are immutable, and then not tracked."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    cdef bint immutable = True
    while PyDict_Next(extra, &at, &name, &value):
        if not is_immutable_value(value):
            immutable = False
            new = kept(<object>value)
            if new is not <object>value:
                PyDict_SetItem(extra, <object>name, new)
    if immutable:
        PyObject_GC_UnTrack(<PyObject *>extra)
    return immutable


cdef bint has_same_items(dict before, dict attributes) except -1:
    """Tell whether both have the same objects under the same names, in the same order."""
    cdef PyObject *name
    cdef PyObject *value
    cdef PyObject *other_name
    cdef PyObject *other
    cdef Py_ssize_t at = 0, other_at = 0
    if len(before) != len(attributes):
        return False
    while PyDict_Next(before, &at, &name, &value):
        if not PyDict_Next(attributes, &other_at, &other_name, &other) or name is not other_name or value is not other:
            return False
    return True
