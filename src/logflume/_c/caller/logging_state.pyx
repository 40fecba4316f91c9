"""Tells whether the standard library is as it was made, at the price of a few compares.

Others may replace any of it at any time: a method of a class, a function of a module, a factory. Classes
are looked at again when their version tag changed, module globals when their dictionary did.
"""

cimport cython
from cpython.object cimport PyObject, PyTypeObject

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object logging, os, sys, threading, time, types, get_cache_token, Mapping
import logging
import os
import sys
import threading
import time
import types
from _abc import get_cache_token
from collections.abc import Mapping

cdef extern from "interpreter/type_version.h":
    unsigned int logflume_type_version(PyTypeObject *type)
    unsigned int logflume_renew_version(PyTypeObject *type)

cdef extern from "interpreter/compat.h":
    enum:
        LOGFLUME_GIL
    bint logflume_watch(object dictionary)
    object logflume_call0(object callable)
    object logflume_get(object dictionary, object key, object missing)
    bint logflume_is_state(unsigned long long *state)
    void logflume_read_state(unsigned long long *state)
    unsigned long long logflume_load(unsigned long long *word)
    void logflume_store(unsigned long long *word, unsigned long long value)

cdef extern from "Python.h":
    PyTypeObject *Py_TYPE(object)

CLOCK = "time_ns" if isinstance(logging._startTime, int) else "time"


cpdef bint is_standard(object function, object module, object qualname) except -1:
    """Tell whether `function` is the one that the source of `module` defines as `qualname`."""
    return (
        type(function) is types.FunctionType
        and function.__globals__ is module.__dict__
        and function.__code__.co_qualname == qualname
    )


cpdef bint is_builtin(object function, object name, tuple modules) except -1:
    """Tell whether `function` is the built-in of that name from one of the modules."""
    return (
        type(function) is types.BuiltinFunctionType
        and function.__name__ == name
        and function.__module__ in modules
    )


cdef object _static(object cls, object name):
    """Return what `name` is in the class or the first of its bases that has it."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


# ---- classes ----

# One word for each of the classes seen last, with its version tag in the upper half. Version tags are not
# used again, so the tag alone tells which class it was.
cdef enum:
    SLOTS = 256
    WAYS = 4
cdef unsigned long long seen[SLOTS]  # read and written in one go, see logflume_load()

cdef tuple LOGGER_ATTRIBUTES = (
    "name", "level", "parent", "propagate", "handlers", "disabled", "_cache", "filters",
    "__getattribute__", "__getattr__", "__bool__", "__len__", "__dict__",
)
cdef dict FILTERER_HAS = {name: _static(logging.Filterer, name) for name in LOGGER_ATTRIBUTES}
cdef dict RECORD_CLASS = dict(logging.LogRecord.__dict__)
# getMessage() is looked at when it is called, and of the special methods only these make a difference.
cdef set RECORD_METHODS = {
    "__init__", "__new__", "__del__", "__getattribute__", "__getattr__", "__setattr__", "__dict__", "__class__",
}
cdef set compiled_methods = set()
# In 3.13.4 and 3.13.5 Logger.handle() ignores what its own thread logs meanwhile.
cdef bint IGNORES_NESTED = hasattr(logging.Logger, "_is_disabled")


def add_compiled(method):
    """Count `method` as good as the standard one."""
    compiled_methods.add(method)


cdef unsigned int traits(PyTypeObject *cls) except? 0:
    cdef unsigned int version = logflume_type_version(cls)
    cdef unsigned long long word
    cdef int way
    for way in range(WAYS):
        word = logflume_load(&seen[(version + way) % SLOTS])
        if word >> 32 == version and version != 0:
            return <unsigned int>word
    return look_at_class(<object>cls)


cdef int replaced = 0


cdef void remember(unsigned int version, unsigned int found) noexcept:
    """Keep what was found in one of the places where traits() looks; classes that share them do not oust each other."""
    global replaced
    cdef int way
    for way in range(WAYS):
        if logflume_load(&seen[(version + way) % SLOTS]) == 0:
            break
    else:
        replaced = (replaced + 1) % WAYS
        way = replaced
    logflume_store(&seen[(version + way) % SLOTS], <unsigned long long>version << 32 | found)


cdef unsigned int look_at_class(object cls) except? 0:
    cdef PyTypeObject *pointer = <PyTypeObject *><PyObject *>cls
    cdef unsigned int version = logflume_renew_version(pointer)
    cdef unsigned int found = 0
    if version == 0:
        return 0  # what it has cannot be remembered
    if issubclass(cls, logging.Logger):
        found = look_at_logger(cls)
    elif cls is logging.LogRecord:
        found = RECORD * record_class_is_standard()
    elif issubclass(cls, threading.Thread):
        found = NAME * (is_standard_property(cls, threading, "Thread") and not has_own_reading(cls))
    elif (
        # It may be half loaded.
        BaseProcess := getattr(process := sys.modules.get("multiprocessing.process"), "BaseProcess", None)
    ) and issubclass(cls, BaseProcess):
        found = NAME * (is_standard_property(cls, process, "BaseProcess") and not has_own_reading(cls))
    if version == logflume_type_version(pointer):
        remember(version, found)
    return found


cdef bint is_standard_property(cls, module, owner) except -1:
    name = _static(cls, "name")
    return type(name) is property and is_standard(name.fget, module, f"{owner}.name")


cdef bint has_own_reading(cls) except -1:
    return _static(cls, "__getattribute__") is not object.__getattribute__ or _static(cls, "_name") is not None


cdef unsigned int look_at_logger(cls) except? 0:
    cdef unsigned int found = READS_PLAINLY if cls.__dictoffset__ else 0
    for name in LOGGER_ATTRIBUTES:
        if name != "__dict__" and _static(cls, name) is not FILTERER_HAS[name]:
            found = 0
    if has_standard(cls, "isEnabledFor"):
        found |= IS_ENABLED
    if has_standard(cls, "_log") and has_standard(cls, "findCaller"):
        found |= LOG
    if has_standard(cls, "makeRecord"):
        found |= MAKE_RECORD
    if (
        not IGNORES_NESTED
        and has_standard(cls, "handle")
        and has_standard(cls, "callHandlers")
        and is_standard(_static(cls, "filter"), logging, "Filterer.filter")
    ):
        found |= HANDLE
    if has_standard(cls, "error") or _static(cls, "error") in compiled_methods:
        found |= ERROR
    return found


cdef bint has_standard(cls, name) except -1:
    return is_standard(_static(cls, name), logging, "Logger." + name)


cdef bint record_class_is_standard() except -1:
    now = logging.LogRecord.__dict__
    names = {name for name in RECORD_CLASS.keys() | now.keys() if not name.startswith("__")} | RECORD_METHODS
    return (
        all(now.get(name) is RECORD_CLASS.get(name) for name in names - {"getMessage"})
        and is_standard(now["__init__"], logging, "LogRecord.__init__")
    )


# Classes that are no mappings: the version tag in the upper half of a word, and in the lower how often any class
# was registered with any ABC, because that can make one a mapping.
cdef unsigned long long no_mappings[SLOTS]


cdef bint is_mapping(object value) except -1:
    """isinstance(value, collections.abc.Mapping), which costs as much as the rest of a record's data."""
    cdef PyTypeObject *cls = Py_TYPE(value)
    cdef unsigned int version = logflume_type_version(cls)
    cdef unsigned long long registered = logflume_call0(get_cache_token)
    cdef unsigned long long word = <unsigned long long>version << 32 | (registered & 0xFFFFFFFF)
    if version != 0 and logflume_load(&no_mappings[version % SLOTS]) == word:
        return False
    if isinstance(value, Mapping):
        return True
    # isinstance() asks the value for its class, too. And it may run anybody's code, which may change the class.
    if (
        version != 0
        and _static(type(value), "__getattribute__") is object.__getattribute__
        and _static(type(value), "__class__") is object.__dict__["__class__"]
        and version == logflume_type_version(Py_TYPE(value))
        and registered == <unsigned long long>logflume_call0(get_cache_token)
    ):
        logflume_store(&no_mappings[version % SLOTS], word)
    return False


# ---- module globals ----

def _standard_function(module, name):
    function = getattr(module, name)
    return function if is_standard(function, module, name) else object()


cdef dict LOGGING = logging.__dict__
cdef dict expected = {
    "time": time,
    "os": os,
    "threading": threading,
    "sys": sys,
    "LogRecord": logging.LogRecord,
    "_srcfile": logging._srcfile,
    "_startTime": logging._startTime,
    "currentframe": logging.currentframe,
    "collections": logging.collections,
    "getLevelName": _standard_function(logging, "getLevelName"),
    "_is_internal_frame": _standard_function(logging, "_is_internal_frame"),
    "DEBUG": 10,
    "INFO": 20,
    "WARNING": 30,
    "ERROR": 40,
    "CRITICAL": 50,
}
cdef World world = None


def prepare():
    """Begin to watch the globals. With the GIL it could wait for the first call."""
    global world
    with preparing:
        if world is None:
            for module in READ:
                logflume_watch(module.__dict__)
            baseline.extend(
                (module.__dict__, name, module.__dict__.get(name)) for module, names in READ.items() for name in names
            )
            world = look_at_globals()


cdef World look():
    """Return the World of this moment."""
    global world
    cdef World now = world
    cdef unsigned long long state
    if now is None:
        return NOT_PLAIN
    if logflume_is_state(now.state):
        return now
    if LOGFLUME_GIL:
        now = look_at_globals()
        world = now
        return now
    # Without the GIL the first World stays the only one, so that no thread reads one that goes away.
    logflume_read_state(&state)
    for dictionary, name, value in baseline:
        # The state changes before the dictionary does, with its lock held: wait for whoever is between the two.
        with cython.critical_section(dictionary):
            have = logflume_get(dictionary, name, None)
        if have is not value:
            return NOT_PLAIN
    logflume_store(now.state, state)
    return now


cdef World NOT_PLAIN = World()
cdef unsigned long long looks = 0
cdef list baseline = []
cdef object preparing = threading.Lock()
cdef dict READ = {
    logging: (
        *expected, "_levelToName", "_logRecordFactory",
        "logThreads", "logMultiprocessing", "logProcesses", "logAsyncioTasks",
    ),
    time: (CLOCK,),
    threading: ("current_thread", "get_ident", "_active"),
    os: ("getpid",),
}


cdef World look_at_globals():
    global looks
    cdef World now = World()
    logflume_read_state(now.state)  # before the look: what changes during it is looked at by the next call
    for name, value in expected.items():
        have = LOGGING.get(name)
        if have is not value and not (type(value) is int and type(have) is int and value == have):
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
        not is_standard(threading.current_thread, threading, "current_thread")
        or not is_builtin(threading.get_ident, "get_ident", ("_thread",))
        or type(threading._active) is not dict
    ):
        now.current_thread = threading.current_thread
        now.get_ident = threading.get_ident
    else:
        now.active_threads = threading._active
    if now.processes and not is_builtin(os.getpid, "getpid", ("posix", "nt")):
        now.getpid = os.getpid
    # Without the GIL this look is the only one, and these are loaded later.
    if LOGFLUME_GIL and logflume_watch(now.level_names) and logflume_watch(sys.modules):
        looks += 1
        now.number = looks
        now.process = look_at_process()
        now.current_task = look_at_task()
    now.plain = True
    return now


cdef object MISSING = object()


cdef object module_globals(name):
    """Return the watched dictionary of a module, MISSING if it is not loaded, None if it cannot be watched."""
    module = sys.modules.get(name)
    if module is None:
        return MISSING
    if type(module) is types.ModuleType and logflume_watch(module.__dict__):
        return module.__dict__
    return None


cdef object look_at_process():
    package = module_globals("multiprocessing")
    module = module_globals("multiprocessing.process")
    if package is MISSING:
        return MISSING
    if type(package) is not dict or type(module) is not dict:
        return None
    find = package.get("current_process", MISSING)
    if find is MISSING or module.get("_current_process") is None:
        return MISSING  # it is being loaded
    if not is_standard(find, sys.modules["multiprocessing.process"], "current_process"):
        return None
    return module["_current_process"]


cdef object look_at_task():
    package = module_globals("asyncio")
    if type(package) is not dict:
        return package
    return package.get("current_task", MISSING)


class Probe:
    """An object that has its attributes where loggers and handlers have theirs."""

    def __init__(self):
        self.level = 0
