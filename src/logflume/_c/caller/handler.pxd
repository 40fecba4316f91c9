from logflume._c.batch cimport ListenerCore
from logflume._c.caller.moved cimport MovedCheck
from logflume._c.record cimport CapturedRecord

# What way_in() returns besides targets.
cdef object CALLS_PYTHON  # handlers run in the call: that is for the standard method
cdef object FILTERED  # with put_filtered()
cdef object NOT_AT_ALL
cdef object AS_LOG_RECORD  # with put()


cdef class HandlerCore:
    cdef object _queue  # as given; records go in through _put
    cdef readonly object _put  # the queue's bound put_nowait
    cdef object _filters
    cdef object _level
    cdef long level_value  # the level as a C number, valid unless _shadowed
    cdef object _listener  # what was set as handler.listener
    cdef readonly ListenerCore _core  # the same object when it is one of ours, else None
    cdef MovedCheck _moved  # the handlers that this one stands for, or None
    cdef bint _shadowed  # an instance attribute hides a method of the standard class
    # The class's version when its methods were looked at, times two, plus one if it overrides none of them.
    cdef unsigned long long _checked
    cdef list _replaced  # without the GIL: what attributes had before, see keep()
    cdef long long _unwatched  # records that were enqueued while there was no listener
    cdef bint leaves_process  # the queue pickles what is put into it
    cdef bint is_unpatched(self)
    cdef bint only_enqueues(self)
    cdef int tell_listener(self, ListenerCore core, long long levelno) except -1
    cdef bint is_ours(self)
    cdef bint handles_in_call(self) except -1
    cdef object way_in(self, long long levelno, object name)
    cdef int put_captured(self, CapturedRecord record, object targets) except -1
    cdef int put_filtered(self, CapturedRecord record) except -1
    cdef bint replaced_or_dropped(self, CapturedRecord record) except -1
    cdef int put_passed(self, object item, object targets) except -1
    cdef object with_context(self, object item, object targets)
    cdef unsigned long long check_class(self) except? 0
    cdef bint is_class_unpatched(self) except -1
    cdef int keep(self, object value) except -1
    cdef object item_for(self, object record, object targets)
    cdef int put(self, object record) except -1
    cdef int put_any(self, object record, object targets) except -1
    cdef int put_asked(self, CapturedRecord record) except -1
    cdef int put_nested(self, object record) except -1
    cdef int put_item(self, object item, object record) except -1
    cdef int put_crowded(self, object item, object record) except -1
    cdef int report_unput(self, object record, object error) except -1
    cdef int report_put(self, object record) except -1
