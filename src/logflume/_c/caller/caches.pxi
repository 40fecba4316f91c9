"""What calls keep for the next ones: once for all threads with the GIL, and for each thread without.

Without the GIL another thread could end what a call has just found here. So each thread has caches of its own, which
no other thread changes, and which own what they point to until the thread needs the place, or ends. They find out that
something changed as they do with the GIL. There the threads take turns, and nothing needs to be owned that a
dictionary holds as long as it is unchanged.
"""

cdef extern from "interpreter/thread_memory.h":
    void *thread_memory "logflume_thread_memory" (size_t size, void (*release)(void *)) noexcept

cdef enum:
    LONGEST_ROUTE = 8
    ROUTES_BITS = 10
    ROUTES = 1 << ROUTES_BITS
    SITES = 1024
    THREADS_BITS = 6
    THREADS = 1 << THREADS_BITS
    CHECKS = 16

# A logger with a level that is off; or one with a level that is on, and one handler in all on the route from it to the
# root. The logger's dictionary, unchanged, holds its cache, its filters, its name, its list of handlers and its parent,
# and so on upwards. What is in the lists may change meanwhile: an only handler may be another one.
cdef struct CachedRoute:
    long long level
    bint is_on
    WatchedDict cache
    PyObject *filters
    PyObject *name
    PyObject *level_name  # from logging's table, or NULL; held by it in the logging state of that number
    unsigned long long state_number
    int handler_at  # which of the loggers has the handler, or -1
    int length
    WatchedObject loggers[LONGEST_ROUTE]
    PyObject *handlers[LONGEST_ROUTE]

# A place in the code.
cdef struct CachedSite:
    PyObject *code  # always owned, so that no other code can have its address
    PyObject *site  # likewise
    int lasti

# What threading._active has for an identity. The dictionary, unchanged, holds the thread, whose own dictionary holds
# the name.
cdef struct NamedThread:
    unsigned long ident
    WatchedDict active
    WatchedObject thread
    PyObject *name

# A MovedCheck that is shared, and the thread's own.
cdef struct OwnCheck:
    PyObject *shared
    PyObject *own

cdef struct Caches:
    PyObject *state  # a LoggingState, always owned
    unsigned long long states  # how many there have been
    CachedRoute routes[ROUTES]
    unsigned int route_evictions
    CachedSite sites[SITES]
    NamedThread named_threads[THREADS]
    OwnCheck checks[CHECKS]

cdef Caches shared_caches


cdef inline Caches *caches() noexcept:
    """Return the caches of the running thread; NULL, without the GIL only, if there is no memory for them."""
    return &shared_caches if HAS_GIL else <Caches *>thread_memory(sizeof(Caches), release_caches)


cdef inline PyObject *own(object value) noexcept:
    """Return what a cache points to."""
    if not HAS_GIL:
        incref(<PyObject *>value)
    return <PyObject *>value


cdef inline void disown(PyObject *value) noexcept:
    if not HAS_GIL:
        xdecref(value)


cdef void release_route(const CachedRoute *route) noexcept:
    cdef int index
    for index in range(LONGEST_ROUTE):
        disown(route.loggers[index].object)
        disown(route.handlers[index])
    disown(route.filters)
    disown(route.name)
    disown(route.level_name)


cdef void release_thread(const NamedThread *named) noexcept:
    disown(named.thread.object)
    disown(named.name)


cdef void release_caches(void *memory) noexcept:
    """Release what the caches of a thread own, which ends."""
    cdef Caches *kept = <Caches *>memory
    cdef int index
    for index in range(ROUTES):
        release_route(&kept.routes[index])
    for index in range(SITES):
        xdecref(kept.sites[index].code)
        xdecref(kept.sites[index].site)
    for index in range(THREADS):
        release_thread(&kept.named_threads[index])
    for index in range(CHECKS):
        xdecref(kept.checks[index].shared)
        xdecref(kept.checks[index].own)
    xdecref(kept.state)
