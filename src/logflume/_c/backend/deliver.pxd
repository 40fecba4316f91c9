from logflume._c.backend.batch_text cimport BatchText
from logflume._c.backend.plan cimport Plan, logflume_file
from logflume._c.backend.text cimport Text

cdef extern from "backend/write.h" nogil:
    bint logflume_is_same_file(const logflume_file *file)
    bint logflume_may_block(const logflume_file *file)


cdef class Turn:
    cdef object handler
    cdef Plan plan
    cdef list records


cdef Turn new_turn(object handler, Plan plan, list records)
cdef list take_first(list turns, Py_ssize_t count)
cdef Py_ssize_t put_through_buffer(Plan plan, list turns, BatchText text) except -2
cdef bint is_told(Plan plan, object record) except -1
cdef int empty_buffers(Plan plan) except -1
cdef int note_tried(Plan plan, bint succeeded) noexcept
cdef Py_ssize_t write_in_pieces(const logflume_file *file, const Text *text) noexcept nogil
