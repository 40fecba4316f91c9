"""The compiled methods of logging.Logger: from logger.info(...) to the queue without a Python frame.

They handle the usual call. What is unusual about one is found before anything of it is done, and then the whole
call goes to the standard method. A record that was made goes to the standard Logger.handle(), too, unless that
would do no more than put the record into queues.

A record passes through, in this order: this file; route.pyx (is the level on, and which handler takes the record?);
logging_state.pyx (what did other code replace in logging?); call_site.pyx; ../record.pyx; ../context.pyx; stamp.pyx;
handler.pyx, which puts it into the queue. Where they ask about classes: unpatched.pyx.
"""

from cpython.dict cimport PyDict_CheckExact, PyDict_Copy
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object logging, sys
import logging
import sys

from logflume._c.caller.call_site cimport find_call_site
from logflume._c.caller.handler cimport HandlerCore
from logflume._c.caller.logging_state cimport MISSING, LoggingState, current_state
from logflume._c.caller.route cimport (
    NO_HANDLER, OFF, ON, PARTS, SEVERAL, STANDARD, Route, cache_route, cached_route, find_handler, is_enabled,
    is_handler_list,
)
from logflume._c.caller.stamp cimport name_of_level, stamp
from logflume._c.caller.unpatched cimport (
    ERROR, HANDLE, LOG, MAKE_RECORD, RECORD, is_mapping, is_unpatched, unpatched_parts,
)
from logflume._c.context cimport current_context
from logflume._c.interpreter.python cimport (
    Py_TYPE, PyMethod_New, PyObject_Vectorcall, PyVectorcall_NARGS, dict_get, enable_vectorcall, instance_dict,
    list_get, vectorcallfunc,
)
from logflume._c.record cimport CallSite, RecordCore, record_for_call, track_if_needed

from logflume._c.caller.logging_state import prepare
from logflume._c.caller.unpatched import count_as_unpatched

cdef PyTypeObject *record_class = <PyTypeObject *><PyObject *>logging.LogRecord
cdef bint accelerated = False


# ---- the arguments ----

cdef struct Call:
    # All pointers are borrowed from the caller.
    PyObject *logger
    PyObject *level
    long long levelno
    int is_enabled  # what cached_route() returned: ON, with `route` set, or UNKNOWN
    Route route
    PyObject **arguments  # the message, its arguments, then the values of the keywords
    Py_ssize_t count  # of the message and its arguments
    PyObject *names  # of the keywords, or NULL
    bint has_exc_info  # as a default: exception()


cdef inline bint begin(Call *call, PyObject *logger, PyObject *level, long long levelno) noexcept:
    """Begin a call; False if the level is known to be off, and nothing is to be done."""
    call.logger = logger
    call.level = level
    call.levelno = levelno
    call.is_enabled = cached_route(logger, levelno, &call.route)
    return call.is_enabled != OFF


cdef inline void set_arguments(Call *call, PyObject **arguments, Py_ssize_t count, PyObject *names) noexcept:
    call.arguments = arguments
    call.count = count
    call.names = names
    call.has_exc_info = False


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
            keywords.extra = values[i]
        elif name == "stacklevel":
            if not PyLong_CheckExact(value) or not 0 < value < 1000000:
                return False
            keywords.stacklevel = value
        elif name != "stack_info" or value:
            return False
    return True


cdef object exception_info(object given):
    """Return record.exc_info for what was given as `exc_info`, as Logger._log makes it."""
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given
    return sys.exc_info()


# What a record has, and what formatting adds: `extra` must not set these.
cdef frozenset TAKEN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}
# These, and what changes how a record is formatted.
cdef frozenset SPECIAL = TAKEN | {"getMessage"}


cdef int add_extra(RecordCore record, object extra) except -1:
    """As Logger.makeRecord does it."""
    if PyDict_CheckExact(extra):
        for key in <dict>extra:
            if not PyUnicode_CheckExact(key):
                break
            if key in SPECIAL:
                if key in TAKEN:
                    raise KeyError("Attempt to overwrite %r in LogRecord" % key)
                break
        else:
            record.extra = PyDict_Copy(extra)
            return 0
    for key in extra:
        if (key in ["message", "asctime"]) or (key in record.__dict__):
            raise KeyError("Attempt to overwrite %r in LogRecord" % key)
        record.__dict__[key] = extra[key]
    return 0


# ---- handing on to Python ----

# Code that handles the record in Python finds the frames above it that the standard library has there: some
# takes the frame at a fixed distance for the caller's.
_standard_frames = {"__name__": "logging"}
exec(
    compile(
        "def _log(self, record):\n    self.handle(record)\n"
        "def handle(self, record):\n    _log(self, record)\n"
        "def _log_new(self, arguments):\n    self.handle(self.makeRecord(*arguments))\n"
        "def make_and_handle(self, arguments):\n    _log_new(self, arguments)\n",
        logging.addLevelName.__code__.co_filename,
        "exec",
    ),
    _standard_frames,
)
cdef object handle_in_python = _standard_frames["handle"]
cdef object make_and_handle_in_python = _standard_frames["make_and_handle"]


cdef int put_into_each(object logger, RecordCore record) except -1:
    """As Logger.callHandlers, when the handlers are queue handlers."""
    cdef Py_ssize_t i
    cdef object attributes
    cdef HandlerCore queue_handler
    while logger is not None:
        attributes = instance_dict(logger)
        handlers = dict_get(attributes, "handlers", MISSING)
        if not is_handler_list(handlers):  # replaced since find_handler() looked
            handlers = list(logger.handlers)
        i = 0
        while True:
            handler = list_get(handlers, i, MISSING)
            if handler is MISSING:
                break
            if isinstance(handler, HandlerCore) and (<HandlerCore>handler).only_enqueues():
                queue_handler = <HandlerCore>handler
                if record.levelno >= queue_handler.level_value:
                    queue_handler.put(record)
            elif record.levelno >= handler.level:
                handler.handle(record)
            i += 1
        if not dict_get(attributes, "propagate", False):
            return 0
        logger = dict_get(attributes, "parent", None)
    return 0


# ---- the call ----

cdef bint log(const Call *call) except -1:
    """Do the call; False, with nothing done, if the standard method must do it."""
    cdef object name, handler
    if call.is_enabled == ON:
        handler = <object>call.route.handler
        # It has the address of the handler that was there; if the list was changed it may be another.
        if isinstance(handler, HandlerCore) and call.levelno >= (<HandlerCore>handler).level_value:
            name = <object>call.route.name  # before arbitrary code can run, which could change the logger
            if (<HandlerCore>handler).only_enqueues():
                return log_enabled(call, PARTS, name, handler, &call.route)
    return log_uncached(call, <object>call.logger, <object>call.level)


cdef bint log_uncached(const Call *call, object logger, object level) except -1:
    """Do what log() does, after looking up the route."""
    cdef unsigned int parts = unpatched_parts(Py_TYPE(logger))
    cdef int enabled
    cdef object attributes, name, handler, filters
    if not parts:
        return False
    attributes = instance_dict(logger)
    enabled = is_enabled(logger, attributes, parts, level)
    if enabled == 0:
        cache_route(logger, level, call.levelno, False)
        return True
    name = dict_get(attributes, "name", MISSING)
    if enabled == STANDARD or not parts & LOG or name is MISSING:
        return False
    handler = None
    if parts & HANDLE:
        filters = dict_get(attributes, "filters", None)
        if PyList_CheckExact(filters) and PyList_GET_SIZE(filters) == 0:
            handler = find_handler(logger, attributes, call.levelno)
    if isinstance(handler, HandlerCore):
        cache_route(logger, level, call.levelno, True)
    return log_enabled(call, parts, name, handler, NULL)


cdef bint log_enabled(
    const Call *call, unsigned int parts, object name, object handler, const Route *route
) except -1:
    """Make the record and have it handled. Returns False, with nothing done, if the standard method must do it.

    `parts` is what the logger's class has unpatched, `handler` is what find_handler() returned, and `route` is
    where that was cached, or NULL.
    """
    cdef Keywords keywords
    cdef LoggingState state = current_state()
    cdef RecordCore record
    cdef CallSite site
    cdef object level_name = None, extra = None, exc_info = None
    if not state.is_unpatched or not read_keywords(call, &keywords):
        return False
    site = find_call_site(keywords.stacklevel)
    if site is None:
        return False
    if keywords.extra is not NULL:
        extra = <object>keywords.extra
    if keywords.exc_info is not NULL:
        exc_info = <object>keywords.exc_info
    elif call.has_exc_info:
        exc_info = True
    if exc_info is not None and exc_info:
        exc_info = exception_info(exc_info)

    if not (parts & MAKE_RECORD and state.standard_factory and unpatched_parts(record_class) & RECORD):
        make_in_python(call, name, site, exc_info, extra)
        return True
    if handler is NO_HANDLER and extra is None:
        return True

    if route is not NULL and route.level_name is not NULL and route.state_number == state.number:
        level_name = <object>route.level_name
    # Most of what it gets is what the record had before, if it is used again.
    record = record_for_call(<object>call.arguments[0], call.arguments + 1, call.count - 1)
    record.levelno = <int>call.levelno
    if record.name is not name:
        record.name = name
    if record.site is not site:
        record.site = site
    record.exc_info = exc_info
    record.context = current_context()
    if level_name is None:
        level_name = name_of_level(state, <object>call.level)
    if record.levelname is not level_name:
        record.levelname = level_name
    if not stamp(state, record):
        return False
    if call.count == 2 and not record.immutable:
        use_mapping(record, <object>call.arguments[1])
    if extra is not None:
        add_extra(record, extra)
    if record.unfilled:
        track_if_needed(record)

    if handler is None:
        handle_in_python(<object>call.logger, record)
    elif handler is SEVERAL:
        put_into_each(<object>call.logger, record)
    elif handler is not NO_HANDLER:
        (<HandlerCore>handler).put(record)
    return True


cdef int make_in_python(const Call *call, object name, CallSite site, object exc_info, object extra) except -1:
    """Have makeRecord() make the record, and the logger handle it."""
    cdef Py_ssize_t i
    cdef object args = tuple([<object>call.arguments[i] for i in range(1, call.count)])
    make_and_handle_in_python(
        <object>call.logger,
        (
            name, <object>call.level, site.pathname, site.lineno, <object>call.arguments[0], args, exc_info,
            site.funcName, extra, None,
        ),
    )
    return 0


cdef int use_mapping(RecordCore record, object argument) except -1:
    """A single argument that is a mapping and not empty is the arguments, see LogRecord.__init__."""
    if is_mapping(argument) and argument:
        record.args = argument
    return 0


# ---- the methods ----

cdef class LogMethod:
    """Stands for one of the methods of logging.Logger."""

    cdef vectorcallfunc entry  # stays the first field
    cdef readonly object standard  # the method that this one stands for
    cdef object level
    cdef long long levelno
    cdef object __weakref__

    def __init__(self, standard, level):
        self.standard = standard
        self.level = level
        self.levelno = level or 0
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


enable_vectorcall(<PyTypeObject *><PyObject *>LogMethod, sizeof(PyObject))


cdef object call_level(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """debug(), info(), warning(), error(), critical(): self, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 2 and accelerated:
        if not begin(&call, arguments[0], <PyObject *>method.level, method.levelno):
            return None
        set_arguments(&call, arguments + 1, count - 1, names)
        if log(&call):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_exception(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """exception(): error() with exc_info."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 2 and accelerated and unpatched_parts(Py_TYPE(<object>arguments[0])) & ERROR:
        if not begin(&call, arguments[0], <PyObject *>method.level, method.levelno):
            return None
        set_arguments(&call, arguments + 1, count - 1, names)
        call.has_exc_info = True
        if log(&call):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_log(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """log(): self, level, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    cdef Call call
    if count >= 3 and accelerated and is_usual_level(<object>arguments[1]):
        if not begin(&call, arguments[0], arguments[1], <object>arguments[1]):
            return None
        set_arguments(&call, arguments + 2, count - 2, names)
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
# warn() and fatal() stay as they are: they call warning() and critical().
cdef dict made = {}  # name -> LogMethod, to be used again


def accelerate():
    """Put compiled methods on logging.Logger where its own are unpatched; returns True: they are in use."""
    global accelerated
    prepare()
    for name, level in LEVELS.items():
        method = logging.Logger.__dict__.get(name)
        if is_unpatched(method, logging, f"Logger.{name}"):
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
