"""Compiles a JsonFormatter: which bytes its records have, and which values stand between them.

What _delivery/json_layouts.py finds in the formatter becomes the parts of a layout.
"""

cdef enum:
    DEEPEST = 32  # containers in containers; the encoder takes more

cdef tuple SIMPLE = (str, int, float, bool, type(None))  # exactly: they cannot change
cdef tuple CONTAINERS = (dict, list, tuple)
cdef dict NO_DEFAULTS = {}
cdef dict SOURCES = {
    "timestamp": TIMESTAMP, "milliseconds": MILLISECONDS, "microseconds": MICROSECONDS, "text of line": TEXT_OF_LINE,
}
if sys.version_info >= (3, 12):
    SOURCES["taskName"] = TASK_NAME


cdef class JsonPattern:
    """What is the same in the JSON of all records of a formatter."""

    cdef object formatter
    cdef object encoder
    cdef tuple attributes  # of the formatter, as they were
    cdef tuple contents  # of its dictionaries
    cdef object variable  # of the environment, that the schema looks at
    cdef object environment  # and its value
    cdef dict renamed
    cdef dict kinds  # of extra fields
    cdef unsigned char kind  # of those that have none of their own
    cdef bint ascii
    cdef bint uses_time
    cdef bint has_schema
    cdef bint compact  # no blanks between fields
    cdef bint sorts  # the fields in nested dictionaries
    cdef bint is_simple  # a captured record without extra fields has every value, and the message is among them
    cdef Second second
    cdef Layouts layouts
    cdef list held  # the layouts


# ---- the formatter's options ----

cdef JsonPattern json_pattern_of(object formatter, JsonPattern known):
    """The pattern for a formatter that json_formatter_is_unpatched() knows; None if the formatter has to be called.

    It is `known`, an earlier pattern or None, if that is for this formatter as it is now.
    """
    if known is not None and known.formatter is formatter and are_same(attributes_of(formatter), known.attributes):
        if is_unchanged(known):
            return known
    try:
        return compile_options(formatter)
    except Exception:  # a name that is no string, or what other code put into the formatter
        return None


cdef JsonPattern compile_options(object formatter):
    cdef JsonPattern pattern = JsonPattern.__new__(JsonPattern)
    cdef Extra extra
    cdef Layout plain
    cdef object schema = getattr(formatter, "_schema", None)
    if (
        not json_formatter_is_unpatched(formatter)
        or formatter.json_indent is not None
        or type(formatter.json_ensure_ascii) is not bool
        or not PyUnicode_CheckExact(formatter.prefix)
        or (formatter.json_ensure_ascii and not formatter.prefix.isascii())
        or not OWN <= formatter._skip_fields
    ):
        return None
    pattern.formatter = formatter
    pattern.ascii = formatter.json_ensure_ascii
    pattern.attributes = attributes_of(formatter)
    pattern.contents = contents_of(formatter)
    for value in pattern.contents:
        if type(value) not in SIMPLE and type(value) not in CONTAINERS:
            return None
    pattern.renamed = dict(formatter.rename_fields)
    if schema is None:
        pattern.encoder = formatter.json_encoder(ensure_ascii=pattern.ascii)
    else:
        pattern.has_schema = pattern.compact = True
        pattern.sorts = schema.sorts
        pattern.kind = schema.kind
        pattern.kinds = schema.kinds
        pattern.encoder = formatter.json_encoder(ensure_ascii=pattern.ascii, separators=schema.separators)
        pattern.variable = schema.environment
        if pattern.variable is not None:
            pattern.environment = os.environ.get(pattern.variable)
    pattern.uses_time = schema is None and "asctime" in formatter._required_fields
    pattern.held = []
    pattern.layouts.credit = MOST_CREDIT
    pattern.is_simple = True
    if schema is None:
        extra.level_name = NULL
        extra.level = extra.count = extra.hash = 0
        plain = know_layout(pattern, &extra)
        if plain is None or plain.parts is NULL:
            return None
        pattern.is_simple = plain.is_simple
    return pattern


cdef tuple attributes_of(object formatter):
    cdef dict own = instance_dict(formatter)
    return tuple([own[name] for name in own if name != "_made_encoder"])


cdef tuple contents_of(object formatter):
    """What in the formatter may change without its attributes being set."""
    cdef list found = [len(formatter._skip_fields), *formatter._required_fields]
    for dictionary in (formatter.rename_fields, formatter.static_fields, getattr(formatter, "defaults", NO_DEFAULTS)):
        add_contents(found, dictionary, DEEPEST)
    return tuple(found)


cdef int add_contents(list found, object value, int depth) except -1:
    if depth == 0:
        raise ValueError("containers that may contain themselves")
    found.append(value)
    if type(value) is dict:
        found.extend(value)
        value = tuple(value.values())
    if type(value) is list or type(value) is tuple:
        for each in value:
            add_contents(found, each, depth - 1)
        found.append(None)
    return 0


cdef bint is_unchanged(JsonPattern pattern) except -1:
    """Whether what the formatter looks at is as it was when the pattern was made."""
    try:
        return are_same(contents_of(pattern.formatter), pattern.contents) and (
            pattern.variable is None or os.environ.get(pattern.variable) == pattern.environment
        )
    except Exception:
        return False


cdef bint are_same(tuple some, tuple others) except -1:
    cdef Py_ssize_t index
    if len(some) != len(others):
        return False
    for index in range(len(some)):
        if some[index] is not others[index]:
            return False
    return True


# ---- layouts ----

cdef Layout know_layout(JsonPattern pattern, Extra *extra):
    """Return the layout for a record, new or not; None: it is left to the formatter.

    What `extra` refers to has to be held by the caller: this runs Python code.
    """
    cdef PyObject *found = find_layout(&pattern.layouts, extra)
    cdef Layout layout
    if found is not NULL:
        return <Layout>found
    if not may_be_added(&pattern.layouts, extra):
        return None
    layout = new_layout(extra)
    fill_layout(pattern, layout, extra)
    if len(pattern.held) >= MOST_LAYOUTS:
        memset(pattern.layouts.buckets, 0, sizeof(pattern.layouts.buckets))
        pattern.held.clear()
    pattern.held.append(layout)
    add_layout(&pattern.layouts, layout)
    return layout


cdef int fill_layout(JsonPattern pattern, Layout layout, Extra *extra) except -1:
    cdef dict sample = {}
    cdef int index = 0
    while index < extra.count:
        index = fill_slot(layout, extra, index, kind_of_field(pattern, <str>extra.names[index]), sample)
    if extra.level_name is not NULL:
        layout.held.append(<object>extra.level_name)
        sample.update(levelname=<object>extra.level_name, levelno=extra.level)
    for index in range(extra.count):
        if layout.slots[index].form == UNFORESEEN:
            return 0
    try:
        fill_parts(pattern, layout, sample)
    except Exception:  # half of a pair, a name that is no string, or text is made of a value
        free(layout.parts)
        layout.parts = NULL
    return 0


cdef int fill_slot(Layout layout, Extra *extra, int index, unsigned char kind, dict sample) except -1:
    """Describe a field, and put what stands for its value into `sample`; return the index of the field after it."""
    cdef Slot *slot = &layout.slots[index]
    cdef int end = index + 1
    name = <object>extra.names[index]
    layout.held.append(name)
    slot.name = extra.names[index]
    slot.items = extra.items[index]
    slot.kind = kind
    slot.form = form_of(kind, extra.values[index], slot.items >= 0)
    layout.looks = layout.looks or kind != ANY
    if slot.items >= 0:
        value = {}
        for _ in range(slot.items):
            end = fill_slot(layout, extra, end, kind_within(kind), value)
    elif slot.form == WHOLE:
        value = <object>extra.values[index]
        layout.held.append(value)
        slot.value = extra.values[index]
    else:
        value = Placeholder(index, slot.form)
    sample[name] = value
    return end


cdef unsigned char kind_of_field(JsonPattern pattern, str name) except? 255:
    """Return what of the value of an extra field matters: see _delivery/json_layouts.py."""
    return pattern.kinds.get(pattern.renamed.get(name, name), pattern.kind) if pattern.has_schema else ANY


cdef unsigned char kind_within(unsigned char kind) noexcept:
    """Return the same for the items of a dictionary of a kind."""
    return GIVEN if kind == GIVEN else ANY


cdef int fill_parts(JsonPattern pattern, Layout layout, dict sample) except -1:
    cdef list pieces = pieces_of(pattern.formatter, pattern.encoder, sample)
    cdef bint has_message = False
    cdef str before = ""
    cdef Part *part
    layout.parts = <Part *>calloc(len(pieces) + 1, sizeof(Part))
    if layout.parts is NULL:
        raise MemoryError
    part = layout.parts
    layout.is_simple = True
    for piece in pieces:
        if PyUnicode_CheckExact(piece):
            before += piece
            continue
        what = piece.what
        layout.held.append(what)
        part.inside = piece.before is not None
        if type(what) is int:
            part.source = EXTRA
            part.index = what
        else:
            part.name = <PyObject *>what
            part.source = SOURCES.get(what) or attribute_of(what)
        set_literal(&part.before, before, layout.held)
        before = ""
        has_message = has_message or part.source == MESSAGE
        layout.is_simple = layout.is_simple and part.source != UNKNOWN
        part += 1
    part.source = END
    set_literal(&part.before, before, layout.held)
    layout.is_simple = layout.is_simple and has_message
    return 0


cdef int set_literal(Literal *literal, str text, list held) except -1:
    cdef bytes encoded = text.encode("utf-8")
    held.append(encoded)
    literal.bytes = encoded
    literal.size = len(encoded)
    literal.wide = len(encoded) - len(text)
    return 0
