from logflume._c.backend.text cimport Text


cdef class BatchText:
    cdef readonly bint special  # the record after these has to be handled on its own
    cdef readonly object interrupt  # what formatting that record raised, if that was no Exception
    cdef readonly list explained  # (index, exc_text before) of each record whose exc_text formatting changed
    cdef Text text


cdef BatchText new_text(bint ascii)
