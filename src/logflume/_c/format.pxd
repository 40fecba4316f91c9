"""Makes the text of many records at once."""

cdef class Segment:
    cdef readonly Py_ssize_t count
    cdef readonly bint special
    cdef readonly object interrupt
    cdef char *_text
    cdef Py_ssize_t _size
    cdef Py_ssize_t _text_room
    cdef Py_ssize_t _wide  # how many bytes of the text are not the first of their character
    cdef Py_ssize_t *_ends
    cdef Py_ssize_t _ends_room
    cdef bint _ascii


cdef Segment compose(object handler, list records, object sink, int holders)
