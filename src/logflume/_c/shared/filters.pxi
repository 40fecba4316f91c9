"""What the standard filters of a handler or logger say: the name of a record's logger decides it."""

cdef object Filter = logging.Filter
cdef PyTypeObject *filter_class = <PyTypeObject *><PyObject *>logging.Filter
cdef object standard_filter = logging.Filter.__dict__["filter"]
cdef object standard_code = standard_filter.__code__
cdef object MISSING = object()
cdef unsigned int unpatched_version = 0  # the version in which the class was last found to be unpatched


cdef bint filter_is_unpatched() except -1:
    """Tell whether logging.Filter is as the standard library made it."""
    global unpatched_version
    cdef unsigned int version = type_version(filter_class)
    if version == 0 or version != unpatched_version:
        # Read first, so that a change while the class is examined counts at the next call.
        version = assign_type_version(filter_class)
        if not class_is_unpatched(Filter):
            return False
        unpatched_version = version
    return standard_filter.__code__ is standard_code


cdef int by_name(list filters, object name) except -1:
    """Tell what Filterer.filter() says about a record of the logger `name`: DROPS, PASSES or ASKS.

    ASKS if one of the filters has to be called for that.
    """
    cdef Py_ssize_t i = 0
    cdef int verdict = PASSES
    cdef object each
    while True:
        each = list_get(filters, i, MISSING)
        if each is MISSING:
            return verdict
        if Py_TYPE(each) is not filter_class or not PyUnicode_CheckExact(name) or not filter_is_unpatched():
            return ASKS
        if not passes(instance_dict(each), name, &verdict):
            return ASKS
        i += 1


cdef bint only_standard(list filters) except -1:
    """Tell whether all of them are exactly logging's own, or there are none."""
    return by_name(filters, "") != ASKS


cdef bint passes(object attributes, str name, int *verdict) except -1:
    """Do what logging.Filter.filter() does, and note in `verdict` if it drops; False if its attributes are unusual."""
    cdef object own = dict_get(attributes, "name", None)
    cdef Py_ssize_t length
    if not PyUnicode_CheckExact(own) or "filter" in attributes:
        return False
    length = PyUnicode_GET_LENGTH(own)
    if dict_get(attributes, "nlen", None) != length:
        return False
    if length == 0 or name is own or name == own:
        return True
    if (
        PyUnicode_GET_LENGTH(name) <= length
        or PyUnicode_READ_CHAR(name, length) != c"."
        or not PyUnicode_Tailmatch(name, own, 0, length, -1)
    ):
        verdict[0] = DROPS
    return True
