from logflume._c.record cimport CallSite


cdef CallSite find_call_site(long stacklevel)
