cdef class ListenerCore:
    cdef public int state  # IDLE, RUNNING or STOPPED
    cdef unsigned long _delivering_thread  # identity of the thread that runs the handlers, or 0
