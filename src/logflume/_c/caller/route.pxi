"""The route of a record: from its logger, if the level is on there, up to the queue handler that takes it."""

cdef enum:
    # What cached_route() returns.
    UNKNOWN = 0
    OFF = 1
    ON = 2
    # What is_enabled() returns besides 0 and 1: the standard method must be called.
    STANDARD = 2

# The dictionaries of loggers, and in them the cache of levels; and those of moved handlers, for moved.pxi.
cdef extern from "interpreter/dict_watch.h":
    """
    LOGFLUME_DEFINE_WATCH(logflume_loggers)
    """
    Watch logflume_loggers

# What a call takes from the cache; see CachedRoute.
cdef struct Route:
    PyObject *name
    PyObject *handlers  # a list of one
    PyObject *level_name
    unsigned long long state_number

# What find_handler() returns besides a handler.
cdef object NO_HANDLER = object()  # handlers are there, all of them queue handlers, and none takes the record
cdef object SEVERAL = object()  # more than one queue handler takes it
# Of a logger's class they have to be unpatched for a cached route.
cdef unsigned int PARTS = ATTRIBUTES | IS_ENABLED | LOG | FIND_CALLER | MAKE_RECORD | HANDLE


# ---- the cache ----

# A call needs a score of look-ups in dictionaries for its route. The answers stay the same for hours, and CPython can
# tell whether a dictionary is unchanged.


cdef inline size_t place_of_route(PyObject *logger, long long level) noexcept:
    """Return the first of the two places in the cache that a route may have; the other is that ^ 1."""
    cdef unsigned long long mixed = ((<size_t>logger >> 4) + (<unsigned long long>level << 20)) * 0x9E3779B97F4A7C15ULL
    return <size_t>(mixed >> (64 - ROUTES_BITS))


cdef inline bint is_route_of(const CachedRoute *route, PyObject *logger, long long level) noexcept:
    return route.loggers[0].object == logger and route.level == level


cdef int cached_route(PyObject *logger, long long level, Route *found) noexcept:
    """Tell whether a level is on: OFF, or ON with `found` set, or UNKNOWN."""
    cdef size_t place = place_of_route(logger, level)
    cdef const Caches *kept = caches()
    cdef const CachedRoute *route
    cdef int i
    if kept is NULL:
        return UNKNOWN
    route = &kept.routes[place]
    if not is_route_of(route, logger, level):
        route = &kept.routes[place ^ 1]
        if not is_route_of(route, logger, level):
            return UNKNOWN
    if not (
        is_object_unchanged(&logflume_loggers, &route.loggers[0])
        and is_dict_unchanged(&logflume_loggers, &route.cache, route.cache.dict)
    ):
        return UNKNOWN
    if not route.is_on:
        return OFF
    if PyList_GET_SIZE(<object>route.filters) != 0:
        return UNKNOWN
    for i in range(route.length):
        if i > 0 and not is_object_unchanged(&logflume_loggers, &route.loggers[i]):
            return UNKNOWN
        if PyList_GET_SIZE(<object>route.handlers[i]) != (i == route.handler_at):
            return UNKNOWN
    found.name = route.name
    found.handlers = route.handlers[route.handler_at]
    found.level_name = route.level_name
    found.state_number = route.state_number
    return ON


cdef void put_into_cache(CachedRoute *route) noexcept:
    """Exchange a route for that in one of its two places: not always the same, lest two loggers evict each other."""
    cdef Caches *kept = caches()
    cdef size_t place = place_of_route(route.loggers[0].object, route.level)
    cdef CachedRoute old = kept.routes[place]
    if old.loggers[0].object is not NULL and not is_route_of(&old, route.loggers[0].object, route.level):
        kept.route_evictions += 1
        place ^= kept.route_evictions & 1
        old = kept.routes[place]
    kept.routes[place] = route[0]
    route[0] = old


# ---- whether the level is on ----

# What Logger.__init__ sets; Manager.getLogger adds `manager`, which the root logger has from its class.
cdef enum:
    ATTRIBUTE_COUNT = 8
cdef tuple METHODS = (
    "isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "filter", "callHandlers", "error",
)
# The attributes that a call reads.
cdef tuple OWN_VALUES = ("name", "level", "parent", "propagate", "handlers", "disabled", "_cache", "filters", "manager")


cdef bint shadows_methods(object attributes):
    """Tell whether one of the logger's own attributes hides a method that the call goes through."""
    cdef Py_ssize_t size = PyDict_Size(attributes)
    # All but `level` are read by each call; one that is missing could make room for another.
    if dict_get(attributes, "level", None) is not None:
        if size == ATTRIBUTE_COUNT:
            return False
        if size == ATTRIBUTE_COUNT + 1 and dict_get(attributes, "manager", None) is not None:
            return False
    for name in METHODS:
        if name in attributes:
            return True
    return False


cdef int is_enabled(object logger, object attributes, unsigned int parts, object level) except -1:
    """Do what Logger.isEnabledFor does: 0, 1, or STANDARD."""
    cdef object answer
    if parts & (ATTRIBUTES | IS_ENABLED) != ATTRIBUTES | IS_ENABLED:
        return STANDARD
    if shadows_methods(attributes):
        return STANDARD
    answer = dict_get(attributes, "disabled", MISSING)
    if answer is not False:
        if answer is MISSING:
            return STANDARD
        if answer:
            return 0
    cache = dict_get(attributes, "_cache", None)
    if not PyDict_CheckExact(cache):
        return STANDARD
    answer = dict_get(cache, level, MISSING)
    if answer is MISSING:
        return bool(logger.isEnabledFor(level))
    return answer is True or bool(answer)


# ---- which handler takes the record ----

cdef bint is_handler_list(object handlers):
    """Tell whether `handlers` is iterated as a list is: exactly one, or that of a logger whose handlers were moved."""
    return PyList_CheckExact(handlers) or type(handlers) is HandlerList


cdef object find_handler(object logger, object attributes, long long levelno):
    """Return the one queue handler that takes a record of this level, NO_HANDLER or SEVERAL.

    None if there are other handlers, or if anything about them needs the standard method.
    """
    cdef Py_ssize_t i
    cdef object found = None
    cdef object handlers, handler, propagate
    while True:
        handlers = dict_get(attributes, "handlers", MISSING)
        if not is_handler_list(handlers):
            return None
        i = 0
        while True:
            handler = list_get(handlers, i, MISSING)
            if handler is MISSING:
                break
            if not isinstance(handler, HandlerCore) or not (<HandlerCore>handler).is_ours():
                return None
            if levelno >= (<HandlerCore>handler).level_value:
                if (<HandlerCore>handler).handles_in_call():
                    return None
                found = handler if found is None or found is NO_HANDLER else SEVERAL
            elif found is None:
                found = NO_HANDLER
            i += 1
        propagate = dict_get(attributes, "propagate", MISSING)
        if propagate is not True:
            if propagate is MISSING:
                return None
            if not propagate:
                break
        logger = dict_get(attributes, "parent", MISSING)
        if logger is None:
            break
        if logger is MISSING or not unpatched_parts(Py_TYPE(logger)) & ATTRIBUTES:
            return None
        attributes = instance_dict(logger)
    return found


# ---- caching both answers ----

cdef int cache_route(object logger, object level, long long levelno, bint is_on) except -1:
    """Cache whether the level is on, and the route to the one handler, unless anything is unusual."""
    cdef CachedRoute route
    memset(&route, 0, sizeof(route))
    route.level = levelno
    route.is_on = is_on
    route.handler_at = -1
    try:
        if note_route(&route, logger, level):
            put_into_cache(&route)
    finally:
        release_route(&route)
    return 0


cdef bint note_route(CachedRoute *route, object logger, object level) except -1:
    """Look everything up again, each after its version was noted; False if anything is unusual."""
    cdef object owner = logger
    cdef object attributes, propagate
    while owner is not None:
        attributes = instance_dict(owner)
        if not watch_object(&logflume_loggers, &route.loggers[route.length], owner, attributes):
            route.loggers[route.length].object = NULL
            return False
        own(owner)
        if owner is logger:
            if not note_logger(route, logger, attributes, level):
                return False
            if not route.is_on:
                return True
        elif not unpatched_parts(Py_TYPE(owner)) & ATTRIBUTES:
            return False
        if not note_handlers(route, attributes):
            return False
        propagate = dict_get(attributes, "propagate", None)
        owner = None
        if propagate is True:
            owner = dict_get(attributes, "parent", MISSING)
            if owner is MISSING or (owner is not None and route.length == LONGEST_ROUTE):
                return False
        elif propagate is not False:
            return False
    if route.handler_at < 0:
        return False
    return note_level_name(route, level)


cdef bint note_logger(CachedRoute *route, object logger, object attributes, object level) except -1:
    """Note what a call reads of its own logger; False if the answer must not be cached."""
    cdef object cache, disabled, filters, name
    cdef unsigned int needed = PARTS if route.is_on else ATTRIBUTES | IS_ENABLED
    if unpatched_parts(Py_TYPE(logger)) & needed != needed or shadows_methods(attributes):
        return False
    cache = dict_get(attributes, "_cache", None)
    if not PyDict_CheckExact(cache) or not watch_dict(&logflume_loggers, &route.cache, cache):
        return False
    disabled = dict_get(attributes, "disabled", None)
    if disabled is True:
        return not route.is_on
    if disabled is not False:
        return False
    # Not in the cache: the level may have been changed by another thread since the answer was found.
    if dict_get(cache, level, None) is not (True if route.is_on else False):
        return False
    name = dict_get(attributes, "name", None)
    filters = dict_get(attributes, "filters", None)
    if route.is_on and (name is None or not PyList_CheckExact(filters)):
        return False
    route.name = own(name)
    route.filters = own(filters)
    return True


cdef bint note_handlers(CachedRoute *route, object attributes) except -1:
    """Note the handlers of one logger on the route; False if there is more than one in all, or another kind."""
    cdef object handlers = dict_get(attributes, "handlers", None)
    if not is_handler_list(handlers):
        return False
    route.handlers[route.length] = own(handlers)
    if PyList_GET_SIZE(handlers) > 0:
        if route.handler_at >= 0 or not isinstance(list_get(handlers, 0, None), HandlerCore):
            return False
        route.handler_at = route.length
    route.length += 1
    return True


cdef bint note_level_name(CachedRoute *route, object level) except -1:
    cdef LoggingState state = current_state()
    if state.is_unpatched and state.number:
        level_name = dict_get(state.level_names, level, MISSING)
        if level_name is not MISSING:
            route.level_name = own(level_name)
            route.state_number = state.number
    return True


watch_only(&logflume_loggers, tuple([sys.intern(name) for name in METHODS + OWN_VALUES + READ_OF_HANDLERS]))
