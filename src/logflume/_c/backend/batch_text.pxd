from logflume._c.backend.text cimport Text


cdef class BatchText:
    cdef readonly bint special  # the record after these has to be handled on its own
    cdef readonly object interrupt  # what formatting that record raised, if that was no Exception
    cdef readonly list explained  # (index, exc_text before) of each record whose exc_text formatting changed
    cdef Text text


cdef BatchText new_text(bint ascii)


cdef inline Py_ssize_t whole(const Text *text, Py_ssize_t size) noexcept nogil:
    """How many records lie wholly within the first `size` bytes."""
    cdef Py_ssize_t low = 0, high = text.count, middle
    while low < high:
        middle = (low + high) // 2
        if text.ends[middle] <= size:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline Py_ssize_t cut(const Text *text, Py_ssize_t begin, Py_ssize_t most) noexcept nogil:
    """Where a piece from `begin` on ends: after `most` bytes or fewer, or after one record."""
    cdef Py_ssize_t count
    if text.size - begin <= most:
        return text.size
    count = whole(text, begin + most)
    if count > 0 and text.ends[count - 1] > begin:
        return text.ends[count - 1]
    return text.ends[count]
