"""Makes the text of many records at once, in one buffer, without a string for each.

A formatter's format is compiled once (see pieces.pyx). Where nobody has looked at a record, and it holds plain
strings and numbers only, its text is made without the GIL. Of other lean records the values go from the fields
into the buffer, and those of a standard record come from its dictionary, which is left as `Formatter.format` leaves it.
Whatever is out of the ordinary is given to the formatter itself: a piece, a time, or a record as a whole.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.dict cimport PyDict_CheckExact
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_Format
from libc.math cimport floor
from libc.stdlib cimport free
from libc.string cimport memcpy

from logflume._c.interpreter.python cimport HAS_GIL, dict_get, instance_dict

import logging
import re
import time as _time
import types

from logflume._c cimport record as lean
from logflume._c.backend.message cimport PLANS, Plan, add_message, add_whole_number, is_string
from logflume._c.backend.pattern cimport (
    ASCTIME, CREATED, FILENAME, FUNCNAME, LEVELNAME, LEVELNO, LINENO, LITERAL, MESSAGE, MODULE, MSECS, NAME, NUMBER,
    PATHNAME, PROCESS, PROCESSNAME, TEXT, THREAD, THREADNAME, Field, Piece, Repeats, SimplePiece, SimpleProgram,
    is_unpatched, program_of,
)
from logflume._c.record import LazyRecord as _LazyRecord
from logflume._c.backend.text cimport (
    OTHERWISE, UNFIT, Text, add_ascii, add_number, add_padded, add_string, end_record, reserve, write_milliseconds,
)

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object)
    void *PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    Py_ssize_t Py_REFCNT(object)
    void Py_XDECREF(PyObject *)
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)

cdef extern from "Python.h" nogil:
    PyTypeObject *type_of "Py_TYPE"(PyObject *)
    Py_ssize_t references_to "Py_REFCNT"(PyObject *)

cdef type LogRecord = logging.LogRecord
cdef type LazyRecord = _LazyRecord
cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>_LazyRecord
cdef object MISSING = object()

# ---- segments ----

# Room that a segment has left: to have the system map new pages for each batch costs more than to fill them.
# Without the GIL nobody keeps any.
cdef Text spare

cdef enum:
    MOST_SPARE_TEXT = 1 << 20  # bytes
    MOST_SPARE_ENDS = 1 << 14


cdef class BatchText:
    """The text of some records in UTF-8, and where each ends. It is a buffer of its bytes, too."""

    def __cinit__(self):
        if HAS_GIL:
            self.text.bytes, self.text.room = spare.bytes, spare.room
            self.text.ends, self.text.ends_room = spare.ends, spare.ends_room
            spare.bytes = NULL
            spare.ends = NULL
            spare.room = spare.ends_room = 0

    def __dealloc__(self):
        if HAS_GIL and spare.bytes is NULL and self.text.room <= MOST_SPARE_TEXT:
            spare.bytes, spare.room = self.text.bytes, self.text.room
        else:
            free(self.text.bytes)
        if HAS_GIL and spare.ends is NULL and self.text.ends_room <= MOST_SPARE_ENDS:
            spare.ends, spare.ends_room = self.text.ends, self.text.ends_room
        else:
            free(self.text.ends)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        # the text stays where it is: nothing is added once a segment is composed
        PyBuffer_FillInfo(buffer, self, self.text.bytes, self.text.size, True, flags)

    @property
    def data(self):
        return PyBytes_FromStringAndSize(self.text.bytes, self.text.size)

    @property
    def count(self):
        return self.text.count

    def whole(self, Py_ssize_t size):
        cdef Py_ssize_t index = 0
        while index < self.text.count and self.text.ends[index] <= size:
            index += 1
        return index

    def end(self, Py_ssize_t index):
        return self.text.ends[index] if 0 <= index < self.text.count else 0


# ---- values ----

cdef int add_text(Text *text, object string) except -1:
    return add_string(text, <PyObject *>string)


cdef int add_value(Text *text, Piece piece, object value) except -1:
    """Add `value` as `piece` says."""
    cdef long long number
    cdef double real
    cdef int overflow = 0
    if piece.kind == TEXT:
        if PyUnicode_CheckExact(value):
            return add_padded(text, <PyObject *>value, piece.width, piece.left)
        if not piece.width and PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(text, number, 0, False, False)
    elif piece.kind == NUMBER:
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            if not overflow:
                return add_number(text, number, piece.width, piece.left, piece.zeros)
        elif PyFloat_CheckExact(value):
            real = PyFloat_AS_DOUBLE(value)
            if -1e15 < real < 1e15:
                return add_number(text, <long long>real, piece.width, piece.left, piece.zeros)
    if piece.percent:
        return add_text(text, piece.spec % (value,))
    return add_text(text, format(value, piece.spec))


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
        and dict_get(logging_globals, "time", None) is _time
        and dict_get(time_globals, "strftime", None) is format_time
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


cdef inline bint add_time(Text *text, Clock clock, int milliseconds) noexcept nogil:
    """Add the time that the clock shows."""
    if add_string(text, <PyObject *>clock.shown):
        return UNFIT
    if clock.separator is not None:
        if reserve(text, 3):
            return UNFIT
        write_milliseconds(text.bytes + text.size, milliseconds)
        text.size += 3
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
    write_milliseconds(out + size + more, number)
    return text


# ---- records ----

cdef class Job:
    """What is the same for all records of a batch, and from one batch to the next if the formatter is as it was."""

    def __dealloc__(self):
        cdef int index
        for index in range(PLANS):
            Py_XDECREF(self.plans.plans[index].held)


cdef Job job_of(object formatter):
    cdef Job job = Job.__new__(Job)
    style = formatter._style
    job.formatter = formatter
    job.record_is_unpatched = is_unpatched(LogRecord)
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
        if not clock.lasts or clock.zone is not dict_get(time_globals, "tzname", None):
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


cdef int hold_messages(Job job) noexcept:
    """Have the plans refer to their messages; to be called before the records that bring these are let go."""
    cdef Plan *plan
    cdef PyObject *old
    cdef int index
    if job.plans.changed:
        job.plans.changed = False
        for index in range(PLANS):
            plan = &job.plans.plans[index]
            if plan.held is not plan.message:
                Py_INCREF(<object>plan.message)
                old = plan.held
                plan.held = plan.message
                Py_XDECREF(old)  # exactly a str, whose end runs nobody's code
    return 0


cdef int add_block(Text *text, Py_ssize_t start, object block) except -1:
    """Add a traceback or a stack on a line of its own, to the record that began at `start`."""
    if (text.size == start or text.bytes[text.size - 1] != c'\n') and add_ascii(text, "\n", 1):
        return UNFIT
    if not isinstance(block, str):
        raise TypeError("not a string")  # as the formatter will say
    return add_text(text, block)


cdef int add_filled(Text *text, Job job, object record, dict attributes) except -1:
    """Add a record whose values are in its dictionary."""
    cdef Py_ssize_t start = text.size
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
            unfit = add_text(text, piece.text)
        elif piece.field == MESSAGE:
            unfit = add_value(text, piece, message)
        elif piece.field == ASCTIME:
            unfit = add_value(text, piece, asctime)
        else:
            value = dict_get(attributes, piece.text, MISSING)
            if value is MISSING and job.defaults is not None:
                value = dict_get(job.defaults, piece.text, MISSING)
            if value is MISSING:
                return UNFIT
            unfit = add_value(text, piece, value)
        if unfit:
            return UNFIT
    exc_text = attributes["exc_text"]
    if attributes["exc_info"] and not exc_text:
        job.unexplained = exc_text
        exc_text = job.formatter.formatException(attributes["exc_info"])
        attributes["exc_text"] = exc_text
        job.explained = record
    if exc_text and add_block(text, start, exc_text):
        return UNFIT
    stack = attributes["stack_info"]
    if stack and add_block(text, start, job.formatter.formatStack(stack)):
        return UNFIT
    return 0


cdef inline PyObject *text_of(lean.RecordCore record, Field field) noexcept nogil:
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


# ---- records that hold plain strings and numbers only ----

cdef inline bint has_same_texts(Repeats *run, lean.RecordCore record, lean.RecordCore previous) noexcept nogil:
    """Whether two records have the very same strings for the values of a run."""
    cdef int index
    for index in range(run.count):
        if text_of(record, run.fields[index]) is not text_of(previous, run.fields[index]):
            return False
    return True


cdef inline int add_message_of(Text *text, Job job, lean.RecordCore record) noexcept nogil:
    cdef PyObject *rendered = <PyObject *>record.rendered
    if record.rendered is not None:
        return add_string(text, rendered) if is_string(rendered) else OTHERWISE
    if not record.immutable:
        return OTHERWISE
    return add_message(text, &job.plans, <PyObject *>record.msg, <PyObject *>record.args)


cdef inline int add_piece(Text *text, Job job, lean.RecordCore record, SimplePiece *piece) noexcept nogil:
    cdef Field field = piece.field
    cdef PyObject *string
    if field == MESSAGE:
        return add_message_of(text, job, record)
    if field == ASCTIME:
        return add_time(text, job.clock, job.milliseconds)
    if field == MSECS:
        return add_number(text, <int>lean.milliseconds(record), piece.width, piece.left, piece.zeros)
    if field == LEVELNO:
        return add_number(text, record.levelno, piece.width, piece.left, piece.zeros)
    if field == LINENO:
        return add_whole_number(text, <PyObject *>record.site.lineno, piece.width, piece.left, piece.zeros)
    if field == PROCESS:
        if not record.has_process:
            return OTHERWISE
        return add_number(text, record.process, piece.width, piece.left, piece.zeros)
    if field == THREAD:
        if not record.has_thread:
            return OTHERWISE
        return add_number(text, record.thread, piece.width, piece.left, piece.zeros)
    string = text_of(record, field)
    if string is NULL:
        string = piece.text
    if not is_string(string):
        return OTHERWISE
    return add_padded(text, string, piece.width, piece.left)


cdef inline bint repeat(
    Text *text, Repeats *run, Repeated *repeated, bint same_second, int before, int milliseconds
) noexcept nogil:
    """Add the text of a run once more, which the record before had; false if it may be another one now."""
    cdef Py_ssize_t start = text.size
    cdef bint other_time = run.times and before != milliseconds
    if (run.times and not same_second) or (other_time and repeated.milliseconds < 0) or reserve(text, repeated.size):
        return False
    add_ascii(text, text.bytes + repeated.start, repeated.size)
    text.wide += repeated.wide
    if other_time:
        write_milliseconds(text.bytes + start + repeated.milliseconds, milliseconds)
    repeated.start = start
    return True


cdef int add_simple(Text *text, Job job, lean.RecordCore record) noexcept nogil:
    """Add a lean record, if it holds plain strings and numbers only, of the second that the clock shows."""
    cdef SimpleProgram *program = &job.program.simple
    cdef SimplePiece *piece = program.pieces
    cdef SimplePiece *end = piece + program.count
    cdef SimplePiece *run_end
    cdef Repeats *run
    cdef Repeated *repeated
    cdef Py_ssize_t start, wide
    cdef int before = job.milliseconds, unfit
    cdef bint same_second = False
    if program.uses_time:
        if not job.clock.second <= record.created < job.clock.second + 1.0:
            return OTHERWISE
        if job.clock.separator is not None:
            job.milliseconds = <int>lean.milliseconds(record)
        same_second = job.second == job.clock.second
        job.second = job.clock.second
    while piece < end:
        if piece.run < 0:
            unfit = add_piece(text, job, record, piece)
            if unfit:
                return unfit
            piece += 1
            continue
        # Of logger, level, file ... the next record has mostly the same, and their text is there already.
        run = &program.runs[piece.run]
        repeated = &job.repeated[piece.run]
        if (
            job.previous is not NULL
            and has_same_texts(run, record, <lean.RecordCore>job.previous)
            and repeat(text, run, repeated, same_second, before, job.milliseconds)
        ):
            piece += run.pieces
            continue
        start = text.size
        wide = text.wide
        repeated.milliseconds = -1
        run_end = piece + run.pieces
        while piece < run_end:
            unfit = add_piece(text, job, record, piece)
            if unfit:
                return unfit
            if piece.field == ASCTIME and run.times == 1 and job.clock.separator is not None:
                repeated.milliseconds = text.size - 3 - start
            piece += 1
        repeated.start = start
        repeated.size = text.size - start
        repeated.wide = text.wide - wide
    return 0


cdef inline bint may_be_simple(Job job, PyObject *record, Py_ssize_t holders) noexcept nogil:
    """Whether nobody but `holders` has the record and nobody had looked at it, so that it stays as it is."""
    return (
        type_of(record) is lazy_type
        and references_to(record) <= holders
        and (<lean.RecordCore>record).unfilled
        and (<lean.RecordCore>record).site is not None
        and ((<lean.RecordCore>record).exc_info is None or (<lean.RecordCore>record).exc_info is False)
    )


cdef inline bint finish_record(Text *text, PyObject *terminator, Py_ssize_t wide, Py_ssize_t room) noexcept nogil:
    """End the record before which the text had `wide`; UNFIT if it may rotate the file."""
    # as the standard handler does, the rotation counts characters, and "\n" for the terminator
    return (
        text.size - (text.wide - wide) + 1 >= room or add_string(text, terminator) or end_record(text)
    )


cdef Py_ssize_t add_simple_records(
    Text *text, Job job, PyObject **records, Py_ssize_t count, PyObject *terminator, Py_ssize_t room
) noexcept nogil:
    """Add records till one that has to go another way; return how many. Only `records` may refer to them.

    job.program.is_simple has to be true, and hold_messages() has to be called afterwards.
    """
    cdef Py_ssize_t index, start, wide
    for index in range(count):
        start = text.size
        wide = text.wide
        if (
            not may_be_simple(job, records[index], 1)
            or add_simple(text, job, <lean.RecordCore>records[index])
            or finish_record(text, terminator, wide, room)
        ):
            text.size = start
            text.wide = wide
            job.previous = NULL
            return index
        job.previous = records[index]
    return count


# ---- any records ----

cdef int add_lean(Text *text, Job job, lean.RecordCore record) except -1:
    """Add a record that nobody has looked at, without making its dictionary."""
    cdef Piece piece
    cdef Field field
    cdef PyObject *string
    cdef int msecs = 0
    message = lean.message(record)  # even if it is not shown: it may be wrong, which has to be reported
    if job.program.uses_time:
        if not tick(job.clock, record.created):
            return add_filled(text, job, record, record.__dict__)
        msecs = <int>lean.milliseconds(record)
    for piece in job.program.pieces:
        if piece.kind == LITERAL:
            if add_text(text, piece.text):
                return UNFIT
            continue
        field = piece.field
        string = text_of(record, field)
        if string is not NULL:
            value = <object>string
        elif field == MESSAGE:
            value = message
        elif field == ASCTIME:
            if add_time(text, job.clock, msecs):
                return UNFIT
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
                value = dict_get(record.extra, piece.text, MISSING)
            if value is MISSING and job.defaults is not None:
                value = dict_get(job.defaults, piece.text, MISSING)
            if value is MISSING:
                return UNFIT
        if add_value(text, piece, value):
            return UNFIT
    return 0


cdef int add_record(Text *text, Job job, object record) except -1:
    cdef dict attributes
    cdef Py_ssize_t start, wide
    cdef int unfit
    if job.program is not None and job.record_is_unpatched:
        if type(record) is LazyRecord:
            core = <lean.RecordCore>record
            if core.unfilled and job.private and job.program.lean and core.site is not None and not core.exc_info:
                if job.program.is_simple and (job.clock is None or tick(job.clock, core.created)):
                    start = text.size
                    wide = text.wide
                    unfit = add_simple(text, job, core)
                    job.previous = <PyObject *>core if unfit == 0 else NULL
                    if unfit != OTHERWISE:
                        return unfit
                    text.size = start
                    text.wide = wide
                return add_lean(text, job, core)
            attributes = record.__dict__
            if "getMessage" not in attributes:
                return add_filled(text, job, record, attributes)
        elif type(record) is LogRecord:
            attributes = instance_dict(record)
            if "getMessage" not in attributes:
                return add_filled(text, job, record, attributes)
    exc_text = getattr(record, "exc_text", None)
    if not exc_text and record.exc_info:
        job.unexplained = exc_text
        job.explained = record
    string = job.formatter.format(record)
    if not isinstance(string, str):  # what a str subclass as the format gave
        return UNFIT
    return add_text(text, string)


cdef BatchText compose(object handler, list records, object sink, int holders):
    """The text of as many of `records`, from the first, as may be written to `sink` in one piece.

    It ends before a record that cannot be formatted or encoded here, or that may rotate the file. A lean record
    to which only `holders` lists refer, the given one among them, is left without `message` and `asctime`.
    """
    cdef Job job = job_of(handler.formatter or logging._defaultFormatter)
    cdef BatchText segment = begin_segment(job, sink.ascii)
    add_records(segment, job, records, 0, handler.terminator, sink.limit, sink.room, holders)
    return segment


cdef int note_explained(BatchText segment, Job job) except -1:
    """Note that the record that would come next in the segment got its exc_text when it was formatted."""
    if getattr(job.explained, "exc_text", None) is not job.unexplained:
        if segment.explained is None:
            segment.explained = []
        segment.explained.append((segment.text.count, job.unexplained))
    job.explained = job.unexplained = None  # last: without memory for the note it has to be made again
    return 0


cdef BatchText begin_segment(Job job, bint ascii):
    """Return an empty segment, to which records can be added."""
    cdef BatchText segment = BatchText.__new__(BatchText)
    segment.text.ascii = ascii
    job.explained = None  # what a batch that failed left there
    job.previous = NULL  # it refers to a segment
    return segment


cdef int add_records(
    BatchText segment, Job job, list records, Py_ssize_t index, object terminator, Py_ssize_t limit, Py_ssize_t room,
    int holders
) except -1:
    """Add the records from that at `index` on, as compose() says."""
    cdef Text *text = &segment.text
    cdef Py_ssize_t start = text.size, wide = text.wide
    cdef int unfit = 0
    cdef bint terminates = PyUnicode_CheckExact(terminator)
    record = None
    try:
        while index < len(records) and text.size < limit:
            record = records[index]
            index += 1
            start = text.size
            wide = text.wide
            job.private = Py_REFCNT(record) <= holders + 1  # the one more is ours
            unfit = add_record(text, job, record)
            if job.explained is not None:
                note_explained(segment, job)
            if unfit or not terminates or finish_record(text, <PyObject *>terminator, wide, room):
                unfit = UNFIT
                break
    except Exception:  # the handler meets it again, and reports it
        unfit = UNFIT
    except BaseException as error:
        segment.interrupt = error
        unfit = UNFIT
    hold_messages(job)
    if unfit:
        text.size = start
        text.wide = wide
        segment.special = True
    if job.explained is not None:
        note_explained(segment, job)
    return 0
