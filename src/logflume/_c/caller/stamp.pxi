"""What a record gets that does not come from the call itself: time, thread, process, task, and the level's name."""

cdef extern from "interpreter/clock.h":
    void trust_clock "logflume_trust_clock" (object clock) noexcept
    bint read_clock "logflume_read_clock" (object clock, long long *ns) noexcept
    double seconds "logflume_seconds" (long long ns) noexcept

cdef extern from "interpreter/fork.h":
    int watch_fork "logflume_watch_fork" () except -1
    long getpid "logflume_getpid" () noexcept

# The dictionary of threading's threads, and those of the threads.
cdef extern from "interpreter/dict_watch.h":
    """
    LOGFLUME_DEFINE_WATCH(logflume_threads)
    """
    Watch logflume_threads

cdef bint HAS_TASK_NAME = sys.version_info >= (3, 12)
cdef bint FROM_NS = isinstance(logging._startTime, int)


cdef bint stamp(LoggingState state, CapturedRecord record) except -1:
    """Store all but the level's name; False if the standard record must be made instead."""
    if not stamp_time(state, record) or not stamp_thread(state, record):
        return False
    if state.multiprocessing:
        record.processName = process_name(state)
    else:
        record.processName = None
    record.has_process = state.processes
    if state.processes:
        if state.getpid is None:
            record.process = <int>getpid()
        else:
            pid = state.getpid()
            if not PyLong_CheckExact(pid) or not 0 <= pid < 2 ** 31:
                return False
            record.process = pid
    if HAS_TASK_NAME and state.tasks:
        record.taskName = task_name(state)
    else:
        record.taskName = None
    return True


# ---- time ----

cdef bint stamp_time(LoggingState state, CapturedRecord record) except -1:
    """Store the time; False if the clock returned something else than the standard one does."""
    cdef object now
    cdef int overflow = 0
    if read_clock(state.clock, &record.created_ns) and record.created_ns >= 0:
        # a record made from nanoseconds divides them, whatever they are
        record.created = <double>record.created_ns / 1e9 if FROM_NS else seconds(record.created_ns)
        return True
    now = call0(state.clock)
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


# ---- thread ----

cdef bint stamp_thread(LoggingState state, CapturedRecord record) except -1:
    """Store identity and name of the thread; False if the identity is none."""
    if not state.threads:
        record.has_thread = False
        record.threadName = None
        return True
    record.has_thread = True
    if state.active_threads is None:
        ident = state.get_ident()
        if not PyLong_CheckExact(ident) or not 0 <= ident < 2 ** 63:
            return False
        record.thread = ident
        record.threadName = state.current_thread().name
        return True
    record.thread = PyThread_get_thread_ident()
    cdef NamedThread *known = named_thread(record.thread)
    if not (
        known.ident == record.thread
        and known.name is not NULL
        and is_dict_unchanged(&logflume_threads, &known.active, <PyObject *>state.active_threads)
        and is_object_unchanged(&logflume_threads, &known.thread)
    ):
        record.threadName = thread_name(state.active_threads, record.thread)
    elif <PyObject *>record.threadName is not known.name:
        record.threadName = <object>known.name
    return True


cdef inline NamedThread *named_thread(unsigned long ident) noexcept:
    """Return the place for a thread among those whose names are known."""
    return &caches().named_threads[(ident * 0x9E3779B97F4A7C15ULL) >> (64 - THREADS_BITS)]


cdef object thread_name(dict active_threads, unsigned long ident):
    """Look up the name of the running thread, and keep it until threading's table or the thread changes."""
    cdef NamedThread new, old
    cdef NamedThread *place
    cdef object thread, attributes, name
    cdef bint can_keep = watch_dict(&logflume_threads, &new.active, active_threads)
    thread = dict_get(active_threads, ident, None)
    if thread is None:  # not started by threading: this makes a stand-in
        return threading.current_thread().name
    attributes = instance_dict(thread)
    can_keep = can_keep and watch_object(&logflume_threads, &new.thread, thread, attributes)
    name = name_of(thread)
    if can_keep and PyUnicode_CheckExact(name):
        new.ident = ident
        new.thread.object = own(thread)
        new.name = own(name)
        place = named_thread(ident)
        old = place[0]
        place[0] = new
        release_thread(&old)
    return name


cdef object name_of(object owner):
    """Return the name of a thread or a process."""
    if unpatched_parts(Py_TYPE(owner)) & NAME:
        name = dict_get(instance_dict(owner), "_name", MISSING)
        if name is not MISSING:
            return name
    return owner.name


# ---- process ----

cdef object process_name(LoggingState state):
    cdef object process = state.process
    if process is MISSING:
        return "MainProcess"
    # Errors may occur while multiprocessing is being loaded, see LogRecord.__init__.
    try:
        if process is None:
            multiprocessing = dict_get(MODULES, "multiprocessing", None)
            if multiprocessing is None:
                return "MainProcess"
            process = multiprocessing.current_process()
        return name_of(process)
    except Exception:
        return "MainProcess"


# ---- task ----

cdef object running_loop = None  # _asyncio's _get_running_loop, once it is loaded
cdef object current_task = None  # _asyncio's current_task


cdef object task_name(LoggingState state):
    global running_loop, current_task
    cdef object find = state.current_task
    if find is MISSING:
        return None
    try:
        if find is None:
            asyncio = dict_get(MODULES, "asyncio", None)
            if asyncio is None:
                return None
            find = asyncio.current_task
        if current_task is None and is_builtin(find, "current_task", ("_asyncio",)):
            running_loop = MODULES["_asyncio"]._get_running_loop
            current_task = find  # last: a thread that finds it set needs the other one
        if find is current_task and call0(running_loop) is None:
            return None  # here current_task() raises RuntimeError
        task = find()
        return None if task is None else task.get_name()
    except Exception:
        return None


# ---- level ----

cdef object name_of_level(LoggingState state, object level):
    name = dict_get(state.level_names, level, None)
    return logging.getLevelName(level) if name is None else name


_clock = getattr(time, CLOCK, None)
if is_builtin(_clock, CLOCK, ("time",)):
    trust_clock(_clock)
watch_fork()
