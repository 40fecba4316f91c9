"""Composes records as JSON, for a JsonFormatter whose methods and encoder are its own.

A simple record becomes text without the GIL, as in format.pyx. A value that is no string, number, bool or None is
given to the formatter's encoder, and whatever is out of the ordinary is given to the formatter itself: a message that
is a dictionary, an exception, a field whose name another field has, too.
"""

from cpython.float cimport PyFloat_CheckExact
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact

from logflume._c.backend.attributes cimport extra_value, next_item, text_of
from logflume._c.backend.clock cimport Clock, add_time, time_text
from logflume._c.backend.json_pattern cimport (
    CLASHES, END, EXTRA_FIELDS, FROM_DICTIONARY, NULL_VALUE, RENAMED, SKIPPED, TARGET, TASK_NAME, TIMESTAMP,
    JsonPattern, Key, Literal, Part, get_to_know, known_key,
)
from logflume._c.backend.json_text cimport (
    add_json_float, add_json_string, add_json_timestamp, add_json_value, escape_from,
)
from logflume._c.backend.message cimport Templates, add_message, is_string, is_tuple, tuple_size
from logflume._c.backend.pattern cimport ASCTIME, CREATED, LEVELNO, LINENO, MESSAGE, MSECS, PROCESS, THREAD, Attribute
from logflume._c.backend.text cimport OTHERWISE, UNFIT, Text, add_ascii, add_number, add_string, logflume_copy, reserve
from logflume._c.interpreter.python cimport HAS_GIL, dict_get
from logflume._c.record cimport CapturedRecord, milliseconds

cdef extern from "Python.h" nogil:
    bint is_dict "PyDict_Check"(PyObject *)
    bint next_item "PyDict_Next"(PyObject *dictionary, Py_ssize_t *at, PyObject **key, PyObject **value)
    bint is_exact_dict "PyDict_CheckExact"(PyObject *)
    bint is_list "PyList_CheckExact"(PyObject *)
    # of a list or tuple
    Py_ssize_t sequence_size "PySequence_Fast_GET_SIZE"(PyObject *)
    PyObject *sequence_item "PySequence_Fast_GET_ITEM"(PyObject *, Py_ssize_t)
    PyObject *Py_None

cdef enum:
    DEEPEST = 32  # containers in containers; the encoder takes more


# ---- simple records: without the GIL ----

cdef inline int add_literal(Text *text, JsonPattern pattern, Literal *literal) noexcept nogil:
    if literal.wide and text.ascii:
        return UNFIT
    text.wide += literal.wide
    if reserve(text, literal.size):
        return UNFIT
    logflume_copy(text.bytes + text.size, literal.bytes, literal.size)
    text.size += literal.size
    return 0


cdef int add_json(
    Text *text, JsonPattern pattern, Clock clock, Templates *templates, CapturedRecord record
) noexcept nogil:
    """Add a simple record, of the second that the clock shows; pattern.is_simple has to be true."""
    cdef Part *part = pattern.parts
    cdef bint only_ascii = text.ascii
    cdef int unfit
    if record.exc_info is not None or is_dict(<PyObject *>record.msg):
        return OTHERWISE
    if pattern.uses_time and not clock.second <= record.created < clock.second + 1.0:
        return OTHERWISE
    if pattern.ascii:
        text.ascii = False  # whatever is added comes out as ASCII
    while True:
        unfit = add_literal(text, pattern, &part.before)
        if part.source == END or unfit:
            break
        if part.attribute == MESSAGE:
            unfit = add_json_message(text, pattern, templates, record)
        elif part.source == EXTRA_FIELDS:
            unfit = 0 if record.extra is None else add_extra(text, pattern, <PyObject *>record.extra)
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


cdef inline int add_part(
    Text *text, JsonPattern pattern, Part *part, Clock clock, CapturedRecord record
) noexcept nogil:
    """Add a value of a captured record, but for its message and the extra fields."""
    cdef Attribute attribute = part.attribute
    if part.source == TIMESTAMP:
        return add_json_timestamp(text, record.created)
    if part.source == NULL_VALUE:
        return add_ascii(text, "null", 4)
    if part.source == TASK_NAME:
        return add_json_value(text, <PyObject *>record.taskName, pattern.ascii)
    if part.source == FROM_DICTIONARY:
        return add_json_value(text, extra_or_none(record, part.name), pattern.ascii)
    if attribute == ASCTIME:
        return add_json_time(text, pattern, clock, record)
    if attribute == LEVELNO:
        return add_number(text, record.levelno, 0, False, False)
    if attribute == LINENO:
        return add_json_value(text, <PyObject *>record.site.lineno, pattern.ascii)
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
    return add_json_value(text, text_of(record, attribute), pattern.ascii)


cdef inline int add_json_time(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record) noexcept nogil:
    cdef Py_ssize_t start = text.size + 1
    cdef int unfit
    if add_ascii(text, '"', 1) or add_time(text, clock, <int>milliseconds(record)):
        return UNFIT
    unfit = escape_from(text, start, pattern.ascii)
    return unfit if unfit else add_ascii(text, '"', 1)


cdef inline PyObject *extra_or_none(CapturedRecord record, PyObject *name) noexcept nogil:
    cdef PyObject *value = extra_value(record, name)
    return Py_None if value is NULL else value


cdef inline int add_extra(Text *text, JsonPattern pattern, PyObject *extra) noexcept nogil:
    """Add the extra fields of a captured record, whose dictionary of them is its own."""
    cdef PyObject *name
    cdef PyObject *value
    cdef Py_ssize_t at = 0
    cdef int unfit, kinds = 0
    cdef Key *key
    while next_item(extra, &at, &name, &value):
        key = known_key(pattern, name)
        if key is NULL or key.kind == CLASHES:
            return OTHERWISE
        if key.kind == SKIPPED:
            continue
        kinds |= 1 << key.kind
        unfit = add_literal(text, pattern, &key.before)
        if not unfit:
            unfit = add_json_value(text, value, pattern.ascii)
        if unfit:
            return unfit
    return OTHERWISE if is_ambiguous(kinds) else 0


cdef inline bint is_ambiguous(int kinds) noexcept nogil:
    """Whether one of the extra fields may have been renamed to the name of another."""
    return kinds & 1 << RENAMED and kinds & 1 << TARGET


# ---- any records ----

cdef int add_nested(Text *text, JsonPattern pattern, PyObject *value, int depth) noexcept:
    """Add a value, or a list, tuple or dictionary of such values, that add_json_value() can add.

    No Python code runs here, so that with the GIL they stay as they are.
    """
    if is_exact_dict(value):
        return add_object(text, pattern, value, depth) if HAS_GIL and depth else OTHERWISE
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
        unfit = 0 if is_first else add_ascii(text, ", ", 2)
        is_first = False
        if not unfit:
            unfit = add_json_string(text, name, pattern.ascii)
        if not unfit:
            unfit = add_ascii(text, ": ", 2)
        if not unfit:
            unfit = add_nested(text, pattern, value, depth - 1)
    return unfit if unfit else add_ascii(text, "}", 1)


cdef int add_array(Text *text, JsonPattern pattern, PyObject *values, int depth) noexcept:
    cdef Py_ssize_t index
    cdef int unfit = add_ascii(text, "[", 1)
    for index in range(sequence_size(values)):
        if not unfit and index:
            unfit = add_ascii(text, ", ", 2)
        if not unfit:
            unfit = add_nested(text, pattern, sequence_item(values, index), depth - 1)
        if unfit:
            break
    return unfit if unfit else add_ascii(text, "]", 1)


cdef int add_any(Text *text, JsonPattern pattern, object value) except -1:
    """Add any value, which may run code of its class."""
    cdef Py_ssize_t size = text.size, wide = text.wide
    cdef int unfit = add_nested(text, pattern, <PyObject *>value, DEEPEST)
    if unfit != OTHERWISE:
        return unfit
    text.size = size
    text.wide = wide
    encoded = repr(value) if PyFloat_CheckExact(value) else pattern.encoder.encode(value)
    if not PyUnicode_CheckExact(encoded):
        return OTHERWISE
    return add_string(text, <PyObject *>encoded)


cdef int add_any_extra(Text *text, JsonPattern pattern, dict fields) except -1:
    """Add the fields in a dictionary that are extra fields."""
    cdef int unfit, kinds = 0
    cdef Key *key
    for name, value in fields.items():
        if not PyUnicode_CheckExact(name):
            return OTHERWISE
        key = known_key(pattern, <PyObject *>name)
        if key is NULL:
            key = get_to_know(pattern, name)
        if key.kind == CLASHES:
            return OTHERWISE
        if key.kind == SKIPPED:
            continue
        kinds |= 1 << key.kind
        if add_literal(text, pattern, &key.before):
            return UNFIT
        unfit = add_any(text, pattern, value)
        if unfit:
            return unfit
    return OTHERWISE if is_ambiguous(kinds) else 0


cdef int add_json_captured(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record, str message) except -1:
    """Add a captured record, of the second that the clock shows; pattern.takes_fields has to be true."""
    cdef Part *part = pattern.parts
    cdef int unfit
    if record.exc_info is not None or is_dict(<PyObject *>record.msg):
        return OTHERWISE
    while True:
        unfit = add_literal(text, pattern, &part.before)
        if unfit or part.source == END:
            return unfit
        if part.source == EXTRA_FIELDS:
            unfit = 0 if record.extra is None else add_any_extra(text, pattern, record.extra)
        elif part.attribute == MESSAGE:
            unfit = add_any(text, pattern, message)
        elif part.attribute == CREATED:
            unfit = add_any(text, pattern, record.created)
        elif part.attribute == PROCESS and not record.has_process:
            unfit = add_ascii(text, "null", 4)
        elif part.attribute == THREAD and not record.has_thread:
            unfit = add_ascii(text, "null", 4)
        elif part.source == FROM_DICTIONARY:
            unfit = add_any(text, pattern, <object>extra_or_none(record, part.name))
        else:
            unfit = add_part(text, pattern, part, clock, record)
        if unfit:
            return unfit
        part += 1


cdef int add_json_log_record(
    Text *text, JsonPattern pattern, Clock clock, object record, dict attributes
) except -1:
    """Add a record whose values, and its message, are in its dictionary."""
    cdef Part *part = pattern.parts
    cdef int unfit
    if pattern.uses_time:
        attributes["asctime"] = time_text(clock, record, attributes)
    if (
        is_dict(<PyObject *>attributes["msg"])
        or attributes["exc_info"] is not None
        or attributes["exc_text"] is not None
        or attributes["stack_info"] is not None
    ):
        return OTHERWISE
    while True:
        unfit = add_literal(text, pattern, &part.before)
        if unfit or part.source == END:
            return unfit
        if part.source == EXTRA_FIELDS:
            unfit = add_any_extra(text, pattern, attributes)
        elif part.source == TIMESTAMP:
            created = attributes["created"]
            unfit = add_json_timestamp(text, created) if PyFloat_CheckExact(created) else OTHERWISE
        elif part.source == NULL_VALUE:
            unfit = add_ascii(text, "null", 4)
        else:
            unfit = add_any(text, pattern, dict_get(attributes, <object>part.name, None))
        if unfit:
            return unfit
        part += 1
