"""Values as json.dumps() gives them, added to a text. None of this needs the GIL; see text.pxi for what it returns.

With `ascii` other characters become escapes, so that a text has to take them before it: text.ascii is false.
"""

cdef extern from "backend/json_text.h" nogil:
    size_t logflume_plain(const char *text, size_t size, bint ascii)
    char *logflume_put_ascii(char *out, unsigned int character, bint ascii)
    char *logflume_put_wide(char *out, unsigned int character)
    enum:
        LOGFLUME_SECOND
    void logflume_put_second(char *out, long long seconds)
    char *logflume_put_fraction(char *out, int number, int digits)

cdef extern from "backend/float_repr.h" nogil:
    char *logflume_float_repr(char *end, double number)

cdef enum:
    MOST_ESCAPED = 12  # bytes of a character

# A second in UTC as text, kept for the next record of it.
cdef struct Second:
    bint is_known
    long long seconds
    char text[20]


cdef inline int add_json_string(Text *text, PyObject *string, bint ascii) noexcept nogil:
    """Add exactly a str."""
    cdef const char *source
    cdef Py_ssize_t size, plain, index
    cdef char *out
    if not is_ascii(string):
        return add_json_wide(text, string, ascii)
    source = <const char *>data_of(string)
    size = length_of(string)
    if reserve(text, size + 2):
        return UNFIT
    plain = logflume_plain(source, size, True)
    out = text.bytes + text.size
    out[0] = c'"'
    logflume_copy(out + 1, source, plain)
    if plain < size:
        text.size += 1 + plain
        size -= plain
        if size > PY_SSIZE_T_MAX // MOST_ESCAPED or reserve(text, MOST_ESCAPED * size):
            return UNFIT
        source += plain
        out = text.bytes + text.size
        for index in range(size):
            out = logflume_put_ascii(out, <unsigned char>source[index], ascii)
        text.size = out - text.bytes
        return add_ascii(text, '"', 1)
    out[1 + size] = c'"'
    text.size += size + 2
    return 0


cdef inline int add_json_wide(Text *text, PyObject *string, bint ascii) noexcept nogil:
    """Add a string that is not only ASCII."""
    cdef Py_ssize_t start = text.size + 1
    if add_ascii(text, '"', 1):
        return UNFIT
    if add_string(text, string):
        return OTHERWISE  # half of a pair, too, has an escape
    return end_json_string(text, start, ascii)


cdef inline int end_json_string(Text *text, Py_ssize_t start, bint ascii) noexcept nogil:
    """End the string whose inside began at `start`."""
    return escape_from(text, start, ascii) or add_ascii(text, '"', 1)


cdef inline int escape_from(Text *text, Py_ssize_t start, bint ascii) noexcept nogil:
    """Escape what was added since `start`, text in UTF-8, as the inside of a JSON string."""
    cdef Py_ssize_t size = text.size - start, moved
    cdef Py_ssize_t plain = logflume_plain(text.bytes + start, size, ascii)
    cdef const unsigned char *source
    cdef const unsigned char *end
    cdef char *out
    cdef unsigned int char
    if plain == size:
        return 0
    start += plain
    size -= plain
    # to the end of where the escaped text can reach, so that what is written never meets what is still to be read
    moved = (MOST_ESCAPED // 2 - 1) * size
    if size > PY_SSIZE_T_MAX // MOST_ESCAPED or reserve(text, moved):
        return UNFIT
    memmove(text.bytes + start + moved, text.bytes + start, size)
    source = <const unsigned char *>text.bytes + start + moved
    end = source + size
    out = text.bytes + start
    while source < end:
        char = source[0]
        if char < 0x80:
            out = logflume_put_ascii(out, char, ascii)
            source += 1
            continue
        if not ascii:
            out[0] = <char>char
            out += 1
            source += 1
            continue
        if char < 0xE0:
            char = (char & 0x1F) << 6 | (source[1] & 0x3F)
            source += 2
            text.wide -= 1
        elif char < 0xF0:
            char = (char & 0x0F) << 12 | (source[1] & 0x3F) << 6 | (source[2] & 0x3F)
            source += 3
            text.wide -= 2
        else:
            char = (char & 0x07) << 18 | (source[1] & 0x3F) << 12 | (source[2] & 0x3F) << 6 | (source[3] & 0x3F)
            source += 4
            text.wide -= 3
        out = logflume_put_wide(out, char)
    text.size = out - text.bytes
    return 0


cdef inline int add_json_float(Text *text, double number) noexcept nogil:
    """Add a float, unless its digits are left to repr()."""
    cdef char digits[32]
    cdef char *end = digits + 32
    cdef char *begin = logflume_float_repr(end, number)
    if begin is not NULL:
        return add_ascii(text, begin, end - begin)
    if number != number:
        return add_ascii(text, "NaN", 3)
    if number - number != 0:
        return add_ascii(text, "Infinity", 8) if number > 0 else add_ascii(text, "-Infinity", 9)
    return OTHERWISE


cdef inline int add_json_value(Text *text, PyObject *value, bint ascii) noexcept nogil:
    """Add exactly a str, int, float, bool or None."""
    if is_string(value):
        return add_json_string(text, value, ascii)
    if value is Py_None:
        return add_ascii(text, "null", 4)
    if value is Py_True:
        return add_ascii(text, "true", 4)
    if value is Py_False:
        return add_ascii(text, "false", 5)
    if is_float(value):
        return add_json_float(text, float_value(value))
    return add_whole_number(text, value, 0, False, False)


cdef inline int add_json_timestamp(
    Text *text, Second *second, double created, int milliseconds, int digits
) noexcept nogil:
    """Add the time in UTC as a string in ISO format.

    With 6 or 3 digits for the fraction of the second and with "Z", the latter the milliseconds given; with 0 as
    datetime.isoformat() has it.
    """
    cdef double seconds = floor(created), microseconds = rint((created - seconds) * 1e6)
    cdef char *out
    if not 0 <= created < 253402300799.0:
        return OTHERWISE
    if reserve(text, 40):
        return UNFIT
    if microseconds >= 1e6:
        microseconds -= 1e6
        seconds += 1
    if not second.is_known or second.seconds != <long long>seconds:
        second.seconds = <long long>seconds
        second.is_known = True
        logflume_put_second(second.text, second.seconds)
    out = text.bytes + text.size
    out[0] = c'"'
    memcpy(out + 1, second.text, LOGFLUME_SECOND)
    out += 1 + LOGFLUME_SECOND
    if digits == 3:
        out = logflume_put_fraction(out, milliseconds, 3)
    elif digits or microseconds:
        out = logflume_put_fraction(out, <int>microseconds, 6)
    if digits:
        out[0] = c'Z'
        out += 1
    else:
        memcpy(out, "+00:00", 6)
        out += 6
    out[0] = c'"'
    text.size = out + 1 - text.bytes
    return 0
