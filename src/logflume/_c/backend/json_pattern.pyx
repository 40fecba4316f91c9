"""Compiles a JsonFormatter: which bytes its records have, and which values stand between them.

What _delivery/json_layouts.py finds in the formatter becomes the parts of a layout.
"""

from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdlib cimport calloc, free

import os
import sys

from logflume._c.backend.json_layouts cimport (
    END, FROM_ATTRIBUTE, FROM_DICTIONARY, FROM_EXTRA, FROM_LEVEL, MICROSECONDS, MILLISECONDS, MOST_ALIKE, MOST_LAYOUTS,
    MOST_LEVELS, NO_PROCESS, NO_PROCESS_NAME, NO_THREAD, NO_THREAD_NAME, TASK_NAME, TEXT_OF_LINE, TIMESTAMP, Extra,
    Layout, Level, Literal, Part, Slot, add_layout, count_alike, find_layout, find_level, form_of, free_layout,
    free_layouts, is_in_layout, is_left_to_formatter, new_layout,
)
from logflume._c.backend.pattern cimport MESSAGE, UNKNOWN, attribute_of
from logflume._c.interpreter.python cimport instance_dict

from logflume._delivery.json_formatters import json_formatter_is_unpatched
from logflume._delivery import json_layouts as shared
from logflume._delivery.json_layouts import Placeholder, pieces_of

cdef enum:
    DEEPEST = 32  # containers in containers

cdef frozenset OWN = shared.OWN
cdef unsigned char ANY = shared.ANY, GIVEN = shared.GIVEN, MERGED = shared.MERGED
cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
cdef tuple SIMPLE = (str, int, float, bool, type(None))  # exactly: they cannot change
cdef tuple CONTAINERS = (dict, list, tuple)
cdef dict NO_DEFAULTS = {}
cdef dict SOURCES = {
    "timestamp": TIMESTAMP, "milliseconds": MILLISECONDS, "microseconds": MICROSECONDS, "text of line": TEXT_OF_LINE,
}
cdef dict MISSING = {
    NO_THREAD: "thread", NO_THREAD_NAME: "threadName", NO_PROCESS: "process", NO_PROCESS_NAME: "processName",
}

cdef class JsonPattern:
    """What is the same in the JSON of all records of a formatter."""

    def __dealloc__(self):
        free_layouts(&self.layouts)


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
    cdef Layout *plain
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
    pattern.kind = ANY
    pattern.kinds = {}
    pattern.encoder = formatter.json_encoder(ensure_ascii=pattern.ascii)
    if schema is not None:
        pattern.has_schema = pattern.compact = True
        pattern.sorts = schema.sorts
        pattern.kind = schema.kind
        pattern.kinds = schema.kinds
        pattern.encoder = formatter.json_encoder(ensure_ascii=pattern.ascii, separators=schema.separators)
        pattern.variable = schema.environment
        if pattern.variable is not None:
            pattern.environment = os.environ.get(pattern.variable)
    pattern.uses_time = schema is None and "asctime" in formatter._required_fields
    pattern.level_functions = []
    pattern.held = []
    pattern.held_levels = [None] * MOST_LEVELS
    pattern.credit = MOST_CREDIT
    extra.count = extra.missing = extra.hash = 0
    plain = know_layout(pattern, &extra)
    if plain is NULL or plain.parts is NULL:
        return None
    pattern.takes_fields = plain.takes_fields
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
        for key, each in value.items():
            found.append(key)
            add_contents(found, each, depth - 1)
        found.append(None)
    elif type(value) is list or type(value) is tuple:
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

cdef Layout *know_layout(JsonPattern pattern, Extra *extra) except? NULL:
    """Return the layout for a record, new or not; NULL: it is left to the formatter.

    What `extra` refers to has to be held by the caller: this runs Python code.
    """
    cdef Layout *layout = find_layout(&pattern.layouts, extra)
    cdef list held
    if layout is not NULL:
        return layout
    if pattern.credit < LAYOUT_COST or count_alike(&pattern.layouts, extra) >= MOST_ALIKE:
        return NULL
    if pattern.layouts.count >= MOST_LAYOUTS:
        if pattern.busy:
            return NULL
        free_layouts(&pattern.layouts)
        pattern.held.clear()
    pattern.credit -= LAYOUT_COST
    held = []
    layout = new_layout(extra)
    try:
        fill_layout(pattern, layout, extra, held)
    except BaseException:
        free_layout(layout)
        raise
    pattern.held.append(held)
    add_layout(&pattern.layouts, layout)
    return layout


cdef int fill_layout(JsonPattern pattern, Layout *layout, Extra *extra, list held) except -1:
    cdef dict sample = {}
    cdef int index = 0
    for index in range(extra.count):
        if not PyUnicode_CheckExact(<object>extra.names[index]):
            return 0
    index = 0
    while index < extra.count:
        index = fill_slot(layout, extra, index, kind_of(pattern, <object>extra.names[index]), sample, held)
    for index in range(extra.count):
        layout.looks = layout.looks or layout.slots[index].kind != ANY or layout.slots[index].items >= 0
        if is_left_to_formatter(layout.slots[index].form):
            layout.looks = True
            return 0
    try:
        fill_parts(pattern, layout, [name for bit, name in MISSING.items() if extra.missing & bit], sample, held)
    except Exception:  # a name that is no string, half of a pair
        free(layout.parts)
        layout.parts = NULL
    return 0


cdef int fill_slot(Layout *layout, Extra *extra, int index, unsigned char kind, dict sample, list held) except -1:
    """Describe a field, and put what stands for its value into `sample`; return the index of the field after it."""
    cdef Slot *slot = &layout.slots[index]
    cdef int end
    name = <object>extra.names[index]
    held.append(name)
    slot.name = extra.names[index]
    slot.items = extra.items[index]
    slot.kind = kind
    slot.form = form_of(kind, extra.values[index], slot.items >= 0)
    if slot.items >= 0:
        value = {}
        end = index + 1
        for _ in range(slot.items):
            end = fill_slot(layout, extra, end, kind if kind == GIVEN else ANY, value, held)
        sample[name] = value
        return end
    if is_in_layout(slot.form):
        value = <object>extra.values[index]
        held.append(value)
        slot.value = extra.values[index]
    else:
        value = Placeholder(index, slot.form)
    sample[name] = value
    return index + 1


cdef unsigned char kind_of(JsonPattern pattern, str name) except? 255:
    """Return what of the value of an extra field matters: see _delivery/json_layouts.py."""
    return pattern.kinds.get(pattern.renamed.get(name, name), pattern.kind)


cdef bint opens(JsonPattern pattern, object name) except -1:
    """Whether the items of a dictionary in this extra field are fields of the layout."""
    cdef unsigned char kind = kind_of(pattern, name) if PyUnicode_CheckExact(name) else ANY
    return kind == GIVEN or kind == MERGED


cdef int fill_parts(JsonPattern pattern, Layout *layout, list missing, dict sample, list held) except -1:
    cdef list pieces = pieces_of(pattern.formatter, pattern.encoder, missing, sample)
    cdef bint has_message = False
    cdef str before = ""
    cdef Part *part
    layout.parts = <Part *>calloc(len(pieces) + 1, sizeof(Part))
    if layout.parts is NULL:
        raise MemoryError
    part = layout.parts
    layout.takes_fields = True
    for piece in pieces:
        if PyUnicode_CheckExact(piece):
            before += piece
            continue
        set_part(pattern, part, piece, held)
        set_literal(&part.before, before, held)
        before = ""
        has_message = has_message or part.attribute == MESSAGE
        layout.takes_fields = layout.takes_fields and part.source != FROM_DICTIONARY
        part += 1
    part.source = END
    set_literal(&part.before, before, held)
    layout.is_simple = layout.takes_fields and has_message
    return 0


cdef int set_part(JsonPattern pattern, Part *part, object piece, list held) except -1:
    what = piece.what
    part.attribute = UNKNOWN
    part.digits = piece.digits
    part.inside = piece.before is not None
    if type(what) is int:
        part.source = FROM_EXTRA
        part.index = what
        return 0
    if not PyUnicode_CheckExact(what):
        if what not in pattern.level_functions:
            pattern.level_functions.append(what)
        part.source = FROM_LEVEL
        part.index = pattern.level_functions.index(what)
        return 0
    part.name = <PyObject *>what
    held.append(what)
    part.attribute = attribute_of(what)
    if what in SOURCES:
        part.source = SOURCES[what]
    elif what == "taskName" and HAS_TASK_NAME:
        part.source = TASK_NAME
    else:
        part.source = FROM_DICTIONARY if part.attribute == UNKNOWN else FROM_ATTRIBUTE
    return 0


cdef int set_literal(Literal *literal, str text, list held) except -1:
    cdef bytes encoded = text.encode("utf-8")
    held.append(encoded)
    literal.bytes = encoded
    literal.size = len(encoded)
    literal.wide = len(encoded) - len(text)
    return 0


# ---- levels ----

cdef Level *know_level(JsonPattern pattern, object name, long long number) except NULL:
    """Return the texts for a level, new or not."""
    cdef Level *level = find_level(&pattern.layouts, <PyObject *>name, number)
    cdef Level new
    cdef list held = [name]
    cdef int index
    if level is not NULL:
        return level
    new.name = <PyObject *>name
    new.number = number
    for index in range(len(pattern.level_functions)):
        set_literal(&new.texts[index], pattern.encoder.encode(pattern.level_functions[index](name, number)), held)
    index = pattern.next_level
    pattern.next_level = (index + 1) & (MOST_LEVELS - 1)
    pattern.held_levels[index] = held
    pattern.layouts.levels[index] = new
    return &pattern.layouts.levels[index]
