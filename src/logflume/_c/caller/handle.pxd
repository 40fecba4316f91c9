from logflume._c.record cimport CapturedRecord

cdef int put(object logger, object handler, CapturedRecord record, object way) except -1
cdef int ask_logger(object logger, object name, CapturedRecord record) except -1
