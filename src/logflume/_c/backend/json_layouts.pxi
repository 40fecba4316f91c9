"""The layouts of a formatter's JSON: a table by the names of extra fields, and by what matters about their values."""

cdef enum:
    NO_HASH = -1  # of a string that was not a key yet
    MOST_EXTRA = 32  # extra fields
    BUCKETS = 256  # a power of two
    MOST_LAYOUTS = 512
    MOST_ALIKE = 16  # layouts for the same names
    # A layout costs as much as some records that the formatter makes; each record that has one earns a part of it.
    LAYOUT_COST = 8
    MOST_CREDIT = 800

# What a value is taken from, beside the attributes of pattern.pxi.
cdef enum Source:
    TASK_NAME = 100
    TIMESTAMP
    MILLISECONDS  # the time with them
    MICROSECONDS
    TEXT_OF_LINE
    END

# What of a value a layout is for, beside what _delivery/json_layouts.py has for it.
cdef enum:
    WHOLE = 100  # the value itself
    UNFORESEEN  # what the formatter has to look at

# Bytes of the output that stay the same.
cdef struct Literal:
    const char *bytes
    Py_ssize_t size
    Py_ssize_t wide

# A value, and what comes before it.
cdef struct Part:
    Literal before
    int source
    PyObject *name
    int index  # of the extra field
    bint inside  # a string that has begun

# An extra field, or an item of a dictionary that is one.
cdef struct Slot:
    PyObject *name
    PyObject *value  # if this is in the layout
    int items
    unsigned char kind
    unsigned char form

# The extra fields of a record, and its level if the text depends on that.
cdef struct Extra:
    PyObject *level_name
    long long level
    int count
    size_t hash
    PyObject *names[MOST_EXTRA]
    PyObject *values[MOST_EXTRA]
    int items[MOST_EXTRA]  # how many of the following are in this one, a dictionary; -1: it is not looked into

cdef struct Layouts:
    PyObject *buckets[BUCKETS]
    int credit  # how many may be made


cdef inline bint is_same_string(PyObject *one, PyObject *other) noexcept nogil:
    """Whether two strings, of the same hash or short ones, are equal."""
    return (
        length_of(one) == length_of(other)
        and kind_of(one) == kind_of(other)
        and memcmp(data_of(one), data_of(other), length_of(one) * kind_of(one)) == 0
    )


cdef inline bint add_extra_field(Extra *extra, PyObject *name, PyObject *value) noexcept nogil:
    """Add a field of a record; false if there are too many, or its name is no string."""
    cdef Py_hash_t hashed
    if extra.count == MOST_EXTRA or not is_string(name):
        return False
    hashed = (<PyASCIIObject *>name).hash
    if hashed == NO_HASH:
        return False
    extra.names[extra.count] = name
    extra.values[extra.count] = value
    extra.items[extra.count] = -1
    extra.count += 1
    extra.hash = (extra.hash ^ <size_t>hashed) * 1000003
    return True


cdef inline bint has_names(Layout layout, Extra *extra) noexcept nogil:
    """Whether a layout is for this level, and for these names."""
    cdef int index
    cdef PyObject *name
    cdef PyObject *other
    if layout.hash != extra.hash or layout.count != extra.count or layout.level != extra.level:
        return False
    if layout.level_name is not extra.level_name and not is_same_string(layout.level_name, extra.level_name):
        return False
    for index in range(layout.count):
        name = layout.slots[index].name
        other = extra.names[index]
        if name is not other and (
            (<PyASCIIObject *>name).hash != (<PyASCIIObject *>other).hash or not is_same_string(name, other)
        ):
            return False
    return True


cdef inline PyObject *find_layout(Layouts *layouts, Extra *extra) noexcept nogil:
    """Return the Layout for a record, borrowed; NULL if it is not known."""
    cdef PyObject *layout = layouts.buckets[(extra.hash >> 20) & (BUCKETS - 1)]
    while layout is not NULL:
        if has_names(<Layout>layout, extra) and (not (<Layout>layout).looks or fits(<Layout>layout, extra)):
            layouts.credit += layouts.credit < MOST_CREDIT and (<Layout>layout).parts is not NULL
            return layout
        layout = (<Layout>layout).next
    return NULL


# ---- what matters about a value ----

cdef unsigned char form_of(unsigned char kind, PyObject *value, bint is_open) noexcept nogil:
    """Return what a layout has to be for, of a value in an extra field of this kind.

    `is_open` tells that it is a dictionary whose items are fields of the layout.
    """
    if kind == ANY or is_open:
        return ANY
    if value is Py_None:
        return WHOLE
    if kind == GIVEN:
        return UNFORESEEN if is_dict(value) else ANY
    if kind == IDENTIFIER:
        return form_of_identifier(value) if is_string(value) and is_ascii(value) else UNFORESEEN
    return WHOLE if is_string(value) or is_whole(value) or is_bool(value) else UNFORESEEN


cdef unsigned char form_of_identifier(PyObject *string) noexcept nogil:
    cdef const char *text = <const char *>data_of(string)
    cdef Py_ssize_t size = length_of(string), zeros = 0
    while zeros < size and text[zeros] == c'0':
        zeros += 1
    if zeros == size:
        return WHOLE
    return ANY if memchr(text, c'/', size) is NULL else PATH


cdef bint is_same_value(PyObject *one, PyObject *other) noexcept nogil:
    """Whether two of what form_of() finds to be a part of layouts are equal."""
    cdef int overflow = 0, more = 0
    if one is other:
        return True
    if type_of(one) is not type_of(other):
        return False
    if is_string(one):
        return is_same_string(one, other)
    return is_whole(one) and whole_number(one, &overflow) == whole_number(other, &more) and not overflow and not more


# ---- which layout ----

cdef class Layout:
    """What is the same in all records with these extra fields."""

    cdef PyObject *next  # in the bucket
    cdef size_t hash
    cdef PyObject *level_name
    cdef long long level
    cdef int count
    cdef bint looks  # at values
    cdef bint is_simple  # a captured record has every value, and the message is among them
    cdef Slot *slots
    cdef Part *parts  # NULL: the formatter has to be called
    cdef list held  # what the pointers refer to

    def __dealloc__(self):
        free(self.slots)
        free(self.parts)


cdef bint fits(Layout layout, Extra *extra) noexcept nogil:
    """Whether a layout for these names is for these values."""
    cdef int index
    cdef Slot *slot
    for index in range(layout.count):
        slot = &layout.slots[index]
        if slot.items != extra.items[index]:
            return False
        if slot.kind == ANY:
            continue
        if form_of(slot.kind, extra.values[index], slot.items >= 0) != slot.form:
            return False
        if slot.form == WHOLE and not is_same_value(slot.value, extra.values[index]):
            return False
    return True


cdef bint may_be_added(Layouts *layouts, Extra *extra) noexcept:
    """Whether a layout for this record may be made: it may cost more than it saves."""
    cdef PyObject *layout = layouts.buckets[(extra.hash >> 20) & (BUCKETS - 1)]
    cdef int count = 0
    while layout is not NULL:
        count += has_names(<Layout>layout, extra)
        layout = (<Layout>layout).next
    return layouts.credit >= LAYOUT_COST and count < MOST_ALIKE


cdef Layout new_layout(Extra *extra):
    """Return a layout for a record, with empty slots and without parts, that is in no table."""
    cdef Layout layout = Layout.__new__(Layout)
    layout.slots = <Slot *>calloc(extra.count + 1, sizeof(Slot))
    if layout.slots is NULL:
        raise MemoryError
    layout.hash = extra.hash
    layout.level_name = extra.level_name
    layout.level = extra.level
    layout.count = extra.count
    layout.held = []
    return layout


cdef void add_layout(Layouts *layouts, Layout layout) noexcept:
    """Put a layout, which has to be held as long, into the table."""
    cdef PyObject **bucket = &layouts.buckets[(layout.hash >> 20) & (BUCKETS - 1)]
    layout.next = bucket[0]
    bucket[0] = <PyObject *>layout
    layouts.credit -= LAYOUT_COST
