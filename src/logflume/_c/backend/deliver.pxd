from logflume._c.backend.plan cimport Plan, logflume_file
from logflume._c.backend.text cimport Text

cdef extern from "backend/write.h" nogil:
    bint logflume_is_same_file(const logflume_file *file)
    bint logflume_may_block(const logflume_file *file)


cdef bint is_told(Plan plan, object record) except -1
cdef int empty_buffers(Plan plan) except -1
cdef int note_tried(Plan plan, bint succeeded) noexcept
cdef Py_ssize_t write_in_pieces(const logflume_file *file, const Text *text) noexcept nogil
