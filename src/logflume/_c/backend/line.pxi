"""Makes the bytes of one record at a time, as compose() makes those of many."""


cdef class LineMaker:
    """Called with a record and a number of characters; returns its bytes.

    None if the record cannot be formatted or encoded, or has so many characters.
    """

    cdef Composer composer
    cdef str terminator
    cdef bint ascii

    def __call__(self, record, room):
        cdef BatchText text = new_text(self.ascii)
        cdef Limits limits
        limits.terminator = <PyObject *>self.terminator
        limits.size = PY_SSIZE_T_MAX
        limits.room = PY_SSIZE_T_MAX if room >= PY_SSIZE_T_MAX else room
        compose(text, self.composer, [record], 0, &limits)
        if text.interrupt is not None:
            raise text.interrupt
        return None if text.special else text.data


def line_maker(handler, sink):
    """Return a LineMaker for a handler whose text is composed, and whose lock is held."""
    cdef LineMaker maker = LineMaker.__new__(LineMaker)
    cdef Plan plan = plan_of(handler)
    maker.composer = plan.composer
    maker.terminator = handler.terminator
    maker.ascii = sink.ascii
    return maker
