"""Composes records as JSON, for a JsonFormatter whose methods and encoder are its own.

A simple record becomes text without the GIL, as in format.pxi: the parts of its layout, one after the other. A value
that is no string, number, bool or None is given to the formatter's encoder, and whatever is out of the ordinary is
given to the formatter itself: a message that is a dictionary, an exception.
"""

# ---- simple records: without the GIL ----

cdef inline int add_literal(Text *text, Literal *literal) noexcept nogil:
    if literal.wide and text.ascii:
        return UNFIT
    text.wide += literal.wide
    if reserve(text, literal.size):
        return UNFIT
    logflume_copy(text.bytes + text.size, literal.bytes, literal.size)
    text.size += literal.size
    return 0


cdef inline bint take_level(Extra *extra, JsonPattern pattern, PyObject *name, long long number) noexcept nogil:
    """Begin to note what a record's layout depends on; false if it is unusual."""
    extra.count = extra.level = extra.hash = 0
    extra.level_name = NULL
    if pattern.has_schema:
        extra.level_name = name
        extra.level = number
        extra.hash = <size_t>number << 20
    return extra.level_name is NULL or is_string(name)


cdef inline bint take_extra(Extra *extra, JsonPattern pattern, CapturedRecord record) noexcept nogil:
    """Note the extra fields of a captured record, whose dictionary of them is its own; false if there are too many."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    if not take_level(extra, pattern, <PyObject *>record.levelname, record.levelno):
        return False
    if record.extra is not None:
        while next_item(<PyObject *>record.extra, &at, &name, &value):
            if not add_extra_field(extra, name, value):
                return False
    return True


cdef int add_json(
    Text *text, JsonPattern pattern, Clock clock, Templates *templates, CapturedRecord record
) noexcept nogil:
    """Add a simple record, of the second that the clock shows; pattern.is_simple has to be true."""
    cdef bint only_ascii = text.ascii
    cdef Extra extra
    cdef PyObject *layout
    cdef Part *part
    cdef int unfit
    if record.exc_info is not None or is_dict(<PyObject *>record.msg):
        return OTHERWISE
    if pattern.uses_time and not clock.second <= record.created < clock.second + 1.0:
        return OTHERWISE
    if not take_extra(&extra, pattern, record):
        return OTHERWISE
    layout = find_layout(&pattern.layouts, &extra)
    if layout is NULL or (<Layout>layout).parts is NULL or not (<Layout>layout).is_simple:
        return OTHERWISE
    if pattern.ascii:
        text.ascii = False  # whatever is added comes out as ASCII
    part = (<Layout>layout).parts
    while True:
        unfit = add_literal(text, &part.before)
        if part.source == END or unfit:
            break
        if part.source == MESSAGE:
            unfit = add_json_message(text, pattern, templates, record)
        elif part.source == EXTRA:
            unfit = add_extra(text, pattern, part, extra.values[part.index])
        else:
            unfit = add_part(text, pattern, part, clock, record)
        if unfit:
            break
        part += 1
    text.ascii = only_ascii
    return unfit


cdef inline int add_json_message(
    Text *text, JsonPattern pattern, Templates *templates, CapturedRecord record
) noexcept nogil:
    cdef PyObject *args = <PyObject *>record.args
    cdef Py_ssize_t start
    if record.rendered is not None:
        return (
            add_json_string(text, <PyObject *>record.rendered, pattern.ascii)
            if is_string(<PyObject *>record.rendered)
            else OTHERWISE
        )
    if not record.immutable or not is_tuple(args) or not is_string(<PyObject *>record.msg):
        return OTHERWISE
    if tuple_size(args) == 0:
        return add_json_string(text, <PyObject *>record.msg, pattern.ascii)
    start = text.size + 1
    if add_ascii(text, '"', 1):
        return UNFIT
    if add_message(text, templates, <PyObject *>record.msg, args):
        return OTHERWISE  # half of a pair, too, has an escape
    return end_json_string(text, start, pattern.ascii)


cdef inline int add_extra(Text *text, JsonPattern pattern, Part *part, PyObject *value) noexcept nogil:
    """Add the value of an extra field, or the rest of a string."""
    cdef Py_ssize_t start = text.size
    if not part.inside:
        return add_json_value(text, value, pattern.ascii)
    if not is_string(value):
        return OTHERWISE
    return add_string(text, value) or escape_from(text, start, pattern.ascii)


cdef inline int add_part(
    Text *text, JsonPattern pattern, Part *part, Clock clock, CapturedRecord record
) noexcept nogil:
    """Add a value of a captured record, but for its message and the extra fields."""
    cdef int source = part.source
    if source == MICROSECONDS:
        return add_json_timestamp(text, &pattern.second, record.created, 0, 6)
    if source == MILLISECONDS:
        return add_json_timestamp(text, &pattern.second, record.created, <int>milliseconds(record), 3)
    if source == TIMESTAMP:
        return add_json_timestamp(text, &pattern.second, record.created, 0, 0)
    if source == TEXT_OF_LINE:
        return add_json_line(text, <PyObject *>record.site.lineno)
    if source == TASK_NAME:
        return add_json_value(text, <PyObject *>record.taskName, pattern.ascii)
    if source == ASCTIME:
        return add_json_time(text, pattern, clock, record)
    if source == LEVELNO:
        return add_number(text, record.levelno, 0, False, False)
    if source == LINENO:
        return add_attribute(text, pattern, <PyObject *>record.site.lineno)
    if source == CREATED:
        return add_json_float(text, record.created)
    if source == MSECS:
        return add_json_float(text, milliseconds(record))
    if source == PROCESS:
        return add_number(text, record.process, 0, False, False) if record.has_process else OTHERWISE
    if source == THREAD:
        if not record.has_thread or record.thread >> 63:
            return OTHERWISE
        return add_number(text, <long long>record.thread, 0, False, False)
    return OTHERWISE if source == UNKNOWN else add_attribute(text, pattern, text_of(record, <Attribute>source))


cdef inline int add_attribute(Text *text, JsonPattern pattern, PyObject *value) noexcept nogil:
    """Add a value that schemas may leave out if it is None."""
    return OTHERWISE if value is Py_None and pattern.has_schema else add_json_value(text, value, pattern.ascii)


cdef inline int add_json_line(Text *text, PyObject *number) noexcept nogil:
    """Add a number as a string."""
    return add_ascii(text, '"', 1) or add_whole_number(text, number, 0, False, False) or add_ascii(text, '"', 1)


cdef inline int add_json_time(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record) noexcept nogil:
    cdef Py_ssize_t start = text.size + 1
    if add_ascii(text, '"', 1) or add_time(text, clock, <int>milliseconds(record)):
        return UNFIT
    return end_json_string(text, start, pattern.ascii)


# ---- any records ----

cdef int add_nested(Text *text, JsonPattern pattern, PyObject *value, int depth) noexcept:
    """Add a value, or a list, tuple or dictionary of such values, that add_json_value() can add.

    No Python code runs here, so that with the GIL they stay as they are.
    """
    if is_exact_dict(value):
        return add_object(text, pattern, value, depth) if HAS_GIL and depth and not pattern.sorts else OTHERWISE
    if is_list(value) or is_tuple(value):
        return add_array(text, pattern, value, depth) if HAS_GIL and depth else OTHERWISE
    return add_json_value(text, value, pattern.ascii)


cdef int add_object(Text *text, JsonPattern pattern, PyObject *dictionary, int depth) noexcept:
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    cdef bint is_first = True
    cdef int unfit = add_ascii(text, "{", 1)
    while not unfit and next_item(dictionary, &at, &name, &value):
        if not is_string(name):
            return OTHERWISE
        unfit = (
            (not is_first and add_ascii(text, ", ", 1 if pattern.compact else 2))
            or add_json_string(text, name, pattern.ascii)
            or add_ascii(text, ": ", 1 if pattern.compact else 2)
            or add_nested(text, pattern, value, depth - 1)
        )
        is_first = False
    return unfit or add_ascii(text, "}", 1)


cdef int add_array(Text *text, JsonPattern pattern, PyObject *values, int depth) noexcept:
    cdef Py_ssize_t index = 0
    cdef int unfit = add_ascii(text, "[", 1)
    while not unfit and index < sequence_size(values):
        unfit = (
            (index > 0 and add_ascii(text, ", ", 1 if pattern.compact else 2))
            or add_nested(text, pattern, sequence_item(values, index), depth - 1)
        )
        index += 1
    return unfit or add_ascii(text, "]", 1)


cdef int add_any(Text *text, JsonPattern pattern, object value) except -1:
    """Add any value, which may run code of its class."""
    cdef Py_ssize_t size = text.size, wide = text.wide
    cdef int unfit = add_nested(text, pattern, <PyObject *>value, DEEPEST)
    if unfit != OTHERWISE or (pattern.sorts and isinstance(value, (dict, list, tuple))):
        return unfit
    text.size = size
    text.wide = wide
    encoded = repr(value) if PyFloat_CheckExact(value) else pattern.encoder.encode(value)
    if not PyUnicode_CheckExact(encoded):
        return OTHERWISE
    return add_string(text, <PyObject *>encoded)


cdef bint take_any_extra(Extra *extra, JsonPattern pattern, dict added, list held) except -1:
    """Note the extra fields in a dictionary that stays as it is; `held` gets what else has to."""
    if added is not None:
        for name, value in added.items():
            kind = kind_of_field(pattern, name) if PyUnicode_CheckExact(name) else 0
            if not add_any_field(extra, name, value, kind, held):
                return False
    return True


cdef bint add_any_field(Extra *extra, object name, object value, unsigned char kind, list held) except -1:
    """Add a field, and the items of a dictionary whose kind matters; false if there are too many."""
    cdef dict items
    cdef int index = extra.count
    if not add_extra_field(extra, <PyObject *>name, <PyObject *>value):
        return False
    if not kind or not HAS_GIL or not is_exact_dict(<PyObject *>value):
        return True
    items = (<dict>value).copy()
    held.append(items)
    for key, each in items.items():
        if not add_any_field(extra, key, each, kind_within(kind), held):
            return False
    extra.items[index] = <int>len(items)
    extra.hash += extra.items[index] + 1
    return True


cdef int add_json_captured(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record) except -1:
    """Add a captured record, of the second that the clock shows; pattern.is_simple has to be true."""
    cdef Extra extra
    cdef list held = []
    message = captured_message(record)
    if (
        not PyUnicode_CheckExact(message)
        or record.exc_info is not None
        or is_dict(<PyObject *>record.msg)
        or not take_level(&extra, pattern, <PyObject *>record.levelname, record.levelno)
        or not take_any_extra(&extra, pattern, record.extra, held)
    ):
        return OTHERWISE
    return add_parts(text, pattern, clock, record, {"message": message}, &extra)


cdef int add_json_log_record(
    Text *text, JsonPattern pattern, Clock clock, object record, dict attributes
) except -1:
    """Add a record whose values, and its message, are in its dictionary."""
    cdef Extra extra
    cdef int overflow = 0
    cdef list held = []
    if pattern.uses_time:
        attributes["asctime"] = time_text(clock, record, attributes)
    added = {name: value for name, value in attributes.items() if name not in OWN}
    level_name, level = attributes["levelname"], attributes["levelno"]
    if (
        is_dict(<PyObject *>attributes["msg"])
        or attributes["exc_info"] is not None
        or attributes["exc_text"] is not None
        or attributes["stack_info"] is not None
        or not is_whole(<PyObject *>level)
        or not take_level(&extra, pattern, <PyObject *>level_name, whole_number(<PyObject *>level, &overflow))
        or overflow
        or not take_any_extra(&extra, pattern, added, held)
    ):
        return OTHERWISE
    return add_parts(text, pattern, clock, None, attributes, &extra)


cdef int add_parts(
    Text *text, JsonPattern pattern, Clock clock, CapturedRecord record, dict values, Extra *extra
) except -1:
    """Add a captured record, whose message is among the values; or, without it, one whose values these are."""
    cdef Layout layout = know_layout(pattern, extra)
    cdef Part *part
    cdef bint only_ascii = text.ascii
    cdef int unfit
    if layout is None or layout.parts is NULL or (record is not None and not layout.is_simple):
        return OTHERWISE
    if pattern.ascii:
        text.ascii = False
    part = layout.parts
    try:
        while True:
            unfit = add_literal(text, &part.before)
            if unfit or part.source == END:
                return unfit
            if part.source == EXTRA:
                if part.inside:
                    unfit = add_extra(text, pattern, part, extra.values[part.index])
                else:
                    unfit = add_any(text, pattern, <object>extra.values[part.index])
            elif record is None or part.source == MESSAGE:
                unfit = add_json_part(text, pattern, part, values)
            else:
                unfit = add_part(text, pattern, part, clock, record)
            if unfit:
                return unfit
            part += 1
    finally:
        text.ascii = only_ascii


cdef int add_json_part(Text *text, JsonPattern pattern, Part *part, dict values) except -1:
    """Add a value of a record that has these."""
    cdef double part_of_second = 0
    if part.source <= TASK_NAME:
        value = dict_get(values, <object>part.name, None)
        return OTHERWISE if value is None and pattern.has_schema else add_any(text, pattern, value)
    if part.source == TEXT_OF_LINE:
        value = values["lineno"]
        return add_json_line(text, <PyObject *>value)
    created = values["created"]
    if part.source == MILLISECONDS:
        value = values["msecs"]
        part_of_second = PyFloat_AS_DOUBLE(value) if PyFloat_CheckExact(value) else -1
    if not PyFloat_CheckExact(created) or not 0 <= part_of_second < 1000:
        return OTHERWISE
    return add_json_timestamp(
        text, &pattern.second, PyFloat_AS_DOUBLE(created), <int>part_of_second,
        0 if part.source == TIMESTAMP else 3 if part.source == MILLISECONDS else 6,
    )
