cdef object snapshot(object record)
