"""asctime: the text of a record's time, made once for each second."""

cdef object BuiltinFunction = types.BuiltinFunctionType
cdef object local_time = time.localtime
cdef object utc_time = time.gmtime
cdef object format_time = time.strftime
cdef bint WAS_UNPATCHED = all(
    [type(function) is BuiltinFunction and function.__module__ == "time"
     for function in (local_time, utc_time, format_time)]
)
# Formats of these have the same text in any locale.
cdef object NUMERIC = re.compile(r"(?:[^%]|%[YmdHMSjyT%])*")
cdef dict time_globals = vars(time)
cdef dict logging_globals = vars(logging)


cdef class Clock:
    """Makes `asctime` for one formatter."""

    cdef object formatter
    cdef object converter
    cdef object datefmt
    cdef object format  # of the part that changes each second; None: only the formatter can make the text
    cdef bint lasts  # the text of a second is the same in any locale
    cdef str separator  # before the milliseconds; None if they are not shown
    cdef double second
    cdef object zone  # time.tzname then
    cdef str text  # of that second
    cdef str shown  # that and the separator


cdef inline bint add_time(Text *text, Clock clock, int milliseconds) noexcept nogil:
    """Add the time that the clock shows."""
    return add_string(text, <PyObject *>clock.shown) or (
        clock.separator is not None and add_number(text, milliseconds, 3, False, True)
    )


cdef bint time_is_unpatched() except -1:
    return (
        WAS_UNPATCHED
        and dict_get(logging_globals, "time", None) is time
        and dict_get(time_globals, "strftime", None) is format_time
    )


cdef Clock clock_of(object formatter):
    cdef Clock clock = Clock.__new__(Clock)
    clock.formatter = formatter
    clock.datefmt = formatter.datefmt
    clock.converter = formatter.converter
    clock.second = -1e300
    if not time_is_unpatched() or (clock.converter is not local_time and clock.converter is not utc_time):
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
        clock.lasts = NUMERIC.fullmatch(fmt) is not None
    return clock


cdef bint renew(Clock clock) except -1:
    """Make `clock` ready for another batch; false if logging takes the time from elsewhere now."""
    if clock.format is not None:
        if not time_is_unpatched():
            return False
        # time.tzset() makes a new time.tzname
        if not clock.lasts or clock.zone is not dict_get(time_globals, "tzname", None):
            clock.second = -1e300
    return True


cdef bint tick(Clock clock, double created) except -1:
    """Have clock.text be that of `created`; false if only the formatter can make it."""
    cdef double second
    if clock.second <= created < clock.second + 1.0:
        return True
    second = floor(created)
    if clock.format is None or not -1e11 < created < 1e11:
        return False
    if second != clock.second:
        zone = time.tzname
        clock.text = format_time(clock.format, clock.converter(second))
        clock.shown = clock.text + (clock.separator or "")
        clock.zone = zone
        clock.second = second if is_ascii(<PyObject *>clock.text) else -1e300
    return is_ascii(<PyObject *>clock.text)


cdef object time_text(Clock clock, object record, dict attributes):
    """Return what formatter.formatTime(record, datefmt) returns, with the values in `attributes`."""
    created = attributes["created"]
    if not PyFloat_CheckExact(created) or not tick(clock, PyFloat_AS_DOUBLE(created)):
        return clock.formatter.formatTime(record, clock.datefmt)
    if clock.separator is None:
        return clock.text
    msecs = attributes["msecs"]
    if not PyFloat_CheckExact(msecs) or not 0.0 <= PyFloat_AS_DOUBLE(msecs) < 1000.0:
        return clock.formatter.formatTime(record, clock.datefmt)
    return f"{clock.shown}{<int>PyFloat_AS_DOUBLE(msecs):03d}"
