cdef class CallSite:
    """The place a log call was made from; shared by all records made there."""
    cdef readonly object pathname
    cdef readonly object filename
    cdef readonly object module
    cdef readonly object funcName
    cdef readonly object lineno  # an int, or None for code without lines
    cdef readonly bint internal  # in logging itself or in the import machinery: not a caller
    cdef object code  # the code object, and the offset of the call in it
    cdef int lasti


cdef CallSite find_call_site(long stacklevel)
