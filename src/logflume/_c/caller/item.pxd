from logflume._c.batch cimport ListenerCore
from logflume._c.caller.moved cimport MovedCheck

cdef bint is_own_item(object record) except -1
cdef bint may_capture(
    ListenerCore core, object queue, MovedCheck moved, long long levelno, object targets, bint has_text
) except -1
cdef object without_frames(object record, object exc_info, long long levelno)
