cdef enum:
    DROPS
    PASSES
    ASKS  # they have to be called

cdef int by_name(list filters, object name) except -1
cdef bint only_standard(list filters) except -1
