from logflume._c.batch cimport ListenerCore
from logflume._c.caller.moved cimport MovedCheck


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
    cdef bint only_enqueues(self)
    cdef unsigned long long check_class(self) except? 0
    cdef bint is_class_unpatched(self) except -1
    cdef int keep(self, object value) except -1
    cdef object item_for(self, object record, object targets)
    cdef int put(self, object record) except -1
    cdef int put_any(self, object record, object targets) except -1
    cdef int put_asked(self, object record) except -1
    cdef int put_nested(self, object record) except -1
    cdef int report_put(self, object record) except -1
