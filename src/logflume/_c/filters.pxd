cdef enum:
    DROPS
    PASSES
    ASKS  # they have to be called

cdef int by_name(list filters, object name) except -1
