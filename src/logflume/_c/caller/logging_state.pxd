from logflume._c.interpreter.python cimport WatchedDict


cdef class LoggingState:
    """The globals of logging, and of the modules that it asks, as one log call finds them."""
    cdef WatchedDict[12] watched  # what was read for this, each before it was read
    cdef int watched_count
    cdef list watched_dicts  # so that they stay alive
    cdef unsigned long long number  # counts the states; 0 if the names of levels or sys.modules cannot be watched
    cdef bint is_unpatched  # else nothing below counts and the standard method does it all
    cdef bint standard_factory
    cdef object clock  # time.time, or time.time_ns on Pythons that use it
    cdef bint threads
    cdef bint multiprocessing
    cdef bint processes
    cdef bint tasks
    cdef object get_ident  # None if threading's own is there, else its replacement
    cdef object current_thread
    cdef dict active_threads
    cdef object getpid  # None if os's own is there
    cdef dict level_names
    # These are None if they have to be looked up each time, and MISSING if there is none.
    cdef object process  # multiprocessing's current one
    cdef object current_task  # asyncio's function
    cdef bint watch(self, object dictionary) except -1


cdef object MISSING
cdef LoggingState current_state()
