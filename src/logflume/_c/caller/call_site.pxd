from logflume._c.record cimport CallSite


cdef CallSite find_call_site(long stacklevel)
cdef tuple ask_for_caller(object frame, object logger, long stacklevel)
cdef CallSite told_call_site(tuple told)
