"""A text in UTF-8 that grows, and what is added to it. None of this needs the GIL.

What adds returns 0, or UNFIT: there is no memory for it, or the stream may need other bytes than these. The record
is then left to the handler. Strings are given as borrowed references to exactly a str; they and numbers never
change, so that to read them takes no lock.
"""

cdef extern from "backend/digits.h" nogil:
    void logflume_copy(char *to, const char *source, size_t size)
    char *logflume_digits(char *end, unsigned long long number)

cdef enum:
    UNFIT = 1
    # It cannot be done here, but by the interpreter; what was added so far does not count.
    OTHERWISE = 2

# The text of some records, and where each ends.
cdef struct Text:
    char *bytes
    Py_ssize_t size
    Py_ssize_t capacity
    Py_ssize_t wide  # how many bytes are not the first of their character
    bint ascii  # whether the stream takes only ASCII as it is
    Py_ssize_t *ends
    Py_ssize_t count
    Py_ssize_t ends_capacity


cdef inline bint reserve(Text *text, Py_ssize_t size) noexcept nogil:
    """Make room for `size` more bytes."""
    return size > text.capacity - text.size and grow(text, size)


cdef inline bint grow(Text *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t capacity
    cdef char *grown
    if size > PY_SSIZE_T_MAX // 2 - text.size:
        return UNFIT
    capacity = max(2 * text.capacity if text.capacity < PY_SSIZE_T_MAX // 2 else PY_SSIZE_T_MAX, text.size + size, 8192)
    grown = <char *>realloc(text.bytes, capacity)
    if grown is NULL:
        return UNFIT
    text.bytes = grown
    text.capacity = capacity
    return 0


cdef inline bint end_record(Text *text) noexcept nogil:
    """Note that a record ends here."""
    cdef Py_ssize_t capacity = text.ends_capacity
    cdef Py_ssize_t *grown
    if text.count == capacity:
        capacity = max(2 * capacity, 64)
        grown = <Py_ssize_t *>realloc(text.ends, capacity * sizeof(Py_ssize_t))
        if grown is NULL:
            return UNFIT
        text.ends = grown
        text.ends_capacity = capacity
    text.ends[text.count] = text.size
    text.count += 1
    return 0


cdef inline bint add_ascii(Text *text, const char *source, Py_ssize_t size) noexcept nogil:
    if reserve(text, size):
        return UNFIT
    logflume_copy(text.bytes + text.size, source, size)
    text.size += size
    return 0


cdef inline bint add_wide(Text *text, PyObject *string) noexcept nogil:
    """Add a string that is not only ASCII."""
    cdef Py_ssize_t length = length_of(string)
    cdef int kind = kind_of(string)
    cdef void *data = data_of(string)
    cdef Py_ssize_t index, size
    cdef unsigned int char
    cdef unsigned char *out
    if kind == 0 or text.ascii or length > PY_SSIZE_T_MAX // 8 or reserve(text, 4 * length):
        return UNFIT
    out = <unsigned char *>text.bytes + text.size
    for index in range(length):
        char = character_at(kind, data, index)
        if char < 0x80:
            out[0] = <unsigned char>char
            out += 1
        elif char < 0x800:
            out[0] = <unsigned char>(0xC0 | (char >> 6))
            out[1] = <unsigned char>(0x80 | (char & 0x3F))
            out += 2
        elif char < 0x10000:
            if 0xD800 <= char < 0xE000:
                return UNFIT  # half of a pair has no bytes of its own
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
    size = out - (<unsigned char *>text.bytes + text.size)
    text.size += size
    text.wide += size - length
    return 0


cdef inline bint add_string(Text *text, PyObject *string) noexcept nogil:
    if is_ascii(string):
        return add_ascii(text, <const char *>data_of(string), length_of(string))
    return add_wide(text, string)


cdef inline bint add_spaces(Text *text, Py_ssize_t count) noexcept nogil:
    if count > 0:
        if reserve(text, count):
            return UNFIT
        memset(text.bytes + text.size, c' ', count)
        text.size += count
    return 0


cdef inline bint add_padded(Text *text, PyObject *string, Py_ssize_t width, bint left) noexcept nogil:
    cdef Py_ssize_t padding
    if width == 0:
        return add_string(text, string)
    padding = width - length_of(string)
    return (
        (not left and add_spaces(text, padding)) or add_string(text, string) or (left and add_spaces(text, padding))
    )


cdef inline int add_quoted(Text *text, PyObject *string) noexcept nogil:
    """Add an ASCII string as repr() gives it, if that is the string between quotation marks."""
    cdef const unsigned char *source = <const unsigned char *>data_of(string)
    cdef Py_ssize_t size = length_of(string), index
    for index in range(size):
        if not 0x20 <= source[index] < 0x7F or source[index] == c"'" or source[index] == c'\\':
            return OTHERWISE
    if reserve(text, size + 2):
        return UNFIT
    text.bytes[text.size] = c"'"
    logflume_copy(text.bytes + text.size + 1, <const char *>source, size)
    text.bytes[text.size + 1 + size] = c"'"
    text.size += size + 2
    return 0


cdef inline bint add_number(Text *text, long long number, Py_ssize_t width, bint left, bint zeros) noexcept nogil:
    cdef char digits[24]
    cdef char *end = digits + 24
    cdef char *begin
    if number < 0:
        begin = logflume_digits(end, 0 - <unsigned long long>number)
        begin -= 1
        begin[0] = c'-'
    else:
        begin = logflume_digits(end, <unsigned long long>number)
    return add_digits(text, begin, end - begin, width, left, zeros)


cdef inline bint add_digits(
    Text *text, const char *digits, Py_ssize_t size, Py_ssize_t width, bint left, bint zeros
) noexcept nogil:
    """Add a number, or any few ASCII characters, padded to a width."""
    return add_ascii(text, digits, size) if width <= size else pad_digits(text, digits, size, width, left, zeros)


cdef inline bint pad_digits(
    Text *text, const char *digits, Py_ssize_t size, Py_ssize_t width, bint left, bint zeros
) noexcept nogil:
    cdef bint negative = digits[0] == c'-'
    cdef char *out
    if reserve(text, width):
        return UNFIT
    out = text.bytes + text.size
    text.size += width
    if left:
        memcpy(out, digits, size)
        memset(out + size, c' ', width - size)
    elif zeros:
        out[0] = c'-'
        memset(out + negative, c'0', width - size)
        memcpy(out + width - size + negative, digits + negative, size - negative)
    else:
        memset(out, c' ', width - size)
        memcpy(out + width - size, digits, size)
    return 0
