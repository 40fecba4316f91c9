from logflume._c.backend.json_layouts cimport Extra, Layout, Layouts
from logflume._c.backend.json_text cimport Second


cdef class JsonPattern:
    cdef object formatter
    cdef object encoder
    cdef tuple attributes  # of the formatter, as they were
    cdef tuple contents  # of its dictionaries
    cdef object variable  # of the environment, that the schema looks at
    cdef object environment  # and its value
    cdef dict renamed
    cdef dict kinds  # of extra fields
    cdef unsigned char kind  # of those that have none of their own
    cdef bint ascii
    cdef bint uses_time
    cdef bint has_schema
    cdef bint compact  # no blanks between fields
    cdef bint sorts  # the fields in nested dictionaries
    cdef bint is_simple  # a captured record without extra fields has every value, and the message is among them
    cdef Second second
    cdef Layouts layouts
    cdef list held  # the layouts


cdef JsonPattern json_pattern_of(object formatter, JsonPattern known)
cdef bint is_unchanged(JsonPattern pattern) except -1
cdef Layout know_layout(JsonPattern pattern, Extra *extra)
cdef unsigned char kind_of_field(JsonPattern pattern, str name) except? 255
cdef unsigned char kind_within(unsigned char kind) noexcept
