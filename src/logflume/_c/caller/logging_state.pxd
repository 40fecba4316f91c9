"""What the standard library looks like at this moment: who replaced what."""

from cpython.object cimport PyObject, PyTypeObject

cdef enum:
    # What a class has unchanged, see traits().
    READS_PLAINLY = 1  # the attributes of its loggers are in their dictionaries and nowhere else
    IS_ENABLED = 2  # Logger.isEnabledFor
    LOG = 4  # Logger._log and Logger.findCaller
    MAKE_RECORD = 8  # Logger.makeRecord
    HANDLE = 16  # Logger.handle, Logger.filter and Logger.callHandlers
    ERROR = 32  # Logger.error
    RECORD = 64  # LogRecord: all but its texts
    NAME = 128  # threading.Thread.name, or multiprocessing's Process.name


cdef class World:
    """The globals of logging, and of the modules that it asks, as one log call finds them."""
    cdef unsigned long long[12] state  # of the watched dictionaries before the look
    cdef unsigned long long number  # of the look; 0 if the names of levels or sys.modules cannot be watched
    cdef bint plain  # else nothing below counts and the standard method does it all
    cdef bint standard_factory
    cdef object clock  # time.time, or time.time_ns on Pythons that use it
    cdef bint threads
    cdef bint multiprocessing
    cdef bint processes
    cdef bint tasks
    cdef object get_ident  # None if threading's own is there, else whatever is
    cdef object current_thread
    cdef dict active_threads
    cdef object getpid  # None if os's own is there
    cdef dict level_names
    # What is None if it has to be looked up each time, and MISSING if there is none.
    cdef object process  # multiprocessing's current one
    cdef object current_task  # asyncio's function


cdef object MISSING
cdef World look()
cpdef bint is_standard(object function, object module, object qualname) except -1
cpdef bint is_builtin(object function, object name, tuple modules) except -1
cdef unsigned int traits(PyTypeObject *cls) except? 0
cdef bint is_mapping(object value) except -1
