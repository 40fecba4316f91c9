"""Hands batches of records to the real handlers."""

cdef int unseen_way


cpdef list at_level(list records, object level)
cdef int way_of(object handler) except -1
cdef bint has_any(object attributes, tuple names) except -1
