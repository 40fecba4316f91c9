"""Compiles a formatter's format, in any of the three styles, into pieces: literals and values."""

from cpython.object cimport PyObject, PyTypeObject
from cpython.unicode cimport PyUnicode_CheckExact

from logflume._c.interpreter.python cimport assign_type_version

import logging
import re
import string

from logflume._delivery import unpatched

cdef type PercentStyle = logging.PercentStyle
cdef type StrFormatStyle = logging.StrFormatStyle
cdef type Template = string.Template

# ---- what is stock ----

cdef dict versions = {}  # a class, and its version tag when it was last found to be stock


cdef bint is_unpatched(type cls) except -1:
    """Whether `cls` and its bases are as the standard library made them."""
    # read first: a change while the class is looked at must be seen at the next look
    cdef unsigned int version = assign_type_version(<PyTypeObject *>cls)
    if version != 0 and versions.get(cls) == version:
        return True
    if not unpatched.class_is_unpatched(cls):
        return False
    versions[cls] = version
    return True


# ---- the pieces of a format ----

cdef dict FIELDS = {
    "message": MESSAGE, "asctime": ASCTIME, "name": NAME, "levelname": LEVELNAME, "levelno": LEVELNO,
    "pathname": PATHNAME, "filename": FILENAME, "module": MODULE, "funcName": FUNCNAME, "lineno": LINENO,
    "created": CREATED, "msecs": MSECS, "thread": THREAD, "threadName": THREADNAME, "process": PROCESS,
    "processName": PROCESSNAME,
    "relativeCreated": UNKNOWN, "taskName": UNKNOWN, "exc_info": UNKNOWN, "exc_text": UNKNOWN,
    "stack_info": UNKNOWN, "msg": UNKNOWN, "args": UNKNOWN,
}


cdef class Piece:
    pass


cdef class Program:
    pass


cdef Piece literal(str text):
    cdef Piece piece = Piece.__new__(Piece)
    piece.kind = LITERAL
    piece.text = text
    return piece


cdef Piece value_piece(str name, Kind kind, object spec, bint percent):
    cdef Piece piece = Piece.__new__(Piece)
    piece.kind = kind
    piece.field = FIELDS.get(name, EXTRA)
    piece.text = name
    piece.spec = spec
    piece.percent = percent
    return piece


cdef object PERCENT = re.compile(
    r"%(?:\((?P<name>\w+)\)(?P<flags>[#0\- +]*)(?P<width>\d{0,4})(?P<precision>(?:\.\d{0,4})?)"
    r"(?P<kind>[diouxXeEfFgGcrsa])|(?P<percent>%))"
)
cdef object WIDTH = re.compile(r"(?P<align>[<>]?)(?P<width>[1-9]\d{0,3})")


cdef list percent_pieces(str fmt):
    """The pieces of a %-format, or None."""
    cdef list pieces = []
    cdef Piece piece
    cdef Py_ssize_t at = 0, found
    while True:
        found = fmt.find("%", at)
        if found < 0:
            pieces.append(literal(fmt[at:]))
            return pieces
        pieces.append(literal(fmt[at:found]))
        match = PERCENT.match(fmt, found)
        if match is None:
            return None
        at = match.end()
        if match["percent"]:
            pieces.append(literal("%"))
            continue
        flags, width, precision, kind = match.group("flags", "width", "precision", "kind")
        spec = f"%{flags}{width}{precision}{kind}"
        piece = value_piece(match["name"], OTHER, spec, True)
        if not precision and flags in ("", "-", "0"):
            if kind == "d" or (kind == "s" and flags != "0"):
                piece.kind = NUMBER if kind == "d" else TEXT
                piece.width = int(width or 0)
                piece.left = flags == "-"
                piece.zeros = flags == "0"
        pieces.append(piece)


cdef list brace_pieces(str fmt):
    """The pieces of a {-format, or None."""
    cdef list pieces = []
    cdef Piece piece
    for text, name, spec, conversion in string.Formatter().parse(fmt):
        pieces.append(literal(text))
        if name is None:
            continue
        if not name.isidentifier() or conversion or "{" in spec:
            return None
        piece = value_piece(name, OTHER, spec, False)
        match = WIDTH.fullmatch(spec)
        if not spec or match is not None:
            piece.kind = TEXT
            piece.width = int(match["width"]) if spec else 0
            piece.left = not spec or match["align"] != ">"
        pieces.append(piece)
    return pieces


cdef list dollar_pieces(object template):
    """The pieces of a $-format, or None."""
    cdef list pieces = []
    cdef Py_ssize_t at = 0
    cdef str text = template.template
    if vars(template).keys() != {"template"}:
        return None
    for match in template.pattern.finditer(text):
        pieces.append(literal(text[at:match.start()]))
        at = match.end()
        name = match["named"] or match["braced"]
        if name is not None:
            pieces.append(value_piece(name, TEXT, "%s", True))
        elif match["escaped"] is not None:
            pieces.append(literal("$"))
        else:
            return None
    pieces.append(literal(text[at:]))
    return pieces


cdef bint is_simple(Piece piece):
    """Whether a lean record's value for `piece` is written as it is, or padded."""
    if piece.kind == LITERAL:
        return True
    if piece.field in (MESSAGE, ASCTIME):
        return piece.kind == TEXT and piece.width == 0
    if piece.field in (LEVELNO, LINENO, THREAD, PROCESS):
        return piece.kind == NUMBER or (piece.kind == TEXT and piece.width == 0)
    if piece.field == MSECS:
        return piece.kind == NUMBER
    return piece.kind == TEXT and piece.field not in (UNKNOWN, CREATED, EXTRA)


cdef bint repeats(Piece piece):
    """Whether many records in a row have the same text for `piece`."""
    return piece.kind == LITERAL or (piece.kind == TEXT and piece.field in (
        ASCTIME, NAME, LEVELNAME, PATHNAME, FILENAME, MODULE, FUNCNAME, THREADNAME, PROCESSNAME,
    ))


cdef int simplify(Program program) except -1:
    """Fill program.simple."""
    cdef tuple pieces = program.pieces
    cdef SimpleProgram *simple = &program.simple
    cdef SimplePiece *part
    cdef Piece piece
    cdef int index, number = 0
    simple.uses_time = program.uses_time
    simple.count = <int>len(pieces)
    for index in range(simple.count):
        piece = pieces[index]
        part = &simple.pieces[index]
        part.field = piece.field
        part.text = <PyObject *>piece.text
        part.width = piece.width
        part.left = piece.left
        part.zeros = piece.zeros
        part.run = -1
    index = 0
    while index < simple.count:
        if number < MOST_RUNS and find_run(&simple.runs[number], pieces[index:]):
            simple.pieces[index].run = number
            index += simple.runs[number].pieces
            number += 1
        else:
            index += 1
    return 0


cdef bint find_run(Repeats *run, tuple pieces) except -1:
    """Whether the first of `pieces` begin a run, which is described then."""
    cdef Piece piece
    run.pieces = run.count = run.times = 0
    for piece in pieces:
        if not repeats(piece):
            break
        if piece.kind != LITERAL:
            if piece.field == ASCTIME:
                run.times += 1
            elif run.count == MOST_REPEATED:
                break
            else:
                run.fields[run.count] = piece.field
                run.count += 1
        run.pieces += 1
    return run.pieces > 1


cdef dict programs = {}  # by style class and format
cdef Py_ssize_t MOST_PROGRAMS = 64


cdef Program program_of(object style):
    """The program for a formatter's style; None if its format has to be left to the formatter."""
    cdef type cls = type(style)
    fmt = style._fmt
    if cls is not PercentStyle and cls is not StrFormatStyle:
        if type(style._tpl) is not Template or not is_unpatched(Template) or style._tpl.template is not fmt:
            return None
    if not PyUnicode_CheckExact(fmt):
        return None
    key = (cls, fmt)
    found = programs.get(key, programs)
    if found is not programs:
        return found
    if len(programs) >= MOST_PROGRAMS:
        programs.clear()
    program = compile_style(style, cls, fmt)
    programs[key] = program
    return program


cdef Program compile_style(object style, type cls, str fmt):
    cdef Program program
    cdef Piece piece
    cdef list pieces
    if cls is PercentStyle:
        pieces = percent_pieces(fmt)
    elif cls is StrFormatStyle:
        try:
            pieces = brace_pieces(fmt)
        except ValueError:  # it is no format, as the formatter will say
            return None
    else:
        pieces = dollar_pieces(style._tpl)
    if pieces is None:
        return None
    program = Program.__new__(Program)
    program.pieces = tuple([piece for piece in pieces if piece.kind != LITERAL or piece.text])
    program.uses_time = style.usesTime()
    program.lean = True
    program.is_simple = len(program.pieces) <= MOST_SIMPLE and all([is_simple(piece) for piece in program.pieces])
    program.is_simple = program.is_simple and any([piece.field == MESSAGE for piece in program.pieces])
    for piece in program.pieces:
        if piece.field == ASCTIME:
            if not program.uses_time:
                return None
            program.lean = program.lean and piece.kind == TEXT and not piece.width
        elif piece.field == UNKNOWN and piece.kind != LITERAL:
            program.lean = False
    if program.is_simple:
        simplify(program)
    return program
