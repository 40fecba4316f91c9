"""Where a log call was made: file, line and function, found once for each place in the code."""

cdef extern from "interpreter/frame.h":
    PyObject *running_code "logflume_running_code" (int *lasti) noexcept

cdef dict file_names = {}  # path -> (filename, module)


cdef CallSite find_call_site(long stacklevel):
    """Return where the caller of the running C method is; None if only the standard method can tell."""
    cdef int lasti = 0
    cdef PyObject *code = running_code(&lasti)
    cdef CallSite site
    if code is NULL:
        return None
    decref(code)  # the frame, which is running, has its own reference
    site = call_site_at(code, lasti, None)
    if site is not None and (site.internal or stacklevel > 1):
        return outer_call_site(stacklevel)
    return site


cdef CallSite outer_call_site(long stacklevel):
    """Do what Logger.findCaller does, from the running frame, which stands for that of debug(), info() ..."""
    cdef PyObject *running = <PyObject *>PyEval_GetFrame()
    if running is NULL:
        return None
    cdef object frame = <object>running
    cdef CallSite site
    while True:
        code = frame.f_code
        site = call_site_at(<PyObject *>code, frame.f_lasti, frame)
        if site is None:
            return None
        if not site.internal:
            stacklevel -= 1
        if stacklevel <= 0:
            return site
        frame = frame.f_back
        if frame is None:
            return site


cdef CallSite call_site_at(PyObject *code, int lasti, object frame):
    """Return where `frame` is, or the running one if that is None."""
    cdef CachedSite *cached = &caches().sites[((<size_t>code >> 4) ^ (<size_t>lasti * 31)) % SITES]
    cdef PyObject *old_code
    cdef PyObject *old_site
    cdef CallSite site
    if cached.code is code and cached.lasti == lasti:
        return <CallSite>cached.site
    site = make_call_site(<object>code, frame)
    if site is None or not site.lasting:
        return site
    old_code = cached.code
    old_site = cached.site
    incref(code)
    incref(<PyObject *>site)
    cached.code = code
    cached.site = <PyObject *>site
    cached.lasti = lasti
    # Last, with all in order: deallocation can run arbitrary code, which may log.
    xdecref(old_code)
    xdecref(old_site)
    return site


cdef CallSite make_call_site(object code, object frame):
    cdef PyObject *running
    cdef CallSite site = CallSite()
    cdef object path = code.co_filename
    # 3.12 has code of its own between a C function and the Python frames that it runs.
    if not PyUnicode_CheckExact(path) or path == "<shim>":
        return None
    if frame is None:
        running = <PyObject *>PyEval_GetFrame()
        if running is NULL:
            return None
        frame = <object>running
    set_path(site, path)
    site.funcName = code.co_name
    site.lineno = frame.f_lineno
    # The frames of a compiler such as Nuitka keep their line themselves: no instruction of their code tells it.
    site.lasting = type(frame) is types.FrameType
    # As logging._is_internal_frame.
    normal = os.path.normcase(path)
    site.internal = normal == logging._srcfile or ("importlib" in normal and "_bootstrap" in normal)
    return site


cdef int set_path(CallSite site, object path) except -1:
    names = file_names.get(path)
    if names is None:
        filename = os.path.basename(path)
        names = filename, os.path.splitext(filename)[0]
        if len(file_names) >= SITES:
            file_names.clear()
        file_names[path] = names
    site.pathname = path
    site.filename, site.module = names
    return 0


# ---- loggers with a findCaller() of their own ----

# It may count the frames above its own, or look at the files and modules that they are of: these stand for those of
# info() and _log(), which call it in the standard library.
cdef dict FRAMES = {}
exec("""
def method(log, logger, stack_info, stacklevel):
    return log(logger, stack_info, stacklevel)

def log(logger, stack_info, stacklevel):
    return logger.findCaller(stack_info, stacklevel)
""", FRAMES)


def frame_of(standard, name="method"):
    """Return a function whose frame looks like that of the `standard` function."""
    code = standard.__code__
    own = FRAMES[name].__code__.replace(
        co_filename=code.co_filename, co_name=code.co_name, co_qualname=code.co_qualname,
        co_firstlineno=code.co_firstlineno,
    )
    return types.FunctionType(own, logging.__dict__, code.co_name)


cdef object log_frame = frame_of(logging.Logger._log, "log")


cdef tuple ask_for_caller(object frame, object logger, long stacklevel):
    """Return what the findCaller() of `logger` tells to Logger._log(), called from `frame`, as frame_of() made it."""
    try:
        path, line, function, stack = frame(log_frame, logger, False, stacklevel)
    except ValueError:
        return "(unknown file)", 0, "(unknown function)", None
    return path, line, function, stack


cdef CallSite told_call_site(tuple told):
    """Return the site that findCaller() told, None if that is not of the usual types, or a stack came with it."""
    cdef CallSite site
    path, line, function, stack = told
    if stack is not None or not (
        PyUnicode_CheckExact(path) and PyLong_CheckExact(line) and PyUnicode_CheckExact(function)
    ):
        return None
    site = CallSite()
    set_path(site, path)
    site.lineno = line
    site.funcName = function
    return site
