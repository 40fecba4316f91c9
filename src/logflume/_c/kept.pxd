cdef bint is_immutable(object value)
cdef object kept(object value)
cdef bint is_flat(object container)
cdef bint keep_extra(dict extra) except -1
cdef bint has_same_items(dict before, dict attributes) except -1
