from logflume._c.backend.clock cimport Clock
from logflume._c.backend.json_pattern cimport JsonPattern
from logflume._c.backend.message cimport Templates
from logflume._c.backend.text cimport Text
from logflume._c.record cimport RecordCore

cdef int add_json(
    Text *text, JsonPattern pattern, Clock clock, Templates *templates, RecordCore record
) noexcept nogil
cdef int add_json_lazy(Text *text, JsonPattern pattern, Clock clock, RecordCore record, str message) except -1
cdef int add_json_filled(
    Text *text, JsonPattern pattern, Clock clock, object record, dict attributes
) except -1
