cdef class ListenerCore:
    cdef public int state  # IDLE, RUNNING, STOPPING or STOPPED
    # As wide as these: sys.maxsize may be given for "never", and gevent's identities are addresses.
    cdef public long long flush_level  # the level from which on a record is handled at once
    cdef unsigned long long _delivering_thread  # identity of the thread that runs the handlers, or 0


cdef class Run:
    cdef readonly object route
    cdef readonly object request
    cdef readonly list records
    cdef readonly Py_ssize_t count
    cdef readonly double created
    cdef readonly dict contexts
    cdef bint add(self, object item) except -1
    cdef int note_context(self, object item) except -1
