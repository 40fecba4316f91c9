"""Compiles a formatter's format, in any of the three styles, into fields: literals and values."""

cdef enum Kind:
    LITERAL
    TEXT  # a string as it is, or padded to a width
    NUMBER  # a whole number, maybe padded
    OTHER  # anything else that can be said with one value

cdef enum Attribute:
    UNKNOWN
    MESSAGE
    ASCTIME
    NAME
    LEVELNAME
    LEVELNO
    PATHNAME
    FILENAME
    MODULE
    FUNCNAME
    LINENO
    CREATED
    MSECS
    THREAD
    THREADNAME
    PROCESS
    PROCESSNAME
    EXTRA  # not an attribute that records have from the start
    # What a formatter adds: see added_fields.pxi.
    LEVELPREFIX
    CLIENT_ADDR
    REQUEST_LINE
    STATUS_CODE

cdef type PercentStyle = logging.PercentStyle
cdef type StrFormatStyle = logging.StrFormatStyle
cdef type StringTemplate = string.Template

# ---- the fields of a format ----

cdef dict ATTRIBUTES = {
    "message": MESSAGE, "asctime": ASCTIME, "name": NAME, "levelname": LEVELNAME, "levelno": LEVELNO,
    "pathname": PATHNAME, "filename": FILENAME, "module": MODULE, "funcName": FUNCNAME, "lineno": LINENO,
    "created": CREATED, "msecs": MSECS, "thread": THREAD, "threadName": THREADNAME, "process": PROCESS,
    "processName": PROCESSNAME,
    "relativeCreated": UNKNOWN, "taskName": UNKNOWN, "exc_info": UNKNOWN, "exc_text": UNKNOWN,
    "stack_info": UNKNOWN, "msg": UNKNOWN, "args": UNKNOWN,
}

cdef dict ADDED = {
    "levelprefix": LEVELPREFIX, "client_addr": CLIENT_ADDR, "request_line": REQUEST_LINE, "status_code": STATUS_CODE,
}


cdef Attribute attribute_of(str name) except *:
    """What is known of a captured record under this name; UNKNOWN: nothing."""
    return ATTRIBUTES.get(name, UNKNOWN)


cdef class Field:
    cdef Kind kind
    cdef Attribute attribute
    cdef str text  # the literal, or the field's name
    cdef object spec  # what makes the text of OTHER: "%..." for %, or a format spec
    cdef bint percent
    cdef Py_ssize_t width
    cdef bint left
    cdef bint zeros


cdef class Pattern:
    cdef tuple fields
    cdef bint uses_time
    cdef bint takes_fields  # a captured record has every value at hand
    cdef bint is_simple  # and each is written as it is, or padded
    cdef bint shows_message
    cdef bint has_added  # whether the formatter adds fields to a record
    cdef tuple statuses  # the text of each status if it adds those of a request


cdef Field literal(str text):
    cdef Field field = Field.__new__(Field)
    field.kind = LITERAL
    field.text = text
    return field


cdef Field value_field(str name, Kind kind, object spec, bint percent):
    cdef Field field = Field.__new__(Field)
    field.kind = kind
    field.attribute = ATTRIBUTES.get(name, EXTRA)
    field.text = name
    field.spec = spec
    field.percent = percent
    return field


cdef object PERCENT = re.compile(
    r"%(?:\((?P<name>\w+)\)(?P<flags>[#0\- +]*)(?P<width>\d{0,4})(?P<precision>(?:\.\d{0,4})?)"
    r"(?P<kind>[diouxXeEfFgGcrsa])|(?P<percent>%))"
)
cdef object WIDTH = re.compile(r"(?P<align>[<>]?)(?P<width>[1-9]\d{0,3})")


cdef list percent_fields(str fmt):
    """The fields of a %-format, or None."""
    cdef list fields = []
    cdef Field field
    cdef Py_ssize_t at = 0, found
    while True:
        found = fmt.find("%", at)
        if found < 0:
            fields.append(literal(fmt[at:]))
            return fields
        fields.append(literal(fmt[at:found]))
        match = PERCENT.match(fmt, found)
        if match is None:
            return None
        at = match.end()
        if match["percent"]:
            fields.append(literal("%"))
            continue
        flags, width, precision, kind = match.group("flags", "width", "precision", "kind")
        spec = f"%{flags}{width}{precision}{kind}"
        field = value_field(match["name"], OTHER, spec, True)
        if not precision and flags in ("", "-", "0"):
            if kind == "d" or (kind == "s" and flags != "0"):
                field.kind = NUMBER if kind == "d" else TEXT
                field.width = int(width or 0)
                field.left = flags == "-"
                field.zeros = flags == "0"
        fields.append(field)


cdef list brace_fields(str fmt):
    """The fields of a {-format, or None."""
    cdef list fields = []
    cdef Field field
    for text, name, spec, conversion in string.Formatter().parse(fmt):
        fields.append(literal(text))
        if name is None:
            continue
        if not name.isidentifier() or conversion or "{" in spec:
            return None
        field = value_field(name, OTHER, spec, False)
        match = WIDTH.fullmatch(spec)
        if not spec or match is not None:
            field.kind = TEXT
            field.width = int(match["width"]) if spec else 0
            field.left = not spec or match["align"] != ">"
        fields.append(field)
    return fields


cdef list dollar_fields(object template):
    """The fields of a $-format, or None."""
    cdef list fields = []
    cdef Py_ssize_t at = 0
    cdef str text = template.template
    if vars(template).keys() != {"template"}:
        return None
    for match in template.pattern.finditer(text):
        fields.append(literal(text[at:match.start()]))
        at = match.end()
        name = match["named"] or match["braced"]
        if name is not None:
            fields.append(value_field(name, TEXT, "%s", True))
        elif match["escaped"] is not None:
            fields.append(literal("$"))
        else:
            return None
    fields.append(literal(text[at:]))
    return fields


cdef bint is_simple(Field field):
    """Whether a captured record's value for `field` is written as it is, or padded."""
    if field.kind == LITERAL:
        return True
    if field.attribute in (MESSAGE, ASCTIME):
        return field.kind == TEXT and field.width == 0
    if field.attribute in (LEVELNO, LINENO, THREAD, PROCESS):
        return field.kind == NUMBER or (field.kind == TEXT and field.width == 0)
    if field.attribute == MSECS:
        return field.kind == NUMBER
    return field.kind == TEXT and field.attribute not in (UNKNOWN, CREATED)


cdef dict patterns = {}  # by style class and format
cdef Py_ssize_t MOST_PATTERNS = 64


cdef Pattern pattern_of(object style, tuple added):
    """The pattern for a formatter's style; None if its format has to be left to the formatter.

    `added` are the names of what the formatter adds to a record.
    """
    cdef type cls = type(style)
    fmt = style._fmt
    if cls is not PercentStyle and cls is not StrFormatStyle:
        if type(style._tpl) is not StringTemplate or style._tpl.template is not fmt:
            return None
        if not class_is_unpatched(StringTemplate):
            return None
    if not PyUnicode_CheckExact(fmt):
        return None
    key = (cls, fmt, added)
    found = patterns.get(key, patterns)
    if found is not patterns:
        return found
    if len(patterns) >= MOST_PATTERNS:
        patterns.clear()
    pattern = compile_style(style, cls, fmt, added)
    patterns[key] = pattern
    return pattern


cdef Pattern compile_style(object style, type cls, str fmt, tuple added):
    cdef Pattern pattern
    cdef Field field
    cdef list fields
    if cls is PercentStyle:
        fields = percent_fields(fmt)
    elif cls is StrFormatStyle:
        try:
            fields = brace_fields(fmt)
        except ValueError:  # it is no format, as the formatter will say
            return None
    else:
        fields = dollar_fields(style._tpl)
    if fields is None:
        return None
    pattern = Pattern.__new__(Pattern)
    pattern.fields = tuple([field for field in fields if field.kind != LITERAL or field.text])
    pattern.uses_time = style.usesTime()
    pattern.takes_fields = True
    pattern.has_added = len(added) > 0
    pattern.statuses = status_texts() if "status_code" in added else None
    for field in pattern.fields:
        if field.kind != LITERAL and field.text in added:
            field.attribute = ADDED[field.text]
            is_composed = field.attribute in (LEVELPREFIX, REQUEST_LINE)
            if field.kind != TEXT or (is_composed and field.width):
                return None
    pattern.is_simple = all([is_simple(field) for field in pattern.fields])
    pattern.shows_message = any([field.attribute == MESSAGE for field in pattern.fields])
    for field in pattern.fields:
        if field.attribute == ASCTIME:
            if not pattern.uses_time:
                return None
            pattern.takes_fields = pattern.takes_fields and field.kind == TEXT and not field.width
        elif field.attribute == UNKNOWN and field.kind != LITERAL:
            pattern.takes_fields = False
    return pattern
