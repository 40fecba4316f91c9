from cpython.object cimport PyObject

cdef enum:
    # What cached_route() returns, see route_cache.h.
    UNKNOWN = 0
    OFF = 1
    ON = 2
    # What is_enabled() returns besides 0 and 1: the standard method must be called.
    STANDARD = 2

cdef struct Route:
    PyObject *name  # of the logger; all are borrowed
    PyObject *handler  # what has the address of the one handler on the route: may be another one
    PyObject *level_name  # or NULL; only as long as the logging state has this number
    unsigned long long state_number

# What find_handler() returns besides a handler.
cdef object NO_HANDLER  # handlers are there, all of them queue handlers, and none takes the record
cdef object SEVERAL  # more than one queue handler takes it

cdef unsigned int PARTS  # of a logger's class that have to be unpatched for a cached route

cdef int cached_route(PyObject *logger, long long level, Route *route) noexcept
cdef int is_enabled(object logger, object attributes, unsigned int parts, object level) except -1
cdef bint is_handler_list(object handlers)
cdef object find_handler(object logger, object attributes, long long levelno)
cdef int cache_route(object logger, object level, long long levelno, bint is_on) except -1
