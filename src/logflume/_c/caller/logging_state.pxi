"""The module globals that a log call depends on, read again only after one of them changed.

Other code may replace any of them at any time: a function of a module, the record factory, a flag.
"""

cdef enum:
    MOST_WATCHED = 12

cdef str CLOCK = "time_ns" if isinstance(logging._startTime, int) else "time"


@cython.auto_pickle(False)
cdef class LoggingState:
    """The globals of logging, and of the modules that it asks, as one log call finds them."""

    cdef WatchedDict watched[MOST_WATCHED]  # what was read for this, each before it was read
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

    cdef bint watch(self, object dictionary) except -1:
        """Have this state be out of date when `dictionary` changes; False if that cannot be told."""
        if self.watched_count == MOST_WATCHED or not isinstance(dictionary, dict):
            return False
        if not watch_dict(&logflume_globals, &self.watched[self.watched_count], dictionary):
            return False
        if self.watched_dicts is None:
            self.watched_dicts = []
        self.watched_dicts.append(dictionary)
        self.watched_count += 1
        return True


cdef LoggingState current_state():
    """Return the state of this moment."""
    cdef Caches *kept = caches()
    cdef PyObject *old = kept.state
    cdef LoggingState state
    if old is not NULL and are_unchanged(
        &logflume_globals, (<LoggingState>old).watched, (<LoggingState>old).watched_count
    ):
        return <LoggingState>old
    state = read_state()
    old = kept.state
    incref(<PyObject *>state)
    kept.state = <PyObject *>state
    xdecref(old)
    return state


# ---- reading ----

def _unpatched_function(module, name):
    function = getattr(module, name)
    return function if is_unpatched(function, module, name) else object()


cdef dict LOGGING = logging.__dict__
cdef dict EXPECTED = {
    "time": time,
    "os": os,
    "threading": threading,
    "sys": sys,
    "LogRecord": logging.LogRecord,
    "_srcfile": logging._srcfile,
    "_startTime": logging._startTime,
    "currentframe": logging.currentframe,
    "collections": logging.collections,
    "getLevelName": _unpatched_function(logging, "getLevelName"),
    "_is_internal_frame": _unpatched_function(logging, "_is_internal_frame"),
    "DEBUG": 10,
    "INFO": 20,
    "WARNING": 30,
    "ERROR": 40,
    "CRITICAL": 50,
}
cdef dict READ = {
    logging: (
        *EXPECTED, "_levelToName", "_logRecordFactory",
        "logThreads", "logMultiprocessing", "logProcesses", "logAsyncioTasks",
    ),
    time: (CLOCK,),
    threading: ("current_thread", "get_ident", "_active"),
    os: ("getpid",),
}


cdef LoggingState read_state():
    cdef LoggingState now = LoggingState()
    cdef Caches *kept = caches()
    if not all([now.watch(module.__dict__) for module in READ]):
        now.watched_count = 0  # never up to date
    for name, value in EXPECTED.items():
        found = LOGGING.get(name)
        if found is not value and not (type(value) is int and type(found) is int and value == found):
            return now
    if type(LOGGING.get("_levelToName")) is not dict:
        return now
    now.level_names = LOGGING["_levelToName"]
    now.clock = time.__dict__.get(CLOCK)
    if now.clock is None:
        return now
    now.standard_factory = LOGGING.get("_logRecordFactory") is logging.LogRecord
    now.threads = bool(logging.logThreads)
    now.multiprocessing = bool(logging.logMultiprocessing)
    now.processes = bool(logging.logProcesses) and hasattr(os, "getpid")
    now.tasks = bool(getattr(logging, "logAsyncioTasks", False))
    if (
        not is_unpatched(threading.current_thread, threading, "current_thread")
        or not is_builtin(threading.get_ident, "get_ident", ("_thread",))
        or type(threading._active) is not dict
    ):
        now.current_thread = threading.current_thread
        now.get_ident = threading.get_ident
    else:
        now.active_threads = threading._active
    if now.processes and not is_builtin(os.getpid, "getpid", ("posix", "nt")):
        now.getpid = os.getpid
    if now.watched_count > 0 and now.watch(now.level_names) and now.watch(sys.modules):
        kept.states += 1
        now.number = kept.states
        now.process = current_process(now)
        now.current_task = current_task_function(now)
    now.is_unpatched = True
    return now


cdef object module_globals(LoggingState now, name):
    """Return the dictionary of a module, watched, MISSING if it is not loaded, None if it cannot be watched."""
    module = sys.modules.get(name)
    if module is None:
        return MISSING
    if type(module) is types.ModuleType and now.watch(module.__dict__):
        return module.__dict__
    return None


cdef object current_process(LoggingState now):
    package = module_globals(now, "multiprocessing")
    module = module_globals(now, "multiprocessing.process")
    if package is MISSING:
        return MISSING
    if type(package) is not dict or type(module) is not dict:
        return None
    find = package.get("current_process", MISSING)
    if find is MISSING or module.get("_current_process") is None:
        return MISSING  # it is being loaded
    if not is_unpatched(find, sys.modules["multiprocessing.process"], "current_process"):
        return None
    return module["_current_process"]


cdef object current_task_function(LoggingState now):
    package = module_globals(now, "asyncio")
    if type(package) is not dict:
        return package
    return package.get("current_task", MISSING)
