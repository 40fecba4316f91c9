from cpython.object cimport PyTypeObject

cdef enum:
    # What a class has unpatched, see unpatched_parts().
    ATTRIBUTES = 1  # of loggers: they are in their dictionaries and nowhere else
    IS_ENABLED = 2  # Logger.isEnabledFor
    LOG = 4  # Logger._log
    MAKE_RECORD = 8  # Logger.makeRecord
    HANDLE = 16  # Logger.handle, Logger.filter and Logger.callHandlers
    ERROR = 32  # Logger.error
    RECORD = 64  # LogRecord: all but its getMessage()
    NAME = 128  # threading.Thread.name, or multiprocessing's Process.name
    FIND_CALLER = 256  # Logger.findCaller


cdef bint IGNORES_NESTED

cdef unsigned int unpatched_parts(PyTypeObject *cls) except? 0
cdef bint is_mapping(object value) except -1
cpdef bint is_unpatched(object function, object module, object qualname) except -1
cpdef bint is_builtin(object function, object name, tuple modules) except -1
