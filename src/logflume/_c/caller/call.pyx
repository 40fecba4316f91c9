"""The compiled methods of logging.Logger: from logger.info(...) to the queue without a Python frame.

They take the plain call. Whatever is unusual about one is found before anything of it is done, and then the
whole call goes to the standard method. What comes after the record is made goes the standard way, too,
unless it would do no more than put the record into queues.
"""

from cpython.dict cimport PyDict_CheckExact, PyDict_Copy, PyDict_Size
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.string cimport memset

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object logging, os, sys, threading, time
import logging
import os
import sys
import threading
import time

from logflume._c.context cimport current_context
from logflume._c.caller.handler cimport HandlerCore
from logflume._c.record cimport CallSite, RecordCore, record_to_fill, store_message, track_if_needed
from logflume._c.caller.logging_state cimport (
    ERROR, HANDLE, IS_ENABLED, LOG, MAKE_RECORD, MISSING, NAME, READS_PLAINLY, RECORD, World,
    is_builtin, is_mapping, is_standard, look, traits,
)

from logflume._c.caller.logging_state import CLOCK, Probe, add_compiled, prepare

cdef extern from "interpreter/compat.h":
    enum:
        LOGFLUME_GIL
    object logflume_call0(object callable)
    object logflume_get(object dictionary, object key, object missing)
    object logflume_instance_dict(object)
    object logflume_list_item(object list, Py_ssize_t index, object missing)
    PyObject *logflume_running_code(int *lasti)
    void logflume_enable_vectorcall(PyTypeObject *type, Py_ssize_t offset)
    long logflume_getpid()
    int logflume_watch_fork()

cdef extern from "caller/route_cache.h":
    enum:
        LOGFLUME_LONGEST_WAY
        LOGFLUME_OFF
        LOGFLUME_ON
    ctypedef struct logflume_watched_group:
        pass
    ctypedef struct logflume_seen:
        pass
    ctypedef struct logflume_seen_object:
        pass
    ctypedef struct logflume_way:
        long long level
        bint is_on
        logflume_seen cache
        PyObject *filters
        PyObject *name
        PyObject *handler
        PyObject *level_name
        unsigned long long look
        int handler_at
        int length
        logflume_seen_object loggers[8]
        PyObject *handlers[8]
    logflume_watched_group logflume_loggers, logflume_threads
    bint logflume_see(logflume_watched_group *group, logflume_seen *seen, object dictionary)
    bint logflume_see_object(
        logflume_watched_group *group, logflume_seen_object *seen, object instance, object dictionary)
    int logflume_recall(PyObject *logger, long long level, const logflume_way **found)
    void logflume_remember(const logflume_way *way)
    PyObject *logflume_recall_name(unsigned long ident, object active)
    void logflume_remember_name(
        unsigned long ident, const logflume_seen *active, const logflume_seen_object *thread, object name)
    void logflume_mind_only(object names)
    void logflume_try_watching(
        logflume_watched_group *group, object instance, object dictionary, const char *name)

cdef extern from "caller/clock.h":
    void logflume_trust_clock(object clock)
    bint logflume_read_clock(object clock, long long *ns) noexcept
    double logflume_seconds(long long ns) noexcept

cdef extern from "Python.h":
    ctypedef void *vectorcallfunc
    ctypedef struct PyCodeObject
    ctypedef struct PyFrameObject
    Py_ssize_t PyVectorcall_NARGS(size_t)
    object PyObject_Vectorcall(object, PyObject **, size_t, PyObject *)
    object PyMethod_New(object, object)
    int PyCode_Addr2Line(PyCodeObject *, int)
    PyFrameObject *PyEval_GetFrame()
    void Py_DECREF(PyObject *)
    void Py_XDECREF(PyObject *)
    void incref "Py_INCREF"(PyObject *)
    PyTypeObject *Py_TYPE(object)

cdef dict MODULES = sys.modules
cdef object LogRecord = logging.LogRecord
cdef PyTypeObject *record_class = <PyTypeObject *><PyObject *>logging.LogRecord
cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
cdef bint FROM_NS = isinstance(logging._startTime, int)
cdef bint accelerated = False


# ---- where the call was made ----

cdef enum:
    SITES = 1024

cdef struct SiteSlot:
    PyObject *code  # strong, so that no other code can have its address
    PyObject *site
    int lasti

cdef SiteSlot sites[SITES]
cdef dict shared_sites = {}  # instead of them without the GIL: a number made of code and lasti -> CallSite
cdef dict file_names = {}  # path -> (filename, module)


cdef CallSite caller(long stacklevel):
    """Return where the caller of the running C method is; None if only the standard method can tell."""
    cdef int lasti = 0
    cdef PyObject *code = logflume_running_code(&lasti)
    cdef CallSite site
    if code is NULL:
        return None
    try:
        site = site_of(code, lasti)
    finally:
        Py_DECREF(code)
    if site is not None and (site.internal or stacklevel > 1):
        return outer_caller(stacklevel)
    return site


cdef CallSite outer_caller(long stacklevel):
    """Do what Logger.findCaller does, from the running frame, which stands for that of debug(), info() ..."""
    cdef PyObject *running = <PyObject *>PyEval_GetFrame()
    if running is NULL:
        return None
    cdef object frame = <object>running
    cdef CallSite site
    while True:
        code = frame.f_code
        site = site_of(<PyObject *>code, frame.f_lasti)
        if site is None:
            return None
        if not site.internal:
            stacklevel -= 1
        if stacklevel <= 0:
            return site
        frame = frame.f_back
        if frame is None:
            return site


cdef CallSite site_of(PyObject *code, int lasti):
    cdef SiteSlot *slot = &sites[((<size_t>code >> 4) ^ (<size_t>lasti * 31)) % SITES]
    cdef PyObject *old_code
    cdef PyObject *old_site
    cdef CallSite site
    if not LOGFLUME_GIL:
        return shared_site_of(<object>code, lasti)
    if slot.code is code and slot.lasti == lasti:
        return <CallSite>slot.site
    site = make_site(<object>code, lasti)
    if site is None:
        return None
    old_code = slot.code
    old_site = slot.site
    incref(code)
    incref(<PyObject *>site)
    slot.code = code
    slot.site = <PyObject *>site
    slot.lasti = lasti
    # Last, with the slot in order: the end of a code object may call anybody, who may log.
    Py_XDECREF(old_code)
    Py_XDECREF(old_site)
    return site


cdef CallSite shared_site_of(object code, int lasti):
    cdef object key = <unsigned long long><size_t><PyObject *>code ^ (<unsigned long long>lasti << 40)
    cdef object found = logflume_get(shared_sites, key, None)
    cdef CallSite site
    if found is not None:
        site = <CallSite>found
        if site.code is code and site.lasti == lasti:
            return site
    site = make_site(code, lasti)
    if site is None:
        return None
    site.code = code  # strong, so that no other code can have its address
    site.lasti = lasti
    if len(shared_sites) >= SITES:
        shared_sites.clear()
    shared_sites[key] = site
    return site


cdef CallSite make_site(object code, int lasti):
    cdef CallSite site = CallSite()
    cdef int lineno = PyCode_Addr2Line(<PyCodeObject *><PyObject *>code, lasti)
    cdef object path = code.co_filename
    # 3.12 has code of its own between a C function and the Python frames that it runs.
    if not PyUnicode_CheckExact(path) or path == "<shim>":
        return None
    names = file_names.get(path)
    if names is None:
        filename = os.path.basename(path)
        names = filename, os.path.splitext(filename)[0]
        if len(file_names) >= SITES:
            file_names.clear()
        file_names[path] = names
    site.pathname = path
    site.filename, site.module = names
    site.funcName = code.co_name
    site.lineno = lineno if lineno >= 0 else None
    # As logging._is_internal_frame.
    normal = os.path.normcase(path)
    site.internal = normal == logging._srcfile or ("importlib" in normal and "_bootstrap" in normal)
    return site


# ---- what goes into the record ----

cdef bint stamp_time(World world, RecordCore record) except -1:
    """Store the time; False if the clock gave something else than the standard one does."""
    cdef object now
    cdef int overflow = 0
    if logflume_read_clock(world.clock, &record.created_ns) and record.created_ns >= 0:
        # a record made from nanoseconds divides them, whatever they are
        record.created = <double>record.created_ns / 1e9 if FROM_NS else logflume_seconds(record.created_ns)
        return True
    now = logflume_call0(world.clock)
    if FROM_NS:
        if not PyLong_CheckExact(now):
            return False
        record.created_ns = PyLong_AsLongLongAndOverflow(now, &overflow)
        if overflow or record.created_ns < 0:
            return False
        record.created = <double>record.created_ns / 1e9
    else:
        if not PyFloat_CheckExact(now) or not 0.0 <= PyFloat_AS_DOUBLE(now) < 1e18:
            return False
        record.created = PyFloat_AS_DOUBLE(now)
    return True


cdef bint stamp_thread(World world, RecordCore record) except -1:
    if not world.threads:
        record.has_thread = False
        record.threadName = None
        return True
    record.has_thread = True
    if world.active_threads is None:
        ident = world.get_ident()
        if not PyLong_CheckExact(ident) or not 0 <= ident < 2 ** 63:
            return False
        record.thread = ident
        record.threadName = world.current_thread().name
        return True
    record.thread = PyThread_get_thread_ident()
    cdef PyObject *known = logflume_recall_name(record.thread, world.active_threads)
    if known is NULL:
        record.threadName = thread_name(world.active_threads, record.thread)
    elif <PyObject *>record.threadName is not known:
        record.threadName = <object>known
    return True


cdef object thread_name(dict active_threads, unsigned long ident):
    """Look up the name of the running thread."""
    cdef logflume_seen active
    cdef logflume_seen_object seen
    cdef object thread, attributes, name
    cdef bint tells = logflume_see(&logflume_threads, &active, active_threads)
    thread = logflume_get(active_threads, ident, None)
    if thread is None:  # not started by threading: this makes a stand-in
        return threading.current_thread().name
    attributes = logflume_instance_dict(thread)
    tells = tells and logflume_see_object(&logflume_threads, &seen, thread, attributes)
    name = name_of(thread)
    if tells and PyUnicode_CheckExact(name):
        logflume_remember_name(ident, &active, &seen, name)
    return name


cdef object name_of(object owner):
    """Return the name of a thread or a process."""
    if traits(Py_TYPE(owner)) & NAME:
        name = logflume_get(logflume_instance_dict(owner), "_name", MISSING)
        if name is not MISSING:
            return name
    return owner.name


cdef object process_name(World world):
    cdef object process = world.process
    if process is MISSING:
        return "MainProcess"
    # Errors may occur while multiprocessing is being loaded, see LogRecord.__init__.
    try:
        if process is None:
            multiprocessing = logflume_get(MODULES, "multiprocessing", None)
            if multiprocessing is None:
                return "MainProcess"
            process = multiprocessing.current_process()
        return name_of(process)
    except Exception:
        return "MainProcess"


cdef object running_loop = None  # _asyncio's _get_running_loop, once it is loaded
cdef object current_task = None  # _asyncio's current_task


cdef object task_name(World world):
    global running_loop, current_task
    cdef object find = world.current_task
    if find is MISSING:
        return None
    try:
        if find is None:
            asyncio = logflume_get(MODULES, "asyncio", None)
            if asyncio is None:
                return None
            find = asyncio.current_task
        if current_task is None and is_builtin(find, "current_task", ("_asyncio",)):
            running_loop = MODULES["_asyncio"]._get_running_loop
            current_task = find  # last: whoever finds it set needs the other one
        if find is current_task and logflume_call0(running_loop) is None:
            return None  # here current_task() raises RuntimeError
        task = find()
        return None if task is None else task.get_name()
    except Exception:
        return None


cdef bint stamp(World world, RecordCore record) except -1:
    """Store what does not come from the call itself; False if the standard record must be made instead."""
    if not stamp_time(world, record) or not stamp_thread(world, record):
        return False
    if world.multiprocessing:
        record.processName = process_name(world)
    else:
        record.processName = None
    record.has_process = world.processes
    if world.processes:
        if world.getpid is None:
            record.process = <int>logflume_getpid()
        else:
            pid = world.getpid()
            if not PyLong_CheckExact(pid) or not 0 <= pid < 2 ** 31:
                return False
            record.process = pid
    if HAS_TASK_NAME and world.tasks:
        record.taskName = task_name(world)
    else:
        record.taskName = None
    return True


cdef object name_of_level(World world, object level):
    name = logflume_get(world.level_names, level, None)
    return logging.getLevelName(level) if name is None else name


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


# ---- from the record to the handlers ----

# Whoever handles the record in Python finds the frames above it that the standard library has there:
# some take the frame at a fixed distance for the caller's.
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

cdef object NOBODY = object()  # handlers are there, all of them queue handlers, and none takes the record
cdef object SEVERAL = object()  # more than one queue handler takes it


cdef object queue_of(object logger, object attributes, long long levelno):
    """Return the one queue handler that takes a record of this level, NOBODY or SEVERAL.

    None if there are other handlers, or anything about them needs the standard way.
    """
    cdef Py_ssize_t i
    cdef object found = None
    cdef object handlers, handler, propagate
    while True:
        handlers = logflume_get(attributes, "handlers", MISSING)
        if not PyList_CheckExact(handlers):
            return None
        i = 0
        while True:
            handler = logflume_list_item(handlers, i, MISSING)
            if handler is MISSING:
                break
            if not isinstance(handler, HandlerCore) or not (<HandlerCore>handler).takes_directly():
                return None
            if levelno >= (<HandlerCore>handler).level_value:
                found = handler if found is None or found is NOBODY else SEVERAL
            elif found is None:
                found = NOBODY
            i += 1
        propagate = logflume_get(attributes, "propagate", MISSING)
        if propagate is not True:
            if propagate is MISSING:
                return None
            if not propagate:
                break
        logger = logflume_get(attributes, "parent", MISSING)
        if logger is None:
            break
        if logger is MISSING or not traits(Py_TYPE(logger)) & READS_PLAINLY:
            return None
        attributes = logflume_instance_dict(logger)
    return found


# ---- the call ----

cdef struct Keywords:
    PyObject *exc_info  # borrowed from the caller; NULL if not given
    PyObject *extra
    PyObject *stacklevel


cdef bint read_keywords(PyObject *names, PyObject **values, Keywords *keywords) except -1:
    """Sort the keyword arguments; False if there is one that only the standard method can judge."""
    cdef Py_ssize_t i
    cdef object name
    for i in range(PyTuple_GET_SIZE(<object>names)):
        name = <object>PyTuple_GET_ITEM(<object>names, i)
        if name == "exc_info":
            keywords.exc_info = values[i]
        elif name == "extra":
            keywords.extra = values[i]
        elif name == "stacklevel":
            keywords.stacklevel = values[i]
        elif name != "stack_info" or <object>values[i]:
            return False
    return True


# What Logger.__init__ sets; Manager.getLogger adds `manager`, which the root logger has from its class.
cdef enum:
    ATTRIBUTES = 8
cdef tuple METHODS = (
    "isEnabledFor", "_log", "findCaller", "makeRecord", "handle", "filter", "callHandlers", "error",
)


# Its attributes that a call reads.
cdef tuple READ = ("name", "level", "parent", "propagate", "handlers", "disabled", "_cache", "filters", "manager")


cdef bint shadows_methods(object attributes):
    """Whether one of the logger's own attributes hides a method that the call goes through."""
    cdef Py_ssize_t size = PyDict_Size(attributes)
    # All but `level` are read by each call; one that is missing could make room for another.
    if logflume_get(attributes, "level", None) is not None:
        if size == ATTRIBUTES:
            return False
        if size == ATTRIBUTES + 1 and logflume_get(attributes, "manager", None) is not None:
            return False
    for name in METHODS:
        if name in attributes:
            return True
    return False


cdef enum:
    STANDARD = 2  # the standard method must be called
    USUAL = READS_PLAINLY | IS_ENABLED | LOG | MAKE_RECORD | HANDLE


cdef int is_enabled(object logger, object attributes, unsigned int have, object level) except -1:
    """Do what Logger.isEnabledFor does: 0, 1, or STANDARD."""
    cdef object answer
    if have & (READS_PLAINLY | IS_ENABLED) != READS_PLAINLY | IS_ENABLED:
        return STANDARD
    if shadows_methods(attributes):
        return STANDARD
    answer = logflume_get(attributes, "disabled", MISSING)
    if answer is not False:
        if answer is MISSING:
            return STANDARD
        if answer:
            return 0
    cache = logflume_get(attributes, "_cache", None)
    if not PyDict_CheckExact(cache):
        return STANDARD
    answer = logflume_get(cache, level, MISSING)
    if answer is MISSING:
        return bool(logger.isEnabledFor(level))
    return answer is True or bool(answer)


cdef int remember(object logger, object level, long long levelno, bint is_on) except -1:
    """Remember the answer to this level, and the way to the handler, if all is as it usually is.

    Looks everything up again, after it has noted the state that it is in.
    """
    cdef logflume_way way
    cdef object owner = logger
    cdef object attributes, cache, disabled, filters, handlers, level_name, name, propagate
    cdef World world
    memset(&way, 0, sizeof(way))
    way.level = levelno
    way.is_on = is_on
    while True:
        attributes = logflume_instance_dict(owner)
        if not logflume_see_object(&logflume_loggers, &way.loggers[way.length], owner, attributes):
            return 0
        if owner is logger:
            if traits(Py_TYPE(owner)) & USUAL != USUAL or shadows_methods(attributes):
                return 0
            cache = logflume_get(attributes, "_cache", None)
            if not PyDict_CheckExact(cache) or not logflume_see(&logflume_loggers, &way.cache, cache):
                return 0
            disabled = logflume_get(attributes, "disabled", None)
            if disabled is True and not is_on:
                logflume_remember(&way)
            if disabled is not False:
                return 0
            # Not in the cache: the level may have been changed by another thread since the answer was found.
            if logflume_get(cache, level, None) is not (True if is_on else False):
                return 0
            if not is_on:
                logflume_remember(&way)
                return 0
            name = logflume_get(attributes, "name", None)
            filters = logflume_get(attributes, "filters", None)
            if name is None or not PyList_CheckExact(filters):
                return 0
            way.name = <PyObject *>name
            way.filters = <PyObject *>filters
        elif not traits(Py_TYPE(owner)) & READS_PLAINLY:
            return 0
        handlers = logflume_get(attributes, "handlers", None)
        if not PyList_CheckExact(handlers):
            return 0
        way.handlers[way.length] = <PyObject *>handlers
        if PyList_GET_SIZE(handlers) > 0:
            handler = logflume_list_item(handlers, 0, None)
            if way.handler is not NULL or not isinstance(handler, HandlerCore):
                return 0
            way.handler = <PyObject *>handler
            way.handler_at = way.length
        way.length += 1
        propagate = logflume_get(attributes, "propagate", None)
        owner = None
        if propagate is True:
            owner = logflume_get(attributes, "parent", MISSING)
        elif propagate is not False:
            return 0
        if owner is None:
            break
        if owner is MISSING or way.length == LOGFLUME_LONGEST_WAY:
            return 0
    if way.handler is NULL:
        return 0
    world = look()
    if world.plain and world.number:
        level_name = logflume_get(world.level_names, level, MISSING)
        if level_name is not MISSING:
            way.level_name = <PyObject *>level_name
            way.look = world.number
    logflume_remember(&way)
    return 0


cdef bint attempt(
    object logger, object level, long long levelno,
    PyObject **arguments, Py_ssize_t count, PyObject *names, object exc_info,
) except -1:
    """Do the call; False, with nothing done, if the standard method must do it."""
    cdef const logflume_way *way
    cdef unsigned int have
    cdef object attributes, name, queue, filters
    cdef int enabled = logflume_recall(<PyObject *>logger, levelno, &way)
    if enabled == LOGFLUME_OFF:
        return True
    if enabled == LOGFLUME_ON:
        queue = <object>way.handler
        # It has the address of the handler that was there; if the list was changed it may be another.
        if isinstance(queue, HandlerCore) and levelno >= (<HandlerCore>queue).level_value:
            name = <object>way.name  # before anything runs that could change the way
            if (<HandlerCore>queue).takes_directly():
                return log_enabled(
                    logger, USUAL, level, levelno, name, queue, way, arguments, count, names, exc_info
                )
    have = traits(Py_TYPE(logger))
    if not have:
        return False
    attributes = logflume_instance_dict(logger)
    enabled = is_enabled(logger, attributes, have, level)
    if enabled == 0:
        remember(logger, level, levelno, False)
        return True
    name = logflume_get(attributes, "name", MISSING)
    if enabled == STANDARD or not have & LOG or name is MISSING:
        return False
    queue = None
    if have & HANDLE:
        filters = logflume_get(attributes, "filters", None)
        if PyList_CheckExact(filters) and PyList_GET_SIZE(filters) == 0:
            queue = queue_of(logger, attributes, levelno)
    if isinstance(queue, HandlerCore):
        remember(logger, level, levelno, True)
    return log_enabled(logger, have, level, levelno, name, queue, NULL, arguments, count, names, exc_info)


cdef bint log_enabled(
    object logger, unsigned int have, object level, long long levelno, object name, object queue,
    const logflume_way *way, PyObject **arguments, Py_ssize_t count, PyObject *names, object exc_info,
) except -1:
    """Make the record and have it handled. Returns False, with nothing done, if the standard method must do it.

    `queue` is what queue_of() said, and `way` is where it was remembered, or NULL. `arguments` are the message and
    its `count` - 1 arguments, then the values of the keywords `names`.
    """
    cdef Keywords keywords
    cdef World world = look()
    cdef RecordCore record
    cdef CallSite site
    cdef long stacklevel = 1
    cdef Py_ssize_t i
    cdef object args, level_name = None, extra = None
    if not world.plain:
        return False
    if way is not NULL and way.look == world.number and way.level_name is not NULL:
        level_name = <object>way.level_name
    if names is not NULL:
        keywords.exc_info = keywords.extra = keywords.stacklevel = NULL
        if not read_keywords(names, arguments + count, &keywords):
            return False
        if keywords.stacklevel is not NULL:
            if not PyLong_CheckExact(<object>keywords.stacklevel):
                return False
            if not 0 < <object>keywords.stacklevel < 1000000:
                return False
            stacklevel = <object>keywords.stacklevel
        if keywords.exc_info is not NULL:
            exc_info = <object>keywords.exc_info
        if keywords.extra is not NULL:
            extra = <object>keywords.extra
    site = caller(stacklevel)
    if site is None:
        return False

    if exc_info is not None and exc_info:
        if isinstance(exc_info, BaseException):
            exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
        elif not isinstance(exc_info, tuple):
            exc_info = sys.exc_info()

    if not (have & MAKE_RECORD and world.standard_factory and traits(record_class) & RECORD):
        args = tuple([<object>arguments[i] for i in range(1, count)])
        make_and_handle_in_python(
            logger,
            (
                name, level, site.pathname, site.lineno, <object>arguments[0], args, exc_info, site.funcName,
                extra, None,
            ),
        )
        return True
    if queue is NOBODY and extra is None:
        return True

    # Most of these are what the record had before, if it served already.
    record = record_to_fill()
    store_message(record, <object>arguments[0], arguments + 1, count - 1)  # before anybody's code can run
    record.unfilled = True
    record.levelno = <int>levelno
    if record.name is not name:
        record.name = name
    if record.site is not site:
        record.site = site
    record.exc_info = exc_info
    record.context = current_context()
    if level_name is None:
        level_name = name_of_level(world, level)
    if record.levelname is not level_name:
        record.levelname = level_name
    if not stamp(world, record):
        return False
    if count == 2 and not record.immutable:
        # The single mapping is the arguments, see LogRecord.__init__.
        args = <object>arguments[1]
        if is_mapping(args) and args:
            record.args = args
    if extra is not None:
        add_extra(record, extra)
    if record.unfilled:
        track_if_needed(record)

    if queue is None:
        handle_in_python(logger, record)
    elif queue is SEVERAL:
        put_into_each(logger, logflume_instance_dict(logger), record)
    elif queue is not NOBODY:
        (<HandlerCore>queue).put_lean(record)
    return True


cdef int put_into_each(object logger, object attributes, RecordCore record) except -1:
    """As Logger.callHandlers, when the handlers are queue handlers."""
    cdef Py_ssize_t i
    cdef HandlerCore queue
    while True:
        handlers = logflume_get(attributes, "handlers", MISSING)
        if not PyList_CheckExact(handlers):  # replaced since queue_of() looked
            handlers = list(logger.handlers)
        i = 0
        while True:
            handler = logflume_list_item(handlers, i, MISSING)
            if handler is MISSING:
                break
            if isinstance(handler, HandlerCore) and (<HandlerCore>handler).takes_directly():
                queue = <HandlerCore>handler
                if record.levelno >= queue.level_value:
                    queue.put(record)
            elif record.levelno >= handler.level:
                handler.handle(record)
            i += 1
        if not logflume_get(attributes, "propagate", False):
            return 0
        logger = logflume_get(attributes, "parent", None)
        if logger is None:
            return 0
        attributes = logflume_instance_dict(logger)


# ---- the methods ----

cdef class LogMethod:
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

    # To everybody who looks it is the standard function.
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


logflume_enable_vectorcall(<PyTypeObject *><PyObject *>LogMethod, sizeof(PyObject))


cdef object call_level(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """debug(), info(), warning(), error(), critical(): self, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    if count >= 2 and accelerated:
        if attempt(<object>arguments[0], method.level, method.levelno, arguments + 1, count - 1, names, None):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_exception(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """exception(): error() with exc_info."""
    cdef LogMethod method = <LogMethod>called
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    if count >= 2 and accelerated and traits(Py_TYPE(<object>arguments[0])) & ERROR:
        if attempt(<object>arguments[0], method.level, method.levelno, arguments + 1, count - 1, names, True):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef object call_log(PyObject *called, PyObject **arguments, size_t flagged, PyObject *names):
    """log(): self, level, msg, *args."""
    cdef LogMethod method = <LogMethod>called
    cdef long long levelno
    cdef Py_ssize_t count = PyVectorcall_NARGS(flagged)
    if count >= 3 and accelerated and is_usual_level(<object>arguments[1]):
        levelno = <object>arguments[1]
        if attempt(<object>arguments[0], <object>arguments[1], levelno, arguments + 2, count - 2, names, None):
            return None
    return PyObject_Vectorcall(method.standard, arguments, count, names)


cdef bint is_usual_level(object level) except -1:
    return PyLong_CheckExact(level) and -1000000 < level < 1000000


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
    """Put compiled methods on logging.Logger wherever it has its own."""
    global accelerated
    prepare()
    for name, level in LEVELS.items():
        method = logging.Logger.__dict__.get(name)
        if is_standard(method, logging, f"Logger.{name}"):
            compiled = made.get(name)
            if compiled is None or (<LogMethod>compiled).standard is not method:
                compiled = made[name] = LogMethod(method, level)
                add_compiled(compiled)
            setattr(logging.Logger, name, compiled)
    accelerated = True
    return True


def restore():
    """Put the standard methods back wherever the compiled ones still are."""
    global accelerated
    accelerated = False
    for name in LEVELS:
        method = logging.Logger.__dict__.get(name)
        if isinstance(method, LogMethod):
            setattr(logging.Logger, name, (<LogMethod>method).standard)


def is_accelerated():
    """Tell whether the compiled methods are in use."""
    return accelerated


_probe = Probe()
logflume_try_watching(&logflume_loggers, _probe, _probe.__dict__, "level")
logflume_mind_only(frozenset(METHODS + READ))
_clock = getattr(time, CLOCK, None)
if is_builtin(_clock, CLOCK, ("time",)):
    logflume_trust_clock(_clock)
logflume_watch_fork()
