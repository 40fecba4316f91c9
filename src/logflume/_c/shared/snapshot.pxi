"""LogRecords that keep their message and extra fields of the call."""


cdef object snapshot(object record):
    """Return `record` in a form whose message and extra fields stay what they are now.

    That is `record` itself if they are immutable, else a copy. If rendering raises an Exception the message stays as it
    is: the handler that formats it will report that.
    """
    cdef object attributes
    cdef bint renders
    try:
        renders = not (is_immutable(record.args) and is_immutable(record.msg))
    except AttributeError:
        return record
    if Py_TYPE(record) is record_type:
        attributes = instance_dict(record)
        if PyDict_CheckExact(attributes):
            try:
                return kept_copy(record, <dict>attributes, renders)
            except Exception:
                return record
    return rendered_copy(record, renders)


cdef object kept_copy(object record, dict attributes, bint renders):
    """Do what rendered_copy() does, for a record of the standard class."""
    cdef dict now = attributes if HAS_GIL else PyDict_Copy(attributes)
    cdef dict copies = copies_in(now)
    cdef object msg = record.msg, args = record.args
    if renders and type(msg) is RenderedMessage and msg.is_kept(args):
        renders = False
    if not renders and not copies:
        return record
    known = dict_get(known_copies, id(record), None)
    if known is not None and known[0]() is record and known[2] is LogRecord and has_same_items(known[3], now):
        return known[1]
    before = PyDict_Copy(now)
    new = with_attributes(PyDict_Copy(now))
    if renders and PyDict_CheckExact(msg):
        copies["msg"] = kept_event(<dict>msg, now)
    elif not (renders and keep_rendered(new, msg, args)) and not copies:
        return record
    (<dict>instance_dict(new)).update(copies)
    remember(record, new, before)
    return new


cdef dict copies_in(dict attributes):
    """As copies_in() of _shared.kept."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    cdef dict copies = {}
    while PyDict_Next(attributes, &at, &name, &value):
        if not is_immutable_value(value):
            found = <object>value
            if <object>name not in ("msg", "args", "exc_info"):
                copied = kept(found)
                if copied is not found:
                    copies[<object>name] = copied
    return copies
