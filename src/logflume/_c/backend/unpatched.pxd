cdef bint class_is_unpatched(type cls) except -1
cdef bint formatter_is_unpatched(object formatter) except -1
cdef object overridden_by(object handler, bint asked)
