cdef class ListenerCore:
    cdef public int state
    # As wide as these: sys.maxsize may be given for "never", and gevent's identities are addresses.
    cdef public long long flush_at
    cdef public unsigned long long delivering_thread
    cdef public bint flush_wanted
    cdef unsigned long long _calls_to_brake  # see is_brake_due()
    # What was done so far, and how long it took (seconds): see ListenerStats.
    cdef public long long _handled
    cdef public double _delay
    cdef public double _longest_delay
    cdef public object queue
    cdef public object qsize
    cdef unsigned long long _crowded_at  # how long it may be then
    cdef unsigned long long _checked  # the class's version, times four, plus what it has of its own
    cdef bint delivers_here(self) except -1
    cdef bint takes_captured(self, object queue) except -1
    cdef unsigned long long own_parts(self) except? 0
    cdef bint is_brake_due(self) noexcept
    cdef bint is_crowded(self) except -1


cdef class Batch:
    cdef readonly object targets
    cdef readonly object request
    cdef readonly list records
    cdef readonly Py_ssize_t count
    cdef readonly double created
    cdef readonly dict contexts
    cdef bint add(self, object item) except -1
    cdef int append(self, object item) except -1


cpdef Py_ssize_t take(object queue, Py_ssize_t limit, object taken, bint overtakes=*) except -1
