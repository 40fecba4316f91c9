"""The contextvars that the caller of a log call sees."""

cdef object current_context()
