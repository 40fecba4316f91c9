"""The text of some records of a batch in UTF-8, and where each record ends."""

cdef extern from "Python.h":
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)

# The memory of the text that ended last: to have the system map new pages for each batch costs more than to fill
# them. Without the GIL none is kept.
cdef Text kept

cdef enum:
    MOST_KEPT_TEXT = 1 << 20  # bytes
    MOST_KEPT_ENDS = 1 << 14


cdef class BatchText:
    """The text of some records in UTF-8, and where each ends. It is a buffer of its bytes, too."""

    cdef readonly bint special  # the record after these has to be handled on its own
    cdef readonly object interrupt  # what formatting that record raised, if that was no Exception
    cdef readonly list explained  # (index, exc_text before) of each record whose exc_text formatting changed
    cdef Text text

    def __cinit__(self):
        if HAS_GIL:
            self.text.bytes, self.text.capacity = kept.bytes, kept.capacity
            self.text.ends, self.text.ends_capacity = kept.ends, kept.ends_capacity
            kept.bytes = NULL
            kept.ends = NULL
            kept.capacity = kept.ends_capacity = 0

    def __dealloc__(self):
        if HAS_GIL and kept.bytes is NULL and self.text.capacity <= MOST_KEPT_TEXT:
            kept.bytes, kept.capacity = self.text.bytes, self.text.capacity
        else:
            free(self.text.bytes)
        if HAS_GIL and kept.ends is NULL and self.text.ends_capacity <= MOST_KEPT_ENDS:
            kept.ends, kept.ends_capacity = self.text.ends, self.text.ends_capacity
        else:
            free(self.text.ends)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        # the text stays where it is: nothing is added once a text is composed
        PyBuffer_FillInfo(buffer, self, self.text.bytes, self.text.size, True, flags)

    @property
    def data(self):
        return PyBytes_FromStringAndSize(self.text.bytes, self.text.size)

    @property
    def count(self):
        return self.text.count

    def whole(self, Py_ssize_t size):
        """Return how many records lie wholly within the first `size` bytes."""
        return whole(&self.text, size)

    def end(self, Py_ssize_t index):
        """Return where the record at `index` ends; 0 for the one before the first."""
        return self.text.ends[index] if 0 <= index < self.text.count else 0

    def cut(self, Py_ssize_t begin, Py_ssize_t most):
        """Return where a piece from `begin` on ends: after `most` bytes or fewer, or after one record."""
        return cut(&self.text, begin, most)


cdef BatchText new_text(bint ascii):
    """Return an empty text, to which records can be added."""
    cdef BatchText text = BatchText.__new__(BatchText)
    text.text.ascii = ascii
    return text


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
