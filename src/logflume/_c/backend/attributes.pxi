"""The attributes of a captured record: those that are strings, and those that `extra` or filters added."""


cdef inline PyObject *text_of(CapturedRecord record, Attribute attribute) noexcept nogil:
    """The value of an attribute that in nearly all records is a string, borrowed; NULL for other attributes."""
    if attribute == NAME:
        return <PyObject *>record.name
    if attribute == LEVELNAME:
        return <PyObject *>record.levelname
    if attribute == PATHNAME:
        return <PyObject *>record.site.pathname
    if attribute == FILENAME:
        return <PyObject *>record.site.filename
    if attribute == MODULE:
        return <PyObject *>record.site.module
    if attribute == FUNCNAME:
        return <PyObject *>record.site.funcName
    if attribute == THREADNAME:
        return <PyObject *>record.threadName
    if attribute == PROCESSNAME:
        return <PyObject *>record.processName
    return NULL


cdef inline PyObject *extra_value(CapturedRecord record, PyObject *name) noexcept nogil:
    """The value of an added attribute, borrowed; NULL if the record lacks it. The name's hash has to be known."""
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    if record.extra is not None:
        while next_item(<PyObject *>record.extra, &at, &key, &value):
            if key is name or (
                is_string(key)
                and (<PyASCIIObject *>key).hash == (<PyASCIIObject *>name).hash
                and is_same_string(key, name)
            ):
                return value
    return NULL
