"""Makes the text of many records at once, in one buffer, without a string for each.

A formatter's format is compiled once (see pieces.pyx). A lean record's values go from its fields into the buffer;
the values of a standard record come from its dictionary, and it is left as `Formatter.format` leaves it.
Whatever is out of the ordinary is given to the formatter itself: a piece, a time, or a record as a whole.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.dict cimport PyDict_CheckExact
from cpython.exc cimport PyErr_NoMemory
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_Format
from libc.math cimport floor
from libc.string cimport memchr, memcpy, memset

import logging
import re
import time as _time
import types

from logflume._c cimport record as lean
from logflume._c.pieces cimport (
    ASCTIME, CREATED, FILENAME, FUNCNAME, LEVELNAME, LEVELNO, LINENO, LITERAL, MESSAGE, MODULE, MSECS, NAME, NUMBER,
    PATHNAME, PROCESS, PROCESSNAME, TEXT, THREAD, THREADNAME, Field, Piece, Repeats, is_stock, program_of,
)
from logflume._c.record import LeanRecord as _LeanRecord

cdef extern from "copy.h":
    void logflume_copy(char *to, const char *source, size_t size)
    char *logflume_digits(char *end, unsigned long long number)

cdef extern from "pycompat.h":
    enum:
        LOGFLUME_GIL
    object logflume_instance_dict(object)
    object logflume_get(object dictionary, object key, object missing)

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    bint PyUnicode_IS_ASCII(object)
    int PyUnicode_KIND(object)
    void *PyUnicode_DATA(object)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t index)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    Py_ssize_t Py_REFCNT(object)
    void Py_XDECREF(PyObject *)
    Py_ssize_t PyTuple_GET_SIZE(object)
    PyObject *PyTuple_GET_ITEM(object, Py_ssize_t)
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)

cdef type LogRecord = logging.LogRecord
cdef type LeanRecord = _LeanRecord
cdef object MISSING = object()

# ---- the text ----

# Room that a segment has left: to have the system map new pages for each batch costs more than to fill them.
# Without the GIL nobody keeps any.
cdef char *spare_text = NULL
cdef Py_ssize_t spare_text_room = 0
cdef Py_ssize_t *spare_ends = NULL
cdef Py_ssize_t spare_ends_room = 0

cdef enum:
    MOST_SPARE_TEXT = 1 << 20  # bytes
    MOST_SPARE_ENDS = 1 << 14


cdef class Segment:
    """The text of some records in UTF-8, and where each ends. It is a buffer of its bytes, too."""

    def __cinit__(self):
        global spare_text, spare_ends
        if LOGFLUME_GIL and spare_text is not NULL:
            self._text = spare_text
            self._text_room = spare_text_room
            spare_text = NULL
        if LOGFLUME_GIL and spare_ends is not NULL:
            self._ends = spare_ends
            self._ends_room = spare_ends_room
            spare_ends = NULL

    def __dealloc__(self):
        global spare_text, spare_text_room, spare_ends, spare_ends_room
        if LOGFLUME_GIL and spare_text is NULL and self._text_room <= MOST_SPARE_TEXT:
            spare_text = self._text
            spare_text_room = self._text_room
        else:
            PyMem_Free(self._text)
        if LOGFLUME_GIL and spare_ends is NULL and self._ends_room <= MOST_SPARE_ENDS:
            spare_ends = self._ends
            spare_ends_room = self._ends_room
        else:
            PyMem_Free(self._ends)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        # the text stays where it is: nothing is added once a segment is composed
        PyBuffer_FillInfo(buffer, self, self._text, self._size, True, flags)

    @property
    def data(self):
        return PyBytes_FromStringAndSize(self._text, self._size)

    def whole(self, Py_ssize_t size):
        cdef Py_ssize_t index = 0
        while index < self.count and self._ends[index] <= size:
            index += 1
        return index

    def end(self, Py_ssize_t index):
        return self._ends[index] if 0 <= index < self.count else 0


cdef inline int reserve(Segment segment, Py_ssize_t size) except -1:
    """Make room for `size` more bytes."""
    if size > segment._text_room - segment._size:
        return grow(segment, size)
    return 0


cdef int grow(Segment segment, Py_ssize_t size) except -1:
    cdef Py_ssize_t room = segment._text_room
    cdef char *text
    if size > PY_SSIZE_T_MAX - segment._size:
        PyErr_NoMemory()
    room = max(2 * room if room < PY_SSIZE_T_MAX // 2 else PY_SSIZE_T_MAX, segment._size + size, 8192)
    text = <char *>PyMem_Realloc(segment._text, room)
    if text == NULL:
        PyErr_NoMemory()
    segment._text = text
    segment._text_room = room
    return 0


cdef int end_record(Segment segment) except -1:
    """Note that a record ends here."""
    cdef Py_ssize_t room = segment._ends_room
    cdef Py_ssize_t *ends
    if segment.count == room:
        room = max(2 * room, 64)
        ends = <Py_ssize_t *>PyMem_Realloc(segment._ends, room * sizeof(Py_ssize_t))
        if ends == NULL:
            PyErr_NoMemory()
        segment._ends = ends
        segment._ends_room = room
    segment._ends[segment.count] = segment._size
    segment.count += 1
    return 0


# The functions that add to a segment return 1 if the stream may need other bytes than these; the record is
# then left to the handler.

cdef inline int add_ascii(Segment segment, const char *text, Py_ssize_t size) except -1:
    reserve(segment, size)
    logflume_copy(segment._text + segment._size, text, size)
    segment._size += size
    return 0


cdef int add_wide(Segment segment, object text) except -1:
    """Add a string that is not only ASCII."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef int kind = PyUnicode_KIND(text)
    cdef void *data = PyUnicode_DATA(text)
    cdef Py_ssize_t index
    cdef unsigned int char  # what is Py_UCS4 is a str to the operators below
    cdef unsigned char *out
    if segment._ascii or length > PY_SSIZE_T_MAX // 4:
        return 1
    reserve(segment, 4 * length)
    out = <unsigned char *>segment._text + segment._size
    for index in range(length):
        char = PyUnicode_READ(kind, data, index)
        if char < 0x80:
            out[0] = <unsigned char>char
            out += 1
        elif char < 0x800:
            out[0] = <unsigned char>(0xC0 | (char >> 6))
            out[1] = <unsigned char>(0x80 | (char & 0x3F))
            out += 2
        elif char < 0x10000:
            if 0xD800 <= char < 0xE000:
                return 1  # half of a pair has no bytes of its own
            out[0] = <unsigned char>(0xE0 | (char >> 12))
            out[1] = <unsigned char>(0x80 | ((char >> 6) & 0x3F))
            out[2] = <unsigned char>(0x80 | (char & 0x3F))
            out += 3
        else:
            out[0] = <unsigned char>(0xF0 | (char >> 18))
            out[1] = <unsigned char>(0x80 | ((char >> 12) & 0x3F))
            out[2] = <unsigned char>(0x80 | ((char >> 6) & 0x3F))
            out[3] = <unsigned char>(0x80 | (char & 0x3F))
            out += 4
    cdef Py_ssize_t size = out - (<unsigned char *>segment._text + segment._size)
    segment._size += size
    segment._wide += size - length
    return 0


cdef inline int add_text(Segment segment, object text) except -1:
    """Add a str."""
    if PyUnicode_IS_ASCII(text):
        return add_ascii(segment, <const char *>PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text))
    return add_wide(segment, text)


cdef int add_spaces(Segment segment, Py_ssize_t count) except -1:
    if count > 0:
        reserve(segment, count)
        memset(segment._text + segment._size, c' ', count)
        segment._size += count
    return 0


cdef inline int add_padded(Segment segment, object text, Py_ssize_t width, bint left) except -1:
    cdef Py_ssize_t padding = width - PyUnicode_GET_LENGTH(text)
    if padding <= 0:
        return add_text(segment, text)
    if not left:
        add_spaces(segment, padding)
    if add_text(segment, text):
        return 1
    if left:
        add_spaces(segment, padding)
    return 0


cdef inline int add_number(Segment segment, long long number, Py_ssize_t width, bint left, bint zeros) except -1:
    cdef char digits[24]
    cdef char *end = digits + 24
    cdef char *begin
    if number < 0:
        begin = logflume_digits(end, 0 - <unsigned long long>number)
        begin -= 1
        begin[0] = c'-'
    else:
        begin = logflume_digits(end, <unsigned long long>number)
    if width > end - begin:
        return add_padded_number(segment, begin, end - begin, width, left, zeros)
    return add_ascii(segment, begin, end - begin)


cdef int add_padded_number(
    Segment segment, const char *text, Py_ssize_t size, Py_ssize_t width, bint left, bint zeros
) except -1:
    cdef bint negative = text[0] == c'-'
    reserve(segment, width)
    cdef char *out = segment._text + segment._size
    segment._size += width
    if left:
        memcpy(out, text, size)
        memset(out + size, c' ', width - size)
    elif zeros:
        out[0] = c'-'
        memset(out + negative, c'0', width - size)
        memcpy(out + width - size + negative, text + negative, size - negative)
    else:
        memset(out, c' ', width - size)
        memcpy(out + width - size, text, size)
    return 0


cdef int add_value(Segment segment, Piece piece, object value) except -1:
    """Add `value` as `piece` says."""
    cdef long long number
    cdef double real
    cdef int overflow = 0
    if piece.kind == TEXT:
        if PyUnicode_CheckExact(value):
            return add_padded(segment, value, piece.width, piece.left)
        if not piece.width and PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(segment, number, 0, False, False)
    elif piece.kind == NUMBER:
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(segment, number, piece.width, piece.left, piece.zeros)
        elif PyFloat_CheckExact(value):
            real = PyFloat_AS_DOUBLE(value)
            if -1e15 < real < 1e15:
                return add_number(segment, <long long>real, piece.width, piece.left, piece.zeros)
    if piece.percent:
        return add_text(segment, piece.spec % (value,))
    return add_text(segment, format(value, piece.spec))


# ---- messages ----

# What add_message() and add_simple() return if they cannot do it. What they added till then does not count, and
# nobody's code was run.
cdef enum:
    OTHERWISE = 2

cdef inline Plan *plan_of(Plan **plans, object message) except NULL:
    """Return the plan for a str."""
    cdef Plan **plan = &plans[(<size_t><PyObject *>message >> 4) % PLANS]
    if plan[0] is NULL or plan[0].message != <PyObject *>message:
        renew_plan(plan, message)
    return plan[0]


cdef int renew_plan(Plan **place, object message) except -1:
    cdef Plan *plan = place[0]
    if plan is NULL:
        plan = <Plan *>PyMem_Malloc(sizeof(Plan))
        if plan is NULL:
            PyErr_NoMemory()
        place[0] = plan
    else:
        Py_XDECREF(plan.message)  # a str, whose end runs nobody's code
    Py_INCREF(message)
    plan.message = <PyObject *>message
    plan.count = 0
    plan.arguments = -1
    if PyUnicode_IS_ASCII(message):
        make_plan(plan, <const char *>PyUnicode_DATA(message), PyUnicode_GET_LENGTH(message))
    return 0


cdef void make_plan(Plan *plan, const char *text, Py_ssize_t length) noexcept:
    """Take apart a message of that many characters, with a NUL after them."""
    cdef const char *end = text + length
    cdef const char *found
    cdef Conversion *part
    cdef Py_ssize_t arguments = 0
    while plan.count < MOST_PARTS:
        part = &plan.parts[plan.count]
        plan.count += 1
        part.literal = text
        part.kind = 0
        part.left = part.zeros = part.width = 0
        found = <const char *>memchr(text, c'%', end - text)
        if found == NULL:
            part.size = end - text
            plan.arguments = arguments
            return
        part.size = found - text
        text = found + 1
        if text[0] == c'%':
            part.size += 1
            text += 1
            continue
        part.left = text[0] == c'-'
        part.zeros = text[0] == c'0'
        text += part.left or part.zeros
        if c'1' <= text[0] <= c'9':
            while c'0' <= text[0] <= c'9' and part.width < 1000:
                part.width = 10 * part.width + text[0] - c'0'
                text += 1
        if text[0] != c's' and text[0] != c'd' and text[0] != c'i':
            return
        part.kind = text[0]
        text += 1
        arguments += 1


cdef inline int add_message(Segment segment, Plan **plans, lean.RecordCore record) except -1:
    """Add the message of a record, if it is made of plain strings and whole numbers."""
    cdef Plan *plan
    cdef Conversion *part
    cdef PyObject *args
    cdef Py_ssize_t next = 0
    cdef int index, unfit
    if record.rendered is not None:
        return add_text(segment, record.rendered) if PyUnicode_CheckExact(record.rendered) else OTHERWISE
    if not record.safe or not PyUnicode_CheckExact(record.msg) or not PyTuple_CheckExact(record.args):
        return OTHERWISE
    args = <PyObject *>record.args
    if PyTuple_GET_SIZE(<object>args) == 0:
        return add_text(segment, record.msg)
    plan = plan_of(plans, record.msg)
    if plan.arguments != PyTuple_GET_SIZE(<object>args):
        return OTHERWISE
    for index in range(plan.count):
        part = &plan.parts[index]
        add_ascii(segment, part.literal, part.size)
        if part.kind:
            unfit = add_argument(
                segment, PyTuple_GET_ITEM(<object>args, next), part.kind, part.width, part.left, part.zeros
            )
            if unfit:
                return unfit
            next += 1
    return 0


cdef inline int add_argument(
    Segment segment, PyObject *value, char conversion, Py_ssize_t width, bint left, bint zeros
) except -1:
    """Add an argument of a message, as %s, %d or %i say."""
    cdef int overflow
    cdef long long number
    if conversion == c's':
        if PyUnicode_CheckExact(<object>value):
            return add_padded(segment, <object>value, width, left)
        zeros = False
    if not PyLong_CheckExact(<object>value):
        return OTHERWISE
    number = PyLong_AsLongLongAndOverflow(<object>value, &overflow)
    return OTHERWISE if overflow else add_number(segment, number, width, left, zeros)


# ---- time ----

cdef object BuiltinFunction = types.BuiltinFunctionType
cdef object local_time = _time.localtime
cdef object utc_time = _time.gmtime
cdef object format_time = _time.strftime
cdef bint TIME_IS_STOCK = all(
    [type(function) is BuiltinFunction and function.__module__ == "time"
     for function in (local_time, utc_time, format_time)]
)
# Formats of these have the same text in any locale, so it can be kept from one batch to the next.
cdef object NUMERIC = re.compile(r"(?:[^%]|%[YmdHMSjyT%])*")
cdef dict stamps = {}  # by converter and format: (second, time.tzname then, text)
cdef Py_ssize_t MOST_STAMPS = 16


cdef object stamp(object converter, object fmt, double second):
    """The text of a second. The zone may change (time.tzset makes a new time.tzname) between batches."""
    key = (converter, fmt)
    known = stamps.get(key)
    if known is not None and known[0] == second and known[1] is _time.tzname:
        return known[2]
    zone = _time.tzname
    text = format_time(fmt, converter(second))
    if NUMERIC.fullmatch(fmt) is not None:
        if len(stamps) >= MOST_STAMPS:
            stamps.clear()
        stamps[key] = (second, zone, text)
    return text


cdef class Clock:
    """Makes `asctime` for one formatter."""


cdef dict time_globals = vars(_time)
cdef dict logging_globals = vars(logging)


cdef bint time_is_stock() except -1:
    return (
        TIME_IS_STOCK
        and logflume_get(logging_globals, "time", None) is _time
        and logflume_get(time_globals, "strftime", None) is format_time
    )


cdef Clock clock_of(object formatter):
    cdef Clock clock = Clock.__new__(Clock)
    clock.formatter = formatter
    clock.datefmt = formatter.datefmt
    clock.converter = formatter.converter
    clock.second = -1e300
    if not time_is_stock() or (clock.converter is not local_time and clock.converter is not utc_time):
        return clock
    fmt = clock.datefmt
    if not fmt:
        fmt = formatter.default_time_format
        msecs = formatter.default_msec_format
        if msecs == "%s,%03d":
            clock.separator = ","
        elif msecs:
            if not PyUnicode_CheckExact(msecs) or not msecs.startswith("%s") or not msecs.endswith("%03d"):
                return clock
            clock.separator = msecs[2:-4]
            if "%" in clock.separator or not clock.separator.isascii():
                return clock
    if PyUnicode_CheckExact(fmt):
        clock.format = fmt
    return clock


cdef bint tick(Clock clock, double created) except -1:
    """Set clock.text for `created`; false if the formatter has to say."""
    cdef double second
    if clock.second <= created < clock.second + 1.0:
        return True
    second = floor(created)
    if clock.format is None or not -1e11 < created < 1e11:
        return False
    if second != clock.second:
        zone = _time.tzname
        clock.text = stamp(clock.converter, clock.format, second)
        clock.shown = clock.text + (clock.separator or "")
        clock.zone = zone
        clock.second = second if PyUnicode_IS_ASCII(clock.text) else -1e300
    return PyUnicode_IS_ASCII(clock.text)


cdef inline int add_time(Segment segment, Clock clock, int msecs) except -1:
    """Add the time that the clock shows."""
    cdef char *digits
    add_text(segment, clock.shown)
    if clock.separator is not None:
        reserve(segment, 3)
        digits = segment._text + segment._size
        digits[0] = <char>(c'0' + msecs // 100)
        digits[1] = <char>(c'0' + msecs // 10 % 10)
        digits[2] = <char>(c'0' + msecs % 10)
        segment._size += 3
    return 0


cdef object time_text(Clock clock, object record, dict attributes):
    """What formatter.formatTime(record, datefmt) returns."""
    cdef Py_ssize_t size, more
    cdef char *out
    cdef int number
    created = attributes["created"]
    if not PyFloat_CheckExact(created) or not tick(clock, PyFloat_AS_DOUBLE(created)):
        return clock.formatter.formatTime(record, clock.datefmt)
    if clock.separator is None:
        return clock.text
    msecs = attributes["msecs"]
    if not PyFloat_CheckExact(msecs) or not 0.0 <= PyFloat_AS_DOUBLE(msecs) < 1000.0:
        return clock.formatter.formatTime(record, clock.datefmt)
    number = <int>PyFloat_AS_DOUBLE(msecs)
    size = PyUnicode_GET_LENGTH(clock.text)
    more = PyUnicode_GET_LENGTH(clock.separator)
    text = PyUnicode_New(size + more + 3, 127)
    out = <char *>PyUnicode_DATA(text)
    memcpy(out, PyUnicode_DATA(clock.text), size)
    memcpy(out + size, PyUnicode_DATA(clock.separator), more)
    out += size + more
    out[0] = <char>(c'0' + number // 100)
    out[1] = <char>(c'0' + number // 10 % 10)
    out[2] = <char>(c'0' + number % 10)
    return text


# ---- records ----

cdef class Job:
    """What is the same for all records of a batch, and from one batch to the next if the formatter is as it was."""

    def __dealloc__(self):
        cdef int index
        for index in range(PLANS):
            if self.plans[index] is not NULL:
                Py_XDECREF(self.plans[index].message)
                PyMem_Free(self.plans[index])


cdef Job job_of(object formatter):
    cdef Job job = Job.__new__(Job)
    style = formatter._style
    job.formatter = formatter
    job.stock_record = is_stock(LogRecord)
    defaults = style._defaults
    if not defaults or PyDict_CheckExact(defaults):
        job.program = program_of(style)
        job.defaults = defaults
    if job.program is not None and job.program.uses_time:
        job.clock = clock_of(formatter)
    return job


cdef Job lasting_job_of(object formatter):
    """Return a Job that can be renewed, as long as nothing about `formatter` and logging's classes changes."""
    cdef Job job = job_of(formatter)
    if job.clock is not None and job.clock.format is not None:
        job.clock.lasts = NUMERIC.fullmatch(job.clock.format) is not None
    return job


cdef bint renew(Job job) except -1:
    """Make `job` ready for another batch; false if time is told in another way now."""
    cdef Clock clock = job.clock
    if clock is not None and clock.format is not None:
        if not time_is_stock():
            return False
        if not clock.lasts or clock.zone is not logflume_get(time_globals, "tzname", None):
            clock.second = -1e300
    return True


cdef object message_of(dict attributes):
    """What LogRecord.getMessage returns."""
    text = attributes["msg"]
    args = attributes["args"]
    if not PyUnicode_CheckExact(text):
        text = str(text)
    if not args:
        return text
    if PyUnicode_CheckExact(text) and (PyTuple_CheckExact(args) or PyDict_CheckExact(args)):
        return PyUnicode_Format(text, args)
    return text % args


cdef int add_block(Segment segment, Py_ssize_t start, object text) except -1:
    """Add a traceback or a stack on a line of its own, to the record that began at `start`."""
    if segment._size == start or segment._text[segment._size - 1] != c'\n':
        add_ascii(segment, "\n", 1)
    if not isinstance(text, str):
        raise TypeError("not a string")  # as the formatter will say
    return add_text(segment, text)


cdef int add_filled(Segment segment, Job job, object record, dict attributes) except -1:
    """Add a record whose values are in its dictionary."""
    cdef Py_ssize_t start = segment._size
    cdef Piece piece
    cdef int unfit
    asctime = None
    if type(record) is LogRecord:
        message = message_of(attributes)
    else:
        message = lean.message(<lean.RecordCore>record)
    attributes["message"] = message
    if job.program.uses_time:
        asctime = time_text(job.clock, record, attributes)
        attributes["asctime"] = asctime
    for piece in job.program.pieces:
        if piece.kind == LITERAL:
            unfit = add_text(segment, piece.text)
        elif piece.field == MESSAGE:
            unfit = add_value(segment, piece, message)
        elif piece.field == ASCTIME:
            unfit = add_value(segment, piece, asctime)
        else:
            value = logflume_get(attributes, piece.text, MISSING)
            if value is MISSING and job.defaults is not None:
                value = logflume_get(job.defaults, piece.text, MISSING)
            if value is MISSING:
                return 1
            unfit = add_value(segment, piece, value)
        if unfit:
            return 1
    exc_text = attributes["exc_text"]
    if attributes["exc_info"] and not exc_text:
        job.unexplained = exc_text
        exc_text = job.formatter.formatException(attributes["exc_info"])
        attributes["exc_text"] = exc_text
        job.explained = record
    if exc_text and add_block(segment, start, exc_text):
        return 1
    stack = attributes["stack_info"]
    if stack and add_block(segment, start, job.formatter.formatStack(stack)):
        return 1
    return 0


cdef inline PyObject *text_of(lean.RecordCore record, Field field) noexcept:
    """The value of a field that in nearly all records is a string, borrowed; NULL for other fields."""
    if field == NAME:
        return <PyObject *>record.name
    if field == LEVELNAME:
        return <PyObject *>record.levelname
    if field == PATHNAME:
        return <PyObject *>record.site.pathname
    if field == FILENAME:
        return <PyObject *>record.site.filename
    if field == MODULE:
        return <PyObject *>record.site.module
    if field == FUNCNAME:
        return <PyObject *>record.site.funcName
    if field == THREADNAME:
        return <PyObject *>record.threadName
    if field == PROCESSNAME:
        return <PyObject *>record.processName
    return NULL


cdef inline int add_whole(Segment segment, PyObject *piece, long long number) except -1:
    return add_number(segment, number, (<Piece>piece).width, (<Piece>piece).left, (<Piece>piece).zeros)


cdef inline bint has_same_texts(Repeats *run, lean.RecordCore record, lean.RecordCore previous) noexcept:
    """Whether two records have the very same strings for the values of a run."""
    cdef int index
    for index in range(run.count):
        if text_of(record, run.fields[index]) != text_of(previous, run.fields[index]):
            return False
    return True


cdef inline int add_piece(Segment segment, Job job, lean.RecordCore record, PyObject *piece) except -1:
    cdef Field field = (<Piece>piece).field
    cdef PyObject *text
    if field == MESSAGE:
        return add_message(segment, job.plans, record)
    if field == ASCTIME:
        return add_time(segment, job.clock, <int>lean.milliseconds(record))
    if field == MSECS:
        return add_whole(segment, piece, <int>lean.milliseconds(record))
    if field == LEVELNO:
        return add_whole(segment, piece, record.levelno)
    if field == LINENO:
        return add_argument(
            segment, <PyObject *>record.site.lineno, c'd',
            (<Piece>piece).width, (<Piece>piece).left, (<Piece>piece).zeros,
        )
    if field == PROCESS:
        return add_whole(segment, piece, record.process) if record.has_process else OTHERWISE
    if field == THREAD:
        return add_whole(segment, piece, record.thread) if record.has_thread else OTHERWISE
    text = text_of(record, field)
    if text == NULL:
        text = <PyObject *>(<Piece>piece).text  # a literal
    if not PyUnicode_CheckExact(<object>text):
        return OTHERWISE
    return add_padded(segment, <object>text, (<Piece>piece).width, (<Piece>piece).left)


cdef int add_simple(Segment segment, Job job, lean.RecordCore record) except -1:
    """Add a record as add_lean() does, if it holds plain strings and numbers only."""
    cdef PyObject *pieces = <PyObject *>job.program.pieces
    cdef Py_ssize_t count = PyTuple_GET_SIZE(<object>pieces)
    cdef Py_ssize_t index = 0, end, start, wide
    cdef int unfit, run
    cdef int msecs
    cdef bint same_time = False
    cdef Repeated *repeated
    if job.program.uses_time:
        if not tick(job.clock, record.created):
            return OTHERWISE
        msecs = <int>lean.milliseconds(record) if job.clock.separator is not None else 0
        same_time = msecs == job.msecs and job.clock.second == job.second
        job.msecs = msecs
        job.second = job.clock.second
    while index < count:
        run = (<Piece>PyTuple_GET_ITEM(<object>pieces, index)).run
        if run < 0:
            unfit = add_piece(segment, job, record, PyTuple_GET_ITEM(<object>pieces, index))
            if unfit:
                return unfit
            index += 1
            continue
        # Of logger, level, file ... the next record has mostly the same, and their text is there already.
        end = index + job.program.runs[run].pieces
        repeated = &job.repeated[run]
        if (
            job.previous is not None
            and repeated.size >= 0
            and (same_time or not job.program.runs[run].times)
            and has_same_texts(&job.program.runs[run], record, job.previous)
        ):
            reserve(segment, repeated.size)
            add_ascii(segment, segment._text + repeated.start, repeated.size)
            index = end
            continue
        start = segment._size
        wide = segment._wide
        while index < end:
            unfit = add_piece(segment, job, record, PyTuple_GET_ITEM(<object>pieces, index))
            if unfit:
                return unfit
            index += 1
        repeated.start = start
        repeated.size = segment._size - start if segment._wide == wide else -1
    return 0


cdef int add_lean(Segment segment, Job job, lean.RecordCore record) except -1:
    """Add a record that nobody has looked at, without making its dictionary."""
    cdef Piece piece
    cdef Field field
    cdef PyObject *text
    cdef int msecs = 0
    message = lean.message(record)  # even if it is not shown: it may be wrong, which has to be reported
    if job.program.uses_time:
        if not tick(job.clock, record.created):
            return add_filled(segment, job, record, record.__dict__)
        msecs = <int>lean.milliseconds(record)
    for piece in job.program.pieces:
        if piece.kind == LITERAL:
            if add_text(segment, piece.text):
                return 1
            continue
        field = piece.field
        text = text_of(record, field)
        if text != NULL:
            value = <object>text
        elif field == MESSAGE:
            value = message
        elif field == ASCTIME:
            add_time(segment, job.clock, msecs)
            continue
        elif field == LEVELNO:
            value = record.levelno
        elif field == LINENO:
            value = record.site.lineno
        elif field == CREATED:
            value = record.created
        elif field == MSECS:
            value = lean.milliseconds(record)
        elif field == THREAD:
            value = record.thread if record.has_thread else None
        elif field == PROCESS:
            value = record.process if record.has_process else None
        else:
            value = MISSING
            if record.extra is not None:
                value = logflume_get(record.extra, piece.text, MISSING)
            if value is MISSING and job.defaults is not None:
                value = logflume_get(job.defaults, piece.text, MISSING)
            if value is MISSING:
                return 1
        if add_value(segment, piece, value):
            return 1
    return 0


cdef int add_record(Segment segment, Job job, object record) except -1:
    cdef dict attributes
    cdef Py_ssize_t start, wide
    cdef int unfit
    if job.program is not None and job.stock_record:
        if type(record) is LeanRecord:
            core = <lean.RecordCore>record
            if core.lean and job.private and job.program.lean and core.site is not None and not core.exc_info:
                if job.program.simple:
                    start = segment._size
                    wide = segment._wide
                    unfit = add_simple(segment, job, core)
                    job.previous = core if unfit == 0 else None
                    if unfit != OTHERWISE:
                        return unfit
                    segment._size = start
                    segment._wide = wide
                return add_lean(segment, job, core)
            attributes = record.__dict__
            if "getMessage" not in attributes:
                return add_filled(segment, job, record, attributes)
        elif type(record) is LogRecord:
            attributes = logflume_instance_dict(record)
            if "getMessage" not in attributes:
                return add_filled(segment, job, record, attributes)
    exc_text = getattr(record, "exc_text", None)
    if not exc_text and record.exc_info:
        job.unexplained = exc_text
        job.explained = record
    text = job.formatter.format(record)
    if not isinstance(text, str):  # what a str subclass as the format gave
        return 1
    return add_text(segment, text)


cdef Segment compose(object handler, list records, object sink, int holders):
    """The text of as many of `records`, from the first, as may be written to `sink` in one piece.

    It ends before a record that cannot be formatted or encoded here, or that may rotate the file. A lean record
    to which only `holders` lists refer, the given one among them, is left without `message` and `asctime`.
    """
    cdef Job job = job_of(handler.formatter or logging._defaultFormatter)
    return compose_job(job, records, handler.terminator, sink.limit, sink.room, sink.ascii, holders)


cdef int note_explained(Segment segment, Job job) except -1:
    """Note that the record that would come next in the segment got its exc_text when it was formatted."""
    if getattr(job.explained, "exc_text", None) is not job.unexplained:
        if segment.explained is None:
            segment.explained = []
        segment.explained.append((segment.count, job.unexplained))
    job.explained = job.unexplained = None  # last: without memory for the note it has to be made again
    return 0


cdef Segment compose_job(
    Job job, list records, object terminator, Py_ssize_t limit, Py_ssize_t room, bint ascii, int holders
):
    cdef Segment segment = Segment.__new__(Segment)
    cdef Py_ssize_t start = 0, wide = 0
    cdef int unfit = 0
    cdef bint terminates = PyUnicode_CheckExact(terminator)
    record = job.explained = None  # what a batch that failed left there
    segment._ascii = ascii
    try:
        for record in records:
            start = segment._size
            wide = segment._wide
            if start >= limit:
                break
            job.private = Py_REFCNT(record) <= holders + 1  # the one more is ours
            unfit = add_record(segment, job, record)
            # as the standard handler does, the rotation counts characters, and "\n" for the terminator
            if unfit or not terminates or segment._size - (segment._wide - wide) + 1 >= room:
                unfit = 1
                break
            unfit = add_text(segment, terminator)
            if unfit:
                break
            if job.explained is not None:
                note_explained(segment, job)
            end_record(segment)
    except Exception:  # the handler meets it again, and reports it
        unfit = 1
    except BaseException as error:
        segment.interrupt = error
        unfit = 1
    job.previous = None  # it refers to this segment
    if unfit:
        segment._size = start
        segment._wide = wide
        segment.special = True
    if job.explained is not None:
        note_explained(segment, job)
    return segment
