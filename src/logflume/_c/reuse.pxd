from cpython.object cimport PyObject

from logflume._c.record cimport CapturedRecord

cdef CapturedRecord record_for_call(object msg, PyObject **arguments, Py_ssize_t count)
cdef int recycle(list records, Py_ssize_t count) except -1
cdef int track_if_needed(CapturedRecord record) except -1
