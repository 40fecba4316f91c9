"""The fields that a formatter of _delivery/added_fields.py adds to a record. None of this needs the GIL."""

cdef enum:
    ARGUMENTS = 5  # of a record of a request: address, method, path, version, status
    FIRST_STATUS = 100
    PREFIX_WIDTH = 8  # of a level in its prefix


cdef inline bint can_add(Pattern pattern, PyObject *levelname, PyObject *args) noexcept nogil:
    """Whether add_added() makes what the formatter adds to a record that has these."""
    cdef Py_ssize_t index
    cdef int overflow = 0
    if not pattern.has_added:
        return True
    if not is_string(levelname):
        return False
    if pattern.statuses is None:
        return True
    if not is_tuple(args) or tuple_size(args) != ARGUMENTS or not is_whole(tuple_item(args, ARGUMENTS - 1)):
        return False
    for index in range(ARGUMENTS - 1):
        if not is_string(tuple_item(args, index)):
            return False
    index = whole_number(tuple_item(args, ARGUMENTS - 1), &overflow) - FIRST_STATUS
    return not overflow and 0 <= index < tuple_size(<PyObject *>pattern.statuses)


cdef inline int add_added(
    Text *text, Pattern pattern, Field field, PyObject *levelname, PyObject *args
) noexcept nogil:
    """Add a field that the formatter adds to a record for which can_add()."""
    cdef int overflow = 0
    cdef PyObject *string
    if field.attribute == LEVELPREFIX:
        return (
            add_string(text, levelname)
            or add_ascii(text, ":", 1)
            or add_spaces(text, PREFIX_WIDTH - length_of(levelname))
        )
    if field.attribute == REQUEST_LINE:
        return (
            add_string(text, tuple_item(args, 1))
            or add_ascii(text, " ", 1)
            or add_string(text, tuple_item(args, 2))
            or add_ascii(text, " HTTP/", 6)
            or add_string(text, tuple_item(args, 3))
        )
    if field.attribute == STATUS_CODE:
        string = tuple_item(
            <PyObject *>pattern.statuses,
            <Py_ssize_t>whole_number(tuple_item(args, ARGUMENTS - 1), &overflow) - FIRST_STATUS,
        )
    else:
        string = tuple_item(args, 0)
    return add_padded(text, string, field.width, field.left)
