"""The compiled methods of logging.Logger: from logger.info(...) to the queue without a Python frame.

They handle the usual call, which does no more than put the record into queues. What is unusual about one is found
before anything of it is done, and then the whole call goes to the standard method, so that what it calls in Python
finds the frames and the records of the standard library.

A record passes through, in this order: this file; route.pxi (is the level on, and which handler takes the record?);
logging_state.pxi (what did other code replace in logging?); call_site.pxi; ../shared/reuse.pxi; stamp.pxi; handle.pxi
(what do the logger's filters say?); handler.pxi, which puts it into the queue. Where they ask about classes:
unpatched.pxi.
"""

cdef extern from "interpreter/code.h":
    ctypedef struct OwnCode "logflume_own_code":
        PyObject *function
        PyObject *code
    bint has_own_code "logflume_has_own_code" (const OwnCode *own) noexcept
    bint have_own_code "logflume_have_own_code" (const OwnCode *own, int count) noexcept

cdef bint accelerated = False

# ---- functions that are given other code ----

# The standard functions that a call stands for, besides its own method, with their code when logflume was imported.
cdef tuple STANDARD_FUNCTIONS = tuple([
    (function, function.__code__) for function in (
        logging.Logger.isEnabledFor, logging.Logger._log, logging.Logger.findCaller, logging.Logger.makeRecord,
        logging.Logger.handle, logging.Logger.callHandlers, logging.Logger.error, logging.Filterer.filter,
        logging.LogRecord.__init__, logging.LogRecord.getMessage,
    )
    if type(function) is types.FunctionType
])
cdef OwnCode own_code[10]
cdef int own_codes = 0
for function, code in STANDARD_FUNCTIONS:
    own_code[own_codes].function = <PyObject *>function
    own_code[own_codes].code = <PyObject *>code
    own_codes += 1

# ---- the arguments ----

cdef struct Call:
    # All pointers are borrowed from the caller.
    PyObject *method
    PyObject *logger
    PyObject *level
    long long levelno
    int is_enabled  # what cached_route() returned: ON, with `route` set, or UNKNOWN
    Route route
    PyObject **arguments  # the message, its arguments, then the values of the keywords
    Py_ssize_t count  # of the message and its arguments
    PyObject *names  # of the keywords, or NULL
    bint has_exc_info  # as a default: exception()
    bint asks_logger  # whether the logger has filters that have to be called
    PyObject *site  # what findCaller() told, or NULL


cdef inline bint begin(Call *call, PyObject *logger, PyObject *level, long long levelno) noexcept:
    """Begin a call; False if the level is known to be off, and nothing is to be done."""
    call.logger = logger
    call.level = level
    call.levelno = levelno
    call.is_enabled = cached_route(logger, levelno, &call.route)
    return call.is_enabled != OFF


cdef inline void set_arguments(
    Call *call, PyObject *method, PyObject **arguments, Py_ssize_t count, PyObject *names
) noexcept:
    call.method = method
    call.arguments = arguments
    call.count = count
    call.names = names
    call.has_exc_info = False
    call.asks_logger = False
    call.site = NULL


cdef struct Keywords:
    PyObject *exc_info  # NULL if not given
    PyObject *extra
    long stacklevel


cdef bint read_keywords(const Call *call, Keywords *keywords) except -1:
    """Sort the keyword arguments; False if there is one that only the standard method can judge."""
    cdef Py_ssize_t i
    cdef object name, value
    cdef PyObject **values = call.arguments + call.count
    keywords.exc_info = keywords.extra = NULL
    keywords.stacklevel = 1
    if call.names is NULL:
        return True
    for i in range(PyTuple_GET_SIZE(<object>call.names)):
        name = <object>PyTuple_GET_ITEM(<object>call.names, i)
        value = <object>values[i]
        if name == "exc_info":
            keywords.exc_info = values[i]
        elif name == "extra":
            keywords.extra = NULL if value is None else values[i]
        elif name == "stacklevel":
            if not PyLong_CheckExact(value) or not 0 < value < 1000000:
                return False
            keywords.stacklevel = value
        elif name != "stack_info" or value:
            return False
    return True


cdef object exception_info(object given):
    """Return record.exc_info for what was given as `exc_info`, as Logger._log makes it."""
    if not given:
        return given
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given
    return sys.exc_info()


# What a record has, and what formatting adds, which `extra` must not set; and what changes how a record is formatted.
cdef frozenset SPECIAL = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message", "asctime", "getMessage",
}


cdef bint is_usual(object extra):
    """Tell whether Logger.makeRecord would take `extra` as it is."""
    if not PyDict_CheckExact(extra):
        return False
    for key in <dict>extra:
        if not PyUnicode_CheckExact(key) or key in SPECIAL:
            return False
    return True


# ---- the call ----

cdef bint log(Call *call) except -1:
    """Do the call; False, with nothing done, if the standard method must do it."""
    cdef object name, handler
    if not have_own_code(own_code, own_codes) or caches() is NULL:
        return False
    if call.is_enabled == ON:
        handler = list_get(<object>call.route.handlers, 0, None)
        if isinstance(handler, HandlerCore) and call.levelno >= (<HandlerCore>handler).level_value:
            name = <object>call.route.name  # before arbitrary code can run, which could change the logger
            if (<HandlerCore>handler).is_ours():
                return log_enabled(call, name, handler, &call.route)
    return log_uncached(call, <object>call.logger, <object>call.level)


cdef bint log_uncached(Call *call, object logger, object level) except -1:
    """Do what log() does, after looking up the route."""
    cdef unsigned int parts = unpatched_parts(Py_TYPE(logger))
    cdef int enabled, verdict
    cdef object attributes, name, handler, filters
    if not parts:
        return False
    attributes = instance_dict(logger)
    enabled = is_enabled(logger, attributes, parts, level)
    if enabled == 0:
        cache_route(logger, level, call.levelno, False)
        return True
    name = dict_get(attributes, "name", MISSING)
    if enabled == STANDARD or (parts | FIND_CALLER) & PARTS != PARTS or name is MISSING:
        return False
    filters = dict_get(attributes, "filters", None)
    if not PyList_CheckExact(filters):
        return False
    handler = find_handler(logger, attributes, call.levelno)
    if handler is None:
        return False
    if PyList_GET_SIZE(filters) != 0:
        verdict = by_name(filters, name)
        if verdict == DROPS:
            handler = NO_HANDLER
        call.asks_logger = verdict == ASKS
    elif isinstance(handler, HandlerCore):
        cache_route(logger, level, call.levelno, True)
    if not parts & FIND_CALLER:
        return log_told(call, logger, name, handler)
    return log_enabled(call, name, handler, NULL)


cdef inline object way_into_queue(
    const Call *call, LoggingState state, object name, object handler, Keywords *keywords
):
    """Return how the record gets into the queue: NOT_AT_ALL, CALLS_PYTHON if the standard method must do the call."""
    cdef object way = AS_LOG_RECORD
    if not (
        state.is_unpatched
        and state.standard_factory
        and unpatched_parts(record_class) & RECORD
        and read_keywords(call, keywords)
    ):
        return CALLS_PYTHON
    if keywords.extra is not NULL and not is_usual(<object>keywords.extra):
        return CALLS_PYTHON
    # What _is_disabled() looks at besides `disabled`; to be told by an exception that it is not there costs more.
    if IGNORES_NESTED and dict_get((<object>call.logger)._tls.__dict__, "in_progress", False):
        return NOT_AT_ALL
    if not call.asks_logger:
        if handler is NO_HANDLER:
            return NOT_AT_ALL
        if handler is not SEVERAL:
            way = (<HandlerCore>handler).way_in(call.levelno, name)
            if way is NOT_AT_ALL or way is CALLS_PYTHON:
                return way
    if IGNORES_NESTED and (
        call.asks_logger or way is FILTERED or handler is SEVERAL or type(handler.queue) is not SimpleQueue
    ):
        return CALLS_PYTHON  # a filter may log, or the queue
    return way


cdef bint log_told(Call *call, object logger, object name, object handler) except -1:
    """Do what log_enabled() does, for a logger with a findCaller() of its own."""
    cdef Keywords keywords
    cdef CallSite site
    cdef tuple told
    if call.has_exc_info or way_into_queue(call, current_state(), name, handler, &keywords) is CALLS_PYTHON:
        return False
    # What this runs may do anything, so that log_enabled() asks again how the record gets into the queue.
    told = ask_for_caller((<LogMethod>call.method).frame, logger, keywords.stacklevel)
    site = told_call_site(told)
    call.site = <PyObject *>site
    if site is None or not log_enabled(call, name, handler, NULL):
        path, line, function, stack = told
        arguments = tuple([<object>call.arguments[index] for index in range(1, call.count)])
        exc_info = None if keywords.exc_info is NULL else exception_info(<object>keywords.exc_info)
        extra = None if keywords.extra is NULL else <object>keywords.extra
        logger.handle(logger.makeRecord(
            logger.name, <object>call.level, path, line, <object>call.arguments[0], arguments, exc_info, function,
            extra, stack,
        ))
    return True


cdef bint log_enabled(const Call *call, object name, object handler, const Route *route) except -1:
    """Make the record and have it handled. Returns False, with nothing done, if the standard method must do it.

    `handler` is what find_handler() returned, and `route` is where that was cached, or NULL.
    """
    cdef Keywords keywords
    cdef LoggingState state = current_state()
    cdef CapturedRecord record
    cdef CallSite site
    cdef object level_name = None, way
    # Before arbitrary code can run, which could change the names of levels.
    if route is not NULL and route.level_name is not NULL and route.state_number == state.number:
        level_name = <object>route.level_name
    way = way_into_queue(call, state, name, handler, &keywords)
    if way is CALLS_PYTHON:
        return False
    if way is NOT_AT_ALL:
        return True
    site = find_call_site(keywords.stacklevel) if call.site is NULL else <CallSite>call.site
    if site is None:
        return False

    # Most of what it gets is what the record had before, if it is used again.
    record = record_for_call(<object>call.arguments[0], call.arguments + 1, call.count - 1)
    record.levelno = <int>call.levelno
    if record.name is not name:
        record.name = name
    if record.site is not site:
        record.site = site
    if keywords.exc_info is NULL and not call.has_exc_info:
        record.exc_info = None
    else:
        record.exc_info = exception_info(True if keywords.exc_info is NULL else <object>keywords.exc_info)
    if level_name is None:
        level_name = name_of_level(state, <object>call.level)
    if record.levelname is not level_name:
        record.levelname = level_name
    if not stamp(state, record):
        return False
    if call.count == 2 and not record.immutable:
        use_mapping(record, <object>call.arguments[1])
    if keywords.extra is not NULL:
        record.extra = PyDict_Copy(<object>keywords.extra)

    if call.asks_logger:
        ask_logger(<object>call.logger, name, record)
    elif way is FILTERED or way is AS_LOG_RECORD:
        put(<object>call.logger, handler, record, way)
    else:
        (<HandlerCore>handler).put_captured(record, way)
    return True


cdef int use_mapping(CapturedRecord record, object argument) except -1:
    """A single argument that is a mapping and not empty is the arguments, see LogRecord.__init__."""
    if is_mapping(argument) and argument:
        record.args = argument
    return 0


# ---- the methods ----

cdef class LogMethod:
    """Stands for one of the methods of logging.Logger."""

    cdef vectorcallfunc entry  # stays the first field
    cdef readonly object standard  # the method that this one stands for
    cdef object code  # and its code
    cdef OwnCode own_code
    cdef object level
    cdef long long levelno
    cdef object frame  # for a logger with a findCaller() of its own
    cdef object __weakref__

    def __init__(self, standard, level):
        self.standard = standard
        self.code = standard.__code__
        self.own_code.function = <PyObject *>standard
        self.own_code.code = <PyObject *>self.code
        self.level = level
        self.levelno = level or 0
        self.frame = frame_of(standard)
        name = standard.__name__
        if name == "exception":
            self.entry = <vectorcallfunc>call_exception
        elif name == "log":
            self.entry = <vectorcallfunc>call_log
        else:
            self.entry = <vectorcallfunc>call_level

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    # Code that inspects it finds the standard function.
    def __getattr__(self, name):
        return getattr(self.standard, name)

    def __setattr__(self, name, value):
        setattr(self.standard, name, value)

    def __delattr__(self, name):
        delattr(self.standard, name)

    def __repr__(self):
        return f"<compiled {self.standard!r}>"

    def __reduce__(self):
        return self.standard.__qualname__

    @property
    def __class__(self):
        return type(self.standard)

    @property
    def __doc__(self):
        return self.standard.__doc__

    @property
    def __module__(self):
        return self.standard.__module__

    @property
    def __wrapped__(self):
        return self.standard


cdef inline bint is_in_use(LogMethod method) noexcept:
    return accelerated and has_own_code(&method.own_code) and has_own_code(&own_code[0])


enable_vectorcall(<PyTypeObject *><PyObject *>LogMethod, sizeof(PyObject))


cdef object call_level(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """debug(), info(), warning(), error(), critical(): self, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 2 and is_in_use(method):
        if not begin(&call, arguments[0], <PyObject *>method.level, method.levelno):
            return None
        set_arguments(&call, called, arguments + 1, count - 1, names)
        if log(&call):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_exception(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """exception(): error() with exc_info."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 2 and is_in_use(method) and unpatched_parts(Py_TYPE(<object>arguments[0])) & ERROR:
        if not begin(&call, arguments[0], <PyObject *>method.level, method.levelno):
            return None
        set_arguments(&call, called, arguments + 1, count - 1, names)
        call.has_exc_info = True
        if log(&call):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_log(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """log(): self, level, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 3 and is_in_use(method) and is_usual_level(<object>arguments[1]):
        if not begin(&call, arguments[0], arguments[1], <object>arguments[1]):
            return None
        set_arguments(&call, called, arguments + 2, count - 2, names)
        if log(&call):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef bint is_usual_level(object level) except -1:
    return PyLong_CheckExact(level) and -1000000 < level < 1000000


# ---- putting the methods on logging.Logger ----

cdef dict LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "exception": logging.ERROR,
    "log": None,
}
cdef dict METHOD_CODES = {name: getattr(logging.Logger.__dict__.get(name), "__code__", None) for name in LEVELS}
# warn() and fatal() stay as they are: they call warning() and critical().
cdef dict made = {}  # name -> LogMethod, to be used again


def accelerate():
    """Put compiled methods on logging.Logger where its own are unpatched; returns True: they are in use."""
    global accelerated
    for name, level in LEVELS.items():
        method = logging.Logger.__dict__.get(name)
        if is_unpatched(method, logging, f"Logger.{name}") and method.__code__ is METHOD_CODES[name]:
            compiled = made.get(name)
            if compiled is None or (<LogMethod>compiled).standard is not method:
                compiled = made[name] = LogMethod(method, level)
                count_as_unpatched(compiled)
            setattr(logging.Logger, name, compiled)
    accelerated = True
    return True


def restore():
    """Put the standard methods back where the compiled ones still are."""
    global accelerated
    accelerated = False
    for name in LEVELS:
        method = logging.Logger.__dict__.get(name)
        if isinstance(method, LogMethod):
            setattr(logging.Logger, name, (<LogMethod>method).standard)


def is_accelerated():
    """Tell whether the compiled methods are in use."""
    return accelerated
