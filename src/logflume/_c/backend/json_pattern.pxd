from logflume._c.backend.json_layouts cimport Extra, Layout, Layouts, Level
from logflume._c.backend.json_text cimport Second

cdef enum:
    # A layout costs as much as some records that the formatter makes; each record that has one earns a part of it.
    LAYOUT_COST = 8
    MOST_CREDIT = 800


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
    cdef bint takes_fields  # a captured record without extra fields has every value
    cdef bint is_simple  # and the message is among the values
    cdef int credit  # how many layouts may be made
    cdef list level_functions
    cdef list held  # what layouts refer to
    cdef list held_levels
    cdef int next_level
    cdef int busy  # how many calls look at layouts while Python code may run
    cdef Second second
    cdef Layouts layouts


cdef JsonPattern json_pattern_of(object formatter, JsonPattern known)
cdef bint is_unchanged(JsonPattern pattern) except -1
cdef Layout *know_layout(JsonPattern pattern, Extra *extra) except? NULL
cdef bint opens(JsonPattern pattern, object name) except -1
cdef Level *know_level(JsonPattern pattern, object name, long long number) except NULL
