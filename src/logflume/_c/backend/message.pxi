"""Messages with their arguments, as msg % args gives them, made of strings and numbers without the GIL."""

cdef extern from "backend/digits.h" nogil:
    enum:
        LOGFLUME_MOST_DECIMALS
    char *logflume_decimals(char *end, double number, int decimals)

cdef enum:
    TEMPLATES = 16  # of messages, kept for a formatter; a power of two
    MOST_PARTS = 8  # of a message
    LONGEST = 4096  # message, which the templates keep alive

cdef struct Conversion:
    const char *literal  # the text before it
    Py_ssize_t size
    Py_ssize_t width
    char kind  # 0: there is none, only the text
    char decimals  # of f
    bint left
    bint zeros

# A message with %-conversions, taken apart once and not for each record.
cdef struct Template:
    PyObject *message  # must be alive while it is added
    PyObject *held  # the message that the template has a reference to; see hold_messages()
    int count
    Py_ssize_t arguments  # how many it takes; -1: it has to be left to the interpreter
    Conversion parts[MOST_PARTS]

cdef struct Templates:
    bint changed  # whether a template is for another message than the one it holds
    Template each[TEMPLATES]


cdef inline Template *template_of(Templates *templates, PyObject *message) noexcept nogil:
    """Return the template for a str."""
    cdef Template *template = &templates.each[(<size_t>message >> 4) & (TEMPLATES - 1)]
    if template.message is not message:
        templates.changed = True
        template.message = message
        template.count = 0
        template.arguments = -1
        if is_ascii(message):
            take_apart(template, <const char *>data_of(message), length_of(message))
    return template


cdef inline void take_apart(Template *template, const char *text, Py_ssize_t length) noexcept nogil:
    """Take apart a message of that many characters, with a NUL after them."""
    cdef const char *end = text + length
    cdef const char *found
    cdef Conversion *part
    cdef Py_ssize_t arguments = 0
    while template.count < MOST_PARTS:
        part = &template.parts[template.count]
        template.count += 1
        part.literal = text
        part.kind = 0
        part.left = part.zeros = part.width = 0
        found = <const char *>memchr(text, c'%', end - text)
        if found is NULL:
            part.size = end - text
            template.arguments = arguments
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
        part.decimals = 6
        if text[0] == c'.' and c'0' <= text[1] <= c'0' + LOGFLUME_MOST_DECIMALS and text[2] == c'f':
            part.decimals = text[1] - c'0'
            text += 2
        if memchr("sdifr", text[0], 5) is NULL:
            return
        part.kind = text[0]
        text += 1
        arguments += 1


cdef inline int add_whole_number(Text *text, PyObject *value, Py_ssize_t width, bint left, bint zeros) noexcept nogil:
    """Add exactly an int."""
    cdef int overflow = 0
    cdef long long number
    if not is_whole(value):
        return OTHERWISE
    number = whole_number(value, &overflow)
    return OTHERWISE if overflow else add_number(text, number, width, left, zeros)


cdef inline int add_float(Text *text, PyObject *value, Conversion *how) noexcept nogil:
    """Add exactly a float, as %f says."""
    cdef char digits[24]
    cdef char *end = digits + 24
    cdef char *begin
    if not is_float(value):
        return OTHERWISE
    begin = logflume_decimals(end, float_value(value), how.decimals)
    return OTHERWISE if begin is NULL else add_digits(text, begin, end - begin, how.width, how.left, how.zeros)


cdef inline int add_argument(Text *text, PyObject *value, Conversion *how) noexcept nogil:
    """Add an argument of a message."""
    if how.kind == c's' and is_string(value):
        return add_padded(text, value, how.width, how.left)
    if how.kind == c'd' or how.kind == c'i':
        return add_whole_number(text, value, how.width, how.left, how.zeros)
    if how.kind == c'f':
        return add_float(text, value, how)
    # %s and %r
    if is_string(value):
        return add_quoted(text, value) if how.width == 0 and is_ascii(value) else OTHERWISE
    if value is Py_None:
        return add_digits(text, "None", 4, how.width, how.left, False)
    if value is Py_True:
        return add_digits(text, "True", 4, how.width, how.left, False)
    if value is Py_False:
        return add_digits(text, "False", 5, how.width, how.left, False)
    return add_whole_number(text, value, how.width, how.left, False)


cdef inline int add_message(Text *text, Templates *templates, PyObject *message, PyObject *args) noexcept nogil:
    """Add `message % args`."""
    cdef Template *template
    cdef Conversion *part
    cdef Conversion *end
    cdef Py_ssize_t next = 0
    cdef int unfit
    if not is_string(message) or not is_tuple(args):
        return OTHERWISE
    if tuple_size(args) == 0:
        return add_string(text, message)
    if length_of(message) > LONGEST:
        return OTHERWISE
    template = template_of(templates, message)
    if template.arguments != tuple_size(args):
        return OTHERWISE
    part = template.parts
    end = part + template.count
    while part < end:
        if part.size and add_ascii(text, part.literal, part.size):
            return UNFIT
        if part.kind:
            unfit = add_argument(text, tuple_item(args, next), part)
            if unfit:
                return unfit
            next += 1
        part += 1
    return 0
