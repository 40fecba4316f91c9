"""Composes records as JSON, for a JsonFormatter whose methods and encoder are its own.

A simple record becomes text without the GIL, as in format.pyx: the parts of its layout, one after the other. A value
that is no string, number, bool or None is given to the formatter's encoder, and whatever is out of the ordinary is
given to the formatter itself: a message that is a dictionary, an exception.
"""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact

from logflume._c.backend.attributes cimport next_item, text_of
from logflume._c.backend.clock cimport Clock, add_time, time_text
from logflume._c.backend.json_layouts cimport (
    END, FROM_EXTRA, FROM_LEVEL, MICROSECONDS, MILLISECONDS, NO_PROCESS, NO_PROCESS_NAME, NO_THREAD,
    NO_THREAD_NAME, TASK_NAME, TEXT_OF_LINE, TIMESTAMP, Extra, Layout, Level, Literal, Part, add_extra_field,
    find_layout, find_level,
)
from logflume._c.backend.json_pattern cimport MOST_CREDIT, JsonPattern, know_layout, know_level, opens
from logflume._c.backend.json_text cimport (
    add_json_float, add_json_string, add_json_timestamp, add_json_value, escape_from,
)
from logflume._c.backend.message cimport Templates, add_message, add_whole_number, is_string, is_tuple, tuple_size
from logflume._c.backend.pattern cimport ASCTIME, CREATED, LEVELNO, LINENO, MESSAGE, MSECS, PROCESS, THREAD, Attribute
from logflume._c.backend.text cimport OTHERWISE, UNFIT, Text, add_ascii, add_number, add_string, logflume_copy, reserve
from logflume._c.interpreter.python cimport HAS_GIL, dict_get
from logflume._c.record cimport CapturedRecord, milliseconds

from logflume._delivery.json_layouts import OWN as _OWN

cdef extern from "Python.h" nogil:
    bint is_dict "PyDict_Check"(PyObject *)
    bint is_exact_dict "PyDict_CheckExact"(PyObject *)
    bint is_list "PyList_CheckExact"(PyObject *)
    # of a list or tuple
    Py_ssize_t sequence_size "PySequence_Fast_GET_SIZE"(PyObject *)
    PyObject *sequence_item "PySequence_Fast_GET_ITEM"(PyObject *, Py_ssize_t)
    PyObject *Py_None

cdef enum:
    DEEPEST = 32  # containers in containers; the encoder takes more

cdef frozenset OWN = _OWN


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


cdef inline bint take_extra(Extra *extra, JsonPattern pattern, CapturedRecord record) noexcept nogil:
    """Note the extra fields of a captured record, whose dictionary of them is its own; false if there are too many."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    extra.count = extra.missing = extra.hash = 0
    if pattern.has_schema:
        extra.missing = (
            (0 if record.has_thread else NO_THREAD)
            | (NO_THREAD_NAME if record.threadName is None else 0)
            | (0 if record.has_process else NO_PROCESS)
            | (NO_PROCESS_NAME if record.processName is None else 0)
        )
    if record.extra is not None:
        while next_item(<PyObject *>record.extra, &at, &name, &value):
            if not add_extra_field(extra, name, value):
                return False
    return True


cdef inline void earn(JsonPattern pattern) noexcept nogil:
    """Note that a record had a layout, so that another layout may be made."""
    pattern.credit += pattern.credit < MOST_CREDIT


cdef int add_json(
    Text *text, JsonPattern pattern, Clock clock, Templates *templates, CapturedRecord record
) noexcept nogil:
    """Add a simple record, of the second that the clock shows; pattern.is_simple has to be true."""
    cdef bint only_ascii = text.ascii
    cdef Extra extra
    cdef Layout *layout
    cdef Part *part
    cdef int unfit
    if record.exc_info is not None or is_dict(<PyObject *>record.msg):
        return OTHERWISE
    if pattern.uses_time and not clock.second <= record.created < clock.second + 1.0:
        return OTHERWISE
    if not take_extra(&extra, pattern, record):
        return OTHERWISE
    layout = find_layout(&pattern.layouts, &extra)
    if layout is NULL or layout.parts is NULL or not layout.is_simple:
        return OTHERWISE
    earn(pattern)
    if pattern.ascii:
        text.ascii = False  # whatever is added comes out as ASCII
    part = layout.parts
    while True:
        unfit = add_literal(text, &part.before)
        if part.source == END or unfit:
            break
        if part.attribute == MESSAGE:
            unfit = add_json_message(text, pattern, templates, record)
        elif part.source == FROM_EXTRA:
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
    cdef int unfit
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
    if add_ascii(text, '"', 1):
        return UNFIT
    start = text.size
    unfit = add_message(text, templates, <PyObject *>record.msg, args)
    if unfit:
        return OTHERWISE  # half of a pair, too, has an escape
    unfit = escape_from(text, start, pattern.ascii)
    return unfit if unfit else add_ascii(text, '"', 1)


cdef inline int add_extra(Text *text, JsonPattern pattern, Part *part, PyObject *value) noexcept nogil:
    """Add the value of an extra field, or the rest of a string."""
    cdef Py_ssize_t start = text.size
    if part.digits:
        return OTHERWISE
    if not part.inside:
        return add_json_value(text, value, pattern.ascii)
    if not is_string(value):
        return OTHERWISE
    return add_string(text, value) or escape_from(text, start, pattern.ascii)


cdef inline int add_part(
    Text *text, JsonPattern pattern, Part *part, Clock clock, CapturedRecord record
) noexcept nogil:
    """Add a value of a captured record, but for its message and the extra fields."""
    cdef Attribute attribute = part.attribute
    cdef Level *level
    if part.source == FROM_LEVEL:
        level = find_level(&pattern.layouts, <PyObject *>record.levelname, record.levelno)
        return OTHERWISE if level is NULL else add_literal(text, &level.texts[part.index])
    if part.source == MICROSECONDS:
        return add_json_timestamp(text, &pattern.second, record.created, 0, 6)
    if part.source == MILLISECONDS:
        return add_json_timestamp(text, &pattern.second, record.created, <int>milliseconds(record), 3)
    if part.source == TIMESTAMP:
        return add_json_timestamp(text, &pattern.second, record.created, 0, 0)
    if part.source == TEXT_OF_LINE:
        return add_json_line(text, <PyObject *>record.site.lineno)
    if part.source == TASK_NAME:
        return add_json_value(text, <PyObject *>record.taskName, pattern.ascii)
    if attribute == ASCTIME:
        return add_json_time(text, pattern, clock, record)
    if attribute == LEVELNO:
        return add_number(text, record.levelno, 0, False, False)
    if attribute == LINENO:
        return add_attribute(text, pattern, <PyObject *>record.site.lineno)
    if attribute == CREATED:
        return add_json_float(text, record.created)
    if attribute == MSECS:
        return add_json_float(text, milliseconds(record))
    if attribute == PROCESS:
        return add_number(text, record.process, 0, False, False) if record.has_process else OTHERWISE
    if attribute == THREAD:
        if not record.has_thread or record.thread >> 63:
            return OTHERWISE
        return add_number(text, <long long>record.thread, 0, False, False)
    return add_attribute(text, pattern, text_of(record, attribute))


cdef inline int add_attribute(Text *text, JsonPattern pattern, PyObject *value) noexcept nogil:
    """Add a value that schemas may leave out if it is None."""
    return OTHERWISE if value is Py_None and pattern.has_schema else add_json_value(text, value, pattern.ascii)


cdef inline int add_json_line(Text *text, PyObject *number) noexcept nogil:
    """Add a number as a string."""
    cdef int unfit = add_ascii(text, '"', 1)
    if not unfit:
        unfit = add_whole_number(text, number, 0, False, False)
    return unfit if unfit else add_ascii(text, '"', 1)


cdef inline int add_json_time(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record) noexcept nogil:
    cdef Py_ssize_t start = text.size + 1
    cdef int unfit
    if add_ascii(text, '"', 1) or add_time(text, clock, <int>milliseconds(record)):
        return UNFIT
    unfit = escape_from(text, start, pattern.ascii)
    return unfit if unfit else add_ascii(text, '"', 1)


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
        unfit = 0 if is_first else add_ascii(text, ", ", 1 if pattern.compact else 2)
        is_first = False
        if not unfit:
            unfit = add_json_string(text, name, pattern.ascii)
        if not unfit:
            unfit = add_ascii(text, ": ", 1 if pattern.compact else 2)
        if not unfit:
            unfit = add_nested(text, pattern, value, depth - 1)
    return unfit if unfit else add_ascii(text, "}", 1)


cdef int add_array(Text *text, JsonPattern pattern, PyObject *values, int depth) noexcept:
    cdef Py_ssize_t index
    cdef int unfit = add_ascii(text, "[", 1)
    for index in range(sequence_size(values)):
        if not unfit and index:
            unfit = add_ascii(text, ", ", 1 if pattern.compact else 2)
        if not unfit:
            unfit = add_nested(text, pattern, sequence_item(values, index), depth - 1)
        if unfit:
            break
    return unfit if unfit else add_ascii(text, "]", 1)


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


cdef int add_any_extra(Text *text, JsonPattern pattern, Part *part, object value) except -1:
    """Add the value of an extra field, or the rest of a string."""
    cdef str encoded
    if not part.digits and not part.inside:
        return add_any(text, pattern, value)
    encoded = pattern.encoder.encode(f"{value:0{part.digits}x}" if part.digits else str(value))
    if part.inside:
        encoded = encoded[1:-1]
    return add_string(text, <PyObject *>encoded)


cdef int add_any_level(Text *text, JsonPattern pattern, Part *part, object name, object number) except -1:
    if not PyUnicode_CheckExact(name) or not PyLong_CheckExact(number):
        return OTHERWISE
    return add_literal(text, &know_level(pattern, name, number).texts[part.index])


cdef bint open_dictionaries(Extra *extra, JsonPattern pattern, list held) except -1:
    """Have the items of dictionaries be fields, where the schema does so; false if there are too many."""
    cdef Extra found
    cdef int index
    cdef bint has_any = False
    if not pattern.has_schema or not HAS_GIL:
        return True
    for index in range(extra.count):
        has_any = has_any or (is_exact_dict(extra.values[index]) and opens(pattern, <object>extra.names[index]))
    if not has_any:
        return True
    found.count = found.hash = 0
    found.missing = extra.missing
    for index in range(extra.count):
        name = <object>extra.names[index]
        if not add_opened(&found, name, <object>extra.values[index], opens(pattern, name), pattern.sorts, held):
            return False
    extra[0] = found
    return True


cdef bint add_opened(Extra *extra, object name, object value, bint is_open, bint deeply, list held) except -1:
    """Add a field, and if `is_open` the items in it; `held` gets a copy of them, which stays as it is."""
    cdef dict items
    cdef int index = extra.count
    if not add_extra_field(extra, <PyObject *>name, <PyObject *>value):
        return False
    if not is_open or not is_exact_dict(<PyObject *>value):
        return True
    items = (<dict>value).copy()
    held.append(items)
    for key, each in items.items():
        if not add_opened(extra, key, each, deeply, deeply, held):
            return False
    extra.items[index] = <int>len(items)
    extra.hash += extra.items[index] + 1
    return True


cdef int add_json_captured(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record, str message) except -1:
    """Add a captured record, of the second that the clock shows; pattern.takes_fields has to be true."""
    cdef Extra extra
    cdef Layout *layout
    cdef Part *part
    cdef int unfit
    cdef list held = []
    if (
        record.exc_info is not None
        or is_dict(<PyObject *>record.msg)
        or not take_extra(&extra, pattern, record)
        or not open_dictionaries(&extra, pattern, held)
    ):
        return OTHERWISE
    layout = know_layout(pattern, &extra)
    if layout is NULL or layout.parts is NULL or not layout.takes_fields:
        return OTHERWISE
    earn(pattern)
    pattern.busy += 1
    try:
        part = layout.parts
        while True:
            unfit = add_literal(text, &part.before)
            if unfit or part.source == END:
                return unfit
            if part.source == FROM_EXTRA:
                unfit = add_any_extra(text, pattern, part, <object>extra.values[part.index])
            elif part.source == FROM_LEVEL:
                unfit = add_any_level(text, pattern, part, record.levelname, record.levelno)
            elif part.attribute == MESSAGE:
                unfit = add_any(text, pattern, message)
            elif part.attribute == CREATED:
                unfit = add_any(text, pattern, record.created)
            elif part.attribute == PROCESS and not record.has_process:
                unfit = add_ascii(text, "null", 4)
            elif part.attribute == THREAD and not record.has_thread:
                unfit = add_ascii(text, "null", 4)
            else:
                unfit = add_part(text, pattern, part, clock, record)
            if unfit:
                return unfit
            part += 1
    finally:
        pattern.busy -= 1


cdef int add_json_log_record(
    Text *text, JsonPattern pattern, Clock clock, object record, dict attributes
) except -1:
    """Add a record whose values, and its message, are in its dictionary."""
    cdef Extra extra
    cdef Layout *layout
    cdef list held = []
    if pattern.uses_time:
        attributes["asctime"] = time_text(clock, record, attributes)
    if (
        is_dict(<PyObject *>attributes["msg"])
        or attributes["exc_info"] is not None
        or attributes["exc_text"] is not None
        or attributes["stack_info"] is not None
        or not take_extra_of(&extra, pattern, attributes, held)
        or not open_dictionaries(&extra, pattern, held)
    ):
        return OTHERWISE
    layout = know_layout(pattern, &extra)
    if layout is NULL or layout.parts is NULL:
        return OTHERWISE
    earn(pattern)
    pattern.busy += 1
    try:
        return add_log_record_parts(text, pattern, attributes, layout.parts, &extra)
    finally:
        pattern.busy -= 1


cdef bint take_extra_of(Extra *extra, JsonPattern pattern, dict attributes, list held) except -1:
    """Note what is in a record's dictionary beside its own attributes, and have it held; false if that is too much."""
    extra.count = extra.missing = extra.hash = 0
    for name, value in attributes.items():
        if name not in OWN:
            held.append(name)
            held.append(value)
            if not add_extra_field(extra, <PyObject *>name, <PyObject *>value):
                return False
    if pattern.has_schema:
        extra.missing = (
            (NO_THREAD if attributes["thread"] is None else 0)
            | (NO_THREAD_NAME if attributes["threadName"] is None else 0)
            | (NO_PROCESS if attributes["process"] is None else 0)
            | (NO_PROCESS_NAME if attributes["processName"] is None else 0)
        )
    return True


cdef int add_log_record_parts(Text *text, JsonPattern pattern, dict attributes, Part *part, Extra *extra) except -1:
    cdef int unfit
    while True:
        unfit = add_literal(text, &part.before)
        if unfit or part.source == END:
            return unfit
        if part.source == FROM_EXTRA:
            unfit = add_any_extra(text, pattern, part, <object>extra.values[part.index])
        elif part.source == FROM_LEVEL:
            unfit = add_any_level(text, pattern, part, attributes["levelname"], attributes["levelno"])
        elif part.source == TEXT_OF_LINE:
            value = attributes["lineno"]
            unfit = add_json_line(text, <PyObject *>value)
        elif part.source == TIMESTAMP or part.source == MICROSECONDS or part.source == MILLISECONDS:
            unfit = add_timestamp_of(text, pattern, part, attributes["created"], attributes["msecs"])
        else:
            value = dict_get(attributes, <object>part.name, None)
            unfit = OTHERWISE if value is None and pattern.has_schema else add_any(text, pattern, value)
        if unfit:
            return unfit
        part += 1


cdef int add_timestamp_of(Text *text, JsonPattern pattern, Part *part, object created, object msecs) except -1:
    if not PyFloat_CheckExact(created):
        return OTHERWISE
    if part.source != MILLISECONDS:
        return add_json_timestamp(
            text, &pattern.second, PyFloat_AS_DOUBLE(created), 0, 0 if part.source == TIMESTAMP else 6
        )
    if not PyFloat_CheckExact(msecs) or not 0.0 <= PyFloat_AS_DOUBLE(msecs) < 1000.0:
        return OTHERWISE
    return add_json_timestamp(text, &pattern.second, PyFloat_AS_DOUBLE(created), <int>PyFloat_AS_DOUBLE(msecs), 3)
