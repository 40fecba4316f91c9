from logflume._c.caller.logging_state cimport LoggingState
from logflume._c.record cimport CapturedRecord


cdef bint stamp(LoggingState state, CapturedRecord record) except -1
cdef object name_of_level(LoggingState state, object level)
