"""Compiles the options of a JsonFormatter: which bytes each record has, and which values stand between them."""

from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact

import logging
import sys

from logflume._c.backend.pattern cimport (
    ASCTIME, CREATED, FILENAME, FUNCNAME, LEVELNAME, LEVELNO, LINENO, MESSAGE, MODULE, MSECS, NAME, PATHNAME, PROCESS,
    PROCESSNAME, THREAD, THREADNAME, UNKNOWN,
)

from logflume._c.interpreter.python cimport instance_dict
from logflume._delivery.json_formatters import json_formatter_is_unpatched

cdef dict ATTRIBUTES = {
    "message": MESSAGE, "asctime": ASCTIME, "name": NAME, "levelname": LEVELNAME, "levelno": LEVELNO,
    "pathname": PATHNAME, "filename": FILENAME, "module": MODULE, "funcName": FUNCNAME, "lineno": LINENO,
    "created": CREATED, "msecs": MSECS, "thread": THREAD, "threadName": THREADNAME, "process": PROCESS,
    "processName": PROCESSNAME,
}
cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
# What every record has, and what its formatting adds: as extra fields these would come in their own order.
cdef frozenset OWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}
cdef tuple SIMPLE = (str, int, float, bool, type(None))  # exactly: they cannot change


cdef class JsonPattern:
    """What is the same in the JSON of all records of a formatter."""


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
    except Exception:  # a name that is no string, or what was put into the place of the formatter's attributes
        return None


cdef JsonPattern compile_options(object formatter):
    cdef JsonPattern pattern = JsonPattern.__new__(JsonPattern)
    cdef dict layout = {}
    cdef list head
    if (
        not json_formatter_is_unpatched(formatter)
        or getattr(formatter, "schema", None) is not None
        or formatter.json_indent is not None
        or type(formatter.json_ensure_ascii) is not bool
        or not PyUnicode_CheckExact(formatter.prefix)
        or (formatter.json_ensure_ascii and not formatter.prefix.isascii())
        or not OWN <= formatter._skip_fields
    ):
        return None
    pattern.formatter = formatter
    pattern.encoder = formatter.json_encoder(ensure_ascii=formatter.json_ensure_ascii)
    pattern.ascii = formatter.json_ensure_ascii
    pattern.attributes = attributes_of(formatter)
    pattern.contents = contents_of(formatter)
    pattern.renamed = dict(formatter.rename_fields)
    pattern.targets = list(pattern.renamed.values())
    pattern.keeps_missing = bool(formatter.rename_fields_keep_missing)
    pattern.skipped = frozenset(formatter._skip_fields)
    pattern.uses_time = "asctime" in formatter._required_fields
    pattern.takes_fields = True
    pattern.held = []
    pattern.held_keys = []
    # as add_fields() does: a field that is given again keeps its place
    for key, value in getattr(formatter, "defaults", {}).items():
        layout[renamed(pattern, key)] = (value,)
    for key in formatter._required_fields:
        layout[renamed(pattern, key)] = key
    for key, value in formatter.static_fields.items():
        layout[renamed(pattern, key)] = (value,)
    head = list(layout)
    if formatter.timestamp:
        key = formatter.timestamp if isinstance(formatter.timestamp, str) else "timestamp"
        layout[renamed(pattern, key)] = None
    if pattern.keeps_missing:
        for key in pattern.targets:
            layout.setdefault(key, (None,))
    pattern.names = set(layout)
    pattern.is_simple = "message" in layout.values()
    return pattern if head and lay_out(pattern, layout, len(head)) else None


cdef object renamed(JsonPattern pattern, object key):
    return pattern.renamed.get(key, key)


cdef bint lay_out(JsonPattern pattern, dict layout, Py_ssize_t head) except -1:
    """Fill pattern.parts with the fields of `layout`, of which so many come before the extra ones."""
    cdef int count = 0, index = 0
    cdef Part *part
    cdef str before = pattern.formatter.prefix + "{"
    for name, what in layout.items():
        if not PyUnicode_CheckExact(name) or count > MOST_PARTS - 3:
            return False
        if index == head:
            set_part(pattern, count, before, EXTRA_FIELDS)
            before = ""
            count += 1
        before += (", " if index else "") + pattern.encoder.encode(name) + ": "
        index += 1
        if type(what) is tuple:
            if type(what[0]) not in SIMPLE:
                return False
            before += pattern.encoder.encode(what[0])
            continue
        part = set_part(pattern, count, before, FROM_ATTRIBUTE)
        before = ""
        count += 1
        if what is None:
            part.source = TIMESTAMP
        elif not PyUnicode_CheckExact(what):
            return False
        elif what in ("exc_info", "exc_text", "stack_info"):
            part.source = NULL_VALUE
        elif what == "taskName" and HAS_TASK_NAME:
            part.source = TASK_NAME
        elif what in ATTRIBUTES:
            part.attribute = ATTRIBUTES[what]
        else:
            pattern.takes_fields = pattern.takes_fields and what not in OWN
            part.source = FROM_DICTIONARY
        hash(what)  # noted in the string, and read there
        pattern.held.append(what)
        part.name = <PyObject *>what
    pattern.is_simple = pattern.is_simple and pattern.takes_fields
    if index == head:
        set_part(pattern, count, before, EXTRA_FIELDS)
        before = ""
        count += 1
    set_part(pattern, count, before + "}", END)
    return True


cdef Part *set_part(JsonPattern pattern, int index, str before, Source source) except NULL:
    cdef Part *part = &pattern.parts[index]
    pattern.held.append(set_literal(&part.before, before))
    part.source = source
    part.attribute = UNKNOWN
    part.name = NULL
    return part


cdef bytes set_literal(Literal *literal, str text):
    """Have the literal be `text`; return what it refers to."""
    cdef bytes encoded = text.encode("utf-8")
    literal.bytes = encoded
    literal.size = len(encoded)
    literal.wide = len(encoded) - len(text)
    return encoded


cdef tuple attributes_of(object formatter):
    return tuple(instance_dict(formatter).values())


cdef tuple contents_of(object formatter):
    """What in the formatter may change without its attributes being set."""
    cdef list found = [len(formatter._skip_fields), *formatter._required_fields]
    for dictionary in (formatter.rename_fields, formatter.static_fields, getattr(formatter, "defaults", {})):
        found.append(None)
        for key, value in dictionary.items():
            found.append(key)
            found.append(value)
    return tuple(found)


cdef bint is_unchanged(JsonPattern pattern) except -1:
    """Whether the formatter's dictionaries are as they were when the pattern was made."""
    try:
        return are_same(contents_of(pattern.formatter), pattern.contents)
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


# ---- the names of extra fields ----

cdef Key *get_to_know(JsonPattern pattern, object key) except NULL:
    """Return what is to be known of a name that is exactly a str."""
    cdef Py_hash_t hashed = hash(key)
    cdef size_t index = <size_t>hashed
    cdef Key *new
    cdef int each
    if pattern.known >= MOST_KEYS // 2:
        for each in range(MOST_KEYS):
            pattern.keys[each].key = NULL
        pattern.known = 0
        pattern.held_keys.clear()
    while pattern.keys[index & (MOST_KEYS - 1)].key is not NULL:
        index += 1
    new = &pattern.keys[index & (MOST_KEYS - 1)]
    new.kind = kind_of_key(pattern, key)
    new.hash = hashed
    if new.kind != SKIPPED and new.kind != CLASHES:
        text = ", " + pattern.encoder.encode(renamed(pattern, key)) + ": "
        try:
            pattern.held_keys.append(set_literal(&new.before, text))
        except UnicodeEncodeError:
            new.kind = CLASHES
    pattern.held_keys.append(key)
    pattern.known += 1
    new.key = <PyObject *>key
    return new


cdef KeyKind kind_of_key(JsonPattern pattern, str key) except *:
    if key in pattern.skipped or key.startswith("_"):
        return SKIPPED
    name = renamed(pattern, key)
    if not PyUnicode_CheckExact(name) or name in pattern.names:
        return CLASHES
    if key in pattern.renamed:
        return RENAMED if pattern.targets.count(name) == 1 and not pattern.keeps_missing else CLASHES
    return TARGET if key in pattern.targets else ADDED
