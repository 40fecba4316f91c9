from logflume._c.backend.clock cimport Clock
from logflume._c.backend.json_pattern cimport JsonPattern
from logflume._c.backend.message cimport Templates
from logflume._c.backend.text cimport Text
from logflume._c.record cimport CapturedRecord

cdef int add_json(
    Text *text, JsonPattern pattern, Clock clock, Templates *templates, CapturedRecord record
) noexcept nogil
cdef int add_json_captured(Text *text, JsonPattern pattern, Clock clock, CapturedRecord record, str message) except -1
cdef int add_json_log_record(
    Text *text, JsonPattern pattern, Clock clock, object record, dict attributes
) except -1
