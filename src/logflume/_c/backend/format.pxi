"""Composes the text of many records at once, in one buffer, without a string for each.

A formatter's format is compiled once (see pattern.pxi). A simple record, a captured one that holds only strings and
numbers, becomes text without the GIL. The values of other captured records go from the C fields into the buffer, and
those of a LogRecord come from its dictionary, which is left as `Formatter.format` leaves it. The formatter itself makes
what is not handled here: a field, a time, or a whole record.
"""

# What a text has to keep to: see _delivery.sinks.
cdef struct Limits:
    PyObject *terminator  # borrowed
    Py_ssize_t size
    Py_ssize_t room

cdef type LogRecord = logging.LogRecord
cdef object MISSING = object()


cdef class Composer:
    """What is the same for all records of a batch, and from one batch to the next if the formatter is as it was."""

    cdef object formatter
    cdef Pattern pattern  # None: the formatter makes each text, or `json` does
    cdef JsonPattern json
    cdef dict defaults
    cdef Clock clock
    cdef bint record_is_unpatched
    cdef object explained  # the record at hand, if its traceback was formatted, and its exc_text before
    cdef object unexplained
    cdef Templates templates

    def __dealloc__(self):
        cdef int index
        for index in range(TEMPLATES):
            xdecref(self.templates.each[index].held)


cdef Composer composer_of(object formatter, Composer known):
    """Return a Composer for an unpatched formatter; `known` is the handler's last one, or None."""
    cdef Composer composer = Composer.__new__(Composer)
    composer.formatter = formatter
    composer.record_is_unpatched = class_is_unpatched(LogRecord)
    cdef tuple added = added_fields(formatter)
    if not added and not formatter_is_unpatched(formatter):
        composer.json = json_pattern_of(formatter, None if known is None else known.json)
        if composer.json is not None and composer.json.uses_time:
            composer.clock = clock_of(formatter)
        return composer
    style = formatter._style
    defaults = style._defaults
    if not defaults or PyDict_CheckExact(defaults):
        composer.pattern = pattern_of(style, added)
        composer.defaults = defaults
    if composer.pattern is not None and composer.pattern.uses_time:
        composer.clock = clock_of(formatter)
    return composer


cdef void hold_messages(Composer composer) noexcept:
    """Have the templates refer to their messages; to be called before the records that bring these are let go."""
    cdef Template *template
    cdef PyObject *old
    cdef int index
    if composer.templates.changed:
        composer.templates.changed = False
        for index in range(TEMPLATES):
            template = &composer.templates.each[index]
            if template.held is not template.message:
                Py_INCREF(<object>template.message)
                old = template.held
                template.held = template.message
                xdecref(old)  # exactly a str, whose end runs no Python code


cdef inline bint finish_record(Text *text, Py_ssize_t wide, Limits *limits) noexcept nogil:
    """End the record before which the text had `wide`; UNFIT if it may rotate the file."""
    # as the standard handler does, the rotation counts characters, and "\n" for the terminator
    return (
        text.size - (text.wide - wide) + 1 >= limits.room
        or add_string(text, limits.terminator)
        or end_record(text)
    )


# ---- simple records: without the GIL ----

cdef bint makes_simple(Composer composer) noexcept:
    """Whether simple records can be composed without the GIL."""
    if not composer.record_is_unpatched:
        return False
    if composer.json is not None:
        return composer.json.is_simple
    return composer.pattern is not None and composer.pattern.is_simple


cdef inline bint is_simple_record(PyObject *record) noexcept nogil:
    return (
        type_of(record) is captured_type
        and (<CapturedRecord>record).made is None
        and (<CapturedRecord>record).site is not None
        and ((<CapturedRecord>record).exc_info is None or (<CapturedRecord>record).exc_info is False)
    )


cdef inline int add_message_of(Text *text, Composer composer, CapturedRecord record) noexcept nogil:
    cdef PyObject *rendered = <PyObject *>record.rendered
    if record.rendered is not None:
        return add_string(text, rendered) if is_string(rendered) else OTHERWISE
    if not record.immutable:
        return OTHERWISE
    return add_message(text, &composer.templates, <PyObject *>record.msg, <PyObject *>record.args)


cdef inline int add_field(Text *text, Composer composer, CapturedRecord record, Field field) noexcept nogil:
    cdef Attribute attribute = field.attribute
    cdef PyObject *string
    if attribute == MESSAGE:
        return add_message_of(text, composer, record)
    if attribute == ASCTIME:
        return add_time(text, composer.clock, <int>milliseconds(record))
    if attribute == MSECS:
        return add_number(text, <int>milliseconds(record), field.width, field.left, field.zeros)
    if attribute == LEVELNO:
        return add_number(text, record.levelno, field.width, field.left, field.zeros)
    if attribute == LINENO:
        return add_whole_number(text, <PyObject *>record.site.lineno, field.width, field.left, field.zeros)
    if attribute == PROCESS:
        if not record.has_process:
            return OTHERWISE
        return add_number(text, record.process, field.width, field.left, field.zeros)
    if attribute == THREAD:
        if not record.has_thread:
            return OTHERWISE
        return add_number(text, record.thread, field.width, field.left, field.zeros)
    if attribute >= EXTRA:
        if attribute > EXTRA:
            return add_added(text, composer.pattern, field, <PyObject *>record.levelname, <PyObject *>record.args)
        string = extra_value(record, <PyObject *>field.text)
        if string is NULL:
            return OTHERWISE
        if not is_string(string):
            return OTHERWISE if field.width else add_whole_number(text, string, 0, False, False)
    else:
        string = text_of(record, attribute)
        if string is NULL:
            string = <PyObject *>field.text
        if not is_string(string):
            return OTHERWISE
    # Here alone: the compiler makes one place inline.
    return add_padded(text, string, field.width, field.left)


cdef int add_simple(Text *text, Composer composer, CapturedRecord record) noexcept nogil:
    """Add a captured record that holds only strings and numbers, of the second that the clock shows."""
    cdef PyObject *fields
    cdef Py_ssize_t index, start, wide
    cdef int unfit
    if composer.json is not None:
        return add_json(text, composer.json, composer.clock, &composer.templates, record)
    fields = <PyObject *>composer.pattern.fields
    if composer.pattern.uses_time and not composer.clock.second <= record.created < composer.clock.second + 1.0:
        return OTHERWISE
    if not can_add(composer.pattern, <PyObject *>record.levelname, <PyObject *>record.args):
        return OTHERWISE
    if not composer.pattern.shows_message:  # it may be wrong, which has to be reported
        start, wide = text.size, text.wide
        unfit = add_message_of(text, composer, record)
        if unfit:
            return unfit
        text.size, text.wide = start, wide
    for index in range(tuple_size(fields)):
        unfit = add_field(text, composer, record, <Field>tuple_item(fields, index))
        if unfit:
            return unfit
    return 0


cdef Py_ssize_t compose_simple(
    Text *text, Composer composer, PyObject **records, Py_ssize_t count, Limits *limits
) noexcept nogil:
    """Add records up to the first that needs compose(); return how many.

    makes_simple(composer) has to be true, and hold_messages() has to be called afterwards.
    """
    cdef Py_ssize_t index, start, wide
    for index in range(count):
        start = text.size
        wide = text.wide
        if (
            not is_simple_record(records[index])
            or add_simple(text, composer, <CapturedRecord>records[index])
            or finish_record(text, wide, limits)
        ):
            text.size = start
            text.wide = wide
            return index
    return count


# ---- any records ----

cdef int compose(BatchText batch, Composer composer, list records, Py_ssize_t index, Limits *limits) except -1:
    """Add as many of `records`, from that at `index` on, as one write may have.

    Ends before a record that cannot be formatted or encoded here, or that may rotate the file. Puts the LogRecord in
    the place of a captured record that needs one.
    """
    cdef Text *text = &batch.text
    cdef Py_ssize_t start = text.size, wide = text.wide
    cdef int unfit = 0
    cdef bint terminates = PyUnicode_CheckExact(<object>limits.terminator)
    composer.explained = None  # what a batch that failed left there
    record = None
    try:
        while index < len(records) and text.size < limits.size:
            record = records[index]
            start = text.size
            wide = text.wide
            if Py_TYPE(record) is captured_type:
                if not is_composable(composer, <CapturedRecord>record):
                    record = records[index] = made_of(<CapturedRecord>record)
            index += 1
            unfit = add_record(text, composer, record)
            if composer.explained is not None:
                note_explained(batch, composer)
            if unfit or not terminates or finish_record(text, wide, limits):
                unfit = UNFIT
                break
    except Exception:  # the handler meets it again, and reports it
        unfit = UNFIT
    except BaseException as error:
        batch.interrupt = error
        unfit = UNFIT
    hold_messages(composer)
    if unfit:
        text.size = start
        text.wide = wide
        batch.special = True
    if composer.explained is not None:
        note_explained(batch, composer)
    return 0


cdef int note_explained(BatchText batch, Composer composer) except -1:
    """Note that the record that would come next in the text got its exc_text when it was formatted."""
    if getattr(composer.explained, "exc_text", None) is not composer.unexplained:
        if batch.explained is None:
            batch.explained = []
        batch.explained.append((batch.text.count, composer.unexplained))
    composer.explained = composer.unexplained = None  # last: without memory for the note it has to be made again
    return 0


cdef bint is_composable(Composer composer, CapturedRecord record) except -1:
    """Whether the text can be made from the fields."""
    if record.made is not None or record.site is None or not composer.record_is_unpatched:
        return False
    if composer.json is not None:
        return (
            composer.json.is_simple
            and record.exc_info is None
            and not isinstance(record.msg, dict)
            and (composer.clock is None or tick(composer.clock, record.created))
        )
    return (
        composer.pattern is not None and composer.pattern.takes_fields
        and can_add(composer.pattern, <PyObject *>record.levelname, <PyObject *>record.args)
        and (not record.exc_info or type(record.exc_info) is CapturedException)
        and (not composer.pattern.uses_time or tick(composer.clock, record.created))
    )


cdef int add_record(Text *text, Composer composer, object record) except -1:
    """Add a record; a captured one has to be composable."""
    cdef Py_ssize_t start = text.size, wide = text.wide
    cdef int unfit = OTHERWISE
    if Py_TYPE(record) is captured_type:
        if composer.json is None:
            return add_captured(text, composer, <CapturedRecord>record)
        unfit = add_json_captured(text, composer.json, composer.clock, <CapturedRecord>record)
        if unfit == OTHERWISE:
            record = made_of(<CapturedRecord>record)
            text.size, text.wide = start, wide
    if unfit == OTHERWISE and composer.record_is_unpatched and type(record) is LogRecord:
        unfit = add_log_record(text, composer, record, instance_dict(record))
    if unfit != OTHERWISE:
        return unfit
    text.size, text.wide = start, wide
    exc_text = getattr(record, "exc_text", None)
    if not exc_text and record.exc_info:
        composer.unexplained = exc_text
        composer.explained = record
    string = composer.formatter.format(record)
    if not isinstance(string, str):  # what a str subclass as the format gave
        return UNFIT
    return add_text(text, string)


cdef int add_captured(Text *text, Composer composer, CapturedRecord record) except -1:
    """Add a record for which is_composable()."""
    cdef Py_ssize_t start = text.size, wide = text.wide
    cdef int unfit = OTHERWISE
    if composer.pattern.is_simple:
        unfit = add_simple(text, composer, record)
        if unfit == OTHERWISE:
            text.size = start
            text.wide = wide
    if unfit == OTHERWISE:
        unfit = add_fields(text, composer, record)
    if unfit == 0 and record.exc_info:
        unfit = add_block(text, start, record.exc_info.text())
    return unfit


cdef int add_fields(Text *text, Composer composer, CapturedRecord record) except -1:
    """Add a captured record but its exception."""
    cdef Field field
    cdef Attribute attribute
    cdef PyObject *string
    message = captured_message(record)  # even if it is not shown: it may be wrong, which has to be reported
    for field in composer.pattern.fields:
        if field.kind == LITERAL:
            if add_text(text, field.text):
                return UNFIT
            continue
        attribute = field.attribute
        string = text_of(record, attribute)
        if string is not NULL:
            value = <object>string
        elif attribute == MESSAGE:
            value = message
        elif attribute == ASCTIME:
            if add_time(text, composer.clock, <int>milliseconds(record)):
                return UNFIT
            continue
        elif attribute == LEVELNO:
            value = record.levelno
        elif attribute == LINENO:
            value = record.site.lineno
        elif attribute == CREATED:
            value = record.created
        elif attribute == MSECS:
            value = milliseconds(record)
        elif attribute == THREAD:
            value = record.thread if record.has_thread else None
        elif attribute == PROCESS:
            value = record.process if record.has_process else None
        elif attribute > EXTRA:
            if add_added(text, composer.pattern, field, <PyObject *>record.levelname, <PyObject *>record.args):
                return UNFIT
            continue
        else:
            value = value_of(field, record.extra, composer.defaults)
            if value is MISSING:
                return UNFIT
        if add_value(text, field, value):
            return UNFIT
    return 0


cdef int add_log_record(Text *text, Composer composer, object record, dict attributes) except -1:
    """Add a record whose values are in its dictionary; OTHERWISE if the formatter has to make it."""
    cdef Py_ssize_t start = text.size
    cdef Field field
    cdef int unfit
    if "getMessage" in attributes:
        return OTHERWISE
    asctime = None
    levelname, msg, args = attributes["levelname"], attributes["msg"], attributes["args"]
    if composer.json is not None:
        if isinstance(msg, dict):
            return OTHERWISE
        attributes["message"] = render(msg, args)
        return add_json_log_record(text, composer.json, composer.clock, record, attributes)
    if composer.pattern is None or not can_add(composer.pattern, <PyObject *>levelname, <PyObject *>args):
        return OTHERWISE
    message = render(msg, args)
    attributes["message"] = message
    if composer.pattern.uses_time:
        asctime = time_text(composer.clock, record, attributes)
        attributes["asctime"] = asctime
    for field in composer.pattern.fields:
        if field.kind == LITERAL:
            unfit = add_text(text, field.text)
        elif field.attribute == MESSAGE:
            unfit = add_value(text, field, message)
        elif field.attribute == ASCTIME:
            unfit = add_value(text, field, asctime)
        elif field.attribute > EXTRA:
            unfit = add_added(text, composer.pattern, field, <PyObject *>levelname, <PyObject *>args)
        else:
            value = value_of(field, attributes, composer.defaults)
            if value is MISSING:
                return UNFIT
            unfit = add_value(text, field, value)
        if unfit:
            return UNFIT
    exc_text = attributes["exc_text"]
    if attributes["exc_info"] and not exc_text:
        composer.unexplained = exc_text
        exc_text = composer.formatter.formatException(attributes["exc_info"])
        attributes["exc_text"] = exc_text
        composer.explained = record
    if exc_text and add_block(text, start, exc_text):
        return UNFIT
    stack = attributes["stack_info"]
    if stack and add_block(text, start, composer.formatter.formatStack(stack)):
        return UNFIT
    return 0


cdef object value_of(Field field, dict attributes, dict defaults):
    """Return what the first of the two dictionaries that has it has for `field`, or MISSING."""
    value = MISSING
    if attributes is not None:
        value = dict_get(attributes, field.text, MISSING)
    if value is MISSING and defaults is not None:
        value = dict_get(defaults, field.text, MISSING)
    return value


cdef int add_block(Text *text, Py_ssize_t start, object block) except -1:
    """Add a traceback or a stack on a line of its own, to the record that began at `start`."""
    if (text.size == start or text.bytes[text.size - 1] != c'\n') and add_ascii(text, "\n", 1):
        return UNFIT
    if not isinstance(block, str):
        raise TypeError("not a string")  # as the formatter will say
    return add_text(text, block)


cdef int add_text(Text *text, object string) except -1:
    return add_string(text, <PyObject *>string)


cdef int add_value(Text *text, Field field, object value) except -1:
    """Add `value` as `field` says."""
    cdef long long number
    cdef double real
    cdef int overflow = 0
    if field.kind == TEXT:
        if PyUnicode_CheckExact(value):
            return add_padded(text, <PyObject *>value, field.width, field.left)
        if not field.width and PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(text, number, 0, False, False)
    elif field.kind == NUMBER:
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(text, number, field.width, field.left, field.zeros)
        elif PyFloat_CheckExact(value):
            real = PyFloat_AS_DOUBLE(value)
            if -1e15 < real < 1e15:
                return add_number(text, <long long>real, field.width, field.left, field.zeros)
    if field.percent:
        return add_text(text, field.spec % (value,))
    return add_text(text, format(value, field.spec))
