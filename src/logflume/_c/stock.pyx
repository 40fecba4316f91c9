"""Tells whether the standard library is as it was made, at the price of a few compares.

Others may replace any of it at any time: a method of a class, a function of a module, a factory. Classes
are looked at again when their version tag changed, module globals when their dictionary did.
"""

from cpython.object cimport PyObject, PyTypeObject
from libc.string cimport memset

import logging
import os
import sys
import threading
import time
import types
from _abc import get_cache_token
from collections.abc import Mapping

cdef extern from "typeversion.h":
    unsigned int logflume_type_version(PyTypeObject *type)

cdef extern from "pycompat.h":
    enum:
        LOGFLUME_GIL
    int logflume_watch(int index, object dictionary)
    object logflume_call0(object callable)
    object logflume_get(object dictionary, object key, object missing)

cdef extern from "Python.h":
    PyTypeObject *Py_TYPE(object)
    bint logflume_watch_quiet()
    void logflume_watch_seen()

CLOCK = "time_ns" if isinstance(logging._startTime, int) else "time"


def is_standard(function, module, qualname):
    """Tell whether `function` is the one that the source of `module` defines as `qualname`."""
    return (
        type(function) is types.FunctionType
        and function.__globals__ is module.__dict__
        and function.__code__.co_qualname == qualname
    )


def is_builtin(function, name, *modules):
    """Tell whether `function` is the built-in of that name from one of the modules."""
    return (
        type(function) is types.BuiltinFunctionType
        and function.__name__ == name
        and function.__module__ in modules
    )


def _static(cls, name):
    """Return what `name` is in the class or the first of its bases that has it."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


# ---- classes ----

# One word for each of the classes seen last, with its version tag in the upper half. Version tags are not
# used again, so the tag alone tells which class it was.
cdef enum:
    SLOTS = 64
cdef unsigned long long seen[SLOTS]

cdef tuple LOGGER_ATTRIBUTES = (
    "name", "level", "parent", "propagate", "handlers", "disabled", "_cache", "filters",
    "__getattribute__", "__getattr__", "__bool__", "__len__", "__dict__",
)
cdef dict RECORD_CLASS = dict(logging.LogRecord.__dict__)
# getMessage() is looked at when it is called, and of the special methods only these make a difference.
cdef set RECORD_METHODS = {
    "__init__", "__new__", "__del__", "__getattribute__", "__getattr__", "__setattr__", "__dict__", "__class__",
}
cdef set compiled_methods = set()


def add_compiled(method):
    """Count `method` as good as the standard one."""
    compiled_methods.add(method)


cdef unsigned int traits(PyTypeObject *cls) except? 0:
    cdef unsigned int version = logflume_type_version(cls)
    cdef unsigned long long word = seen[version % SLOTS]
    if version != 0 and word >> 32 == version:
        return <unsigned int>word
    return look_at_class(<object>cls)


cdef unsigned int look_at_class(object cls) except? 0:
    # Looking anything up gives a class without a version tag a new one, if it can have one.
    getattr(cls, "__mro__", None)
    getattr(cls, "name", None)
    cdef PyTypeObject *pointer = <PyTypeObject *><PyObject *>cls
    cdef unsigned int version = logflume_type_version(pointer)
    cdef unsigned int found = 0
    if issubclass(cls, logging.Logger):
        found = look_at_logger(cls)
    elif cls is logging.LogRecord:
        found = RECORD * record_class_is_standard()
    elif issubclass(cls, threading.Thread):
        found = NAME * (is_standard_property(cls, threading, "Thread") and not has_own_reading(cls))
    elif (process := sys.modules.get("multiprocessing.process")) and issubclass(cls, process.BaseProcess):
        found = NAME * (is_standard_property(cls, process, "BaseProcess") and not has_own_reading(cls))
    if version != 0 and version == logflume_type_version(pointer):
        seen[version % SLOTS] = <unsigned long long>version << 32 | found
    return found


cdef bint is_standard_property(cls, module, owner):
    name = _static(cls, "name")
    return type(name) is property and is_standard(name.fget, module, f"{owner}.name")


cdef bint has_own_reading(cls):
    return _static(cls, "__getattribute__") is not object.__getattribute__ or _static(cls, "_name") is not None


cdef unsigned int look_at_logger(cls):
    cdef unsigned int found = 0

    def standard(name, owner="Logger"):
        return is_standard(_static(cls, name), logging, f"{owner}.{name}")

    if all(_static(cls, name) is _static(logging.Filterer, name) for name in LOGGER_ATTRIBUTES
           if name != "__dict__") and cls.__dictoffset__:
        found |= READS_PLAINLY
    if standard("isEnabledFor"):
        found |= IS_ENABLED
    if standard("_log") and standard("findCaller"):
        found |= LOG
    if standard("makeRecord"):
        found |= MAKE_RECORD
    if standard("handle") and standard("callHandlers") and standard("filter", "Filterer"):
        found |= HANDLE
    if standard("error") or _static(cls, "error") in compiled_methods:
        found |= ERROR
    return found


cdef bint record_class_is_standard():
    now = logging.LogRecord.__dict__
    names = {name for name in RECORD_CLASS.keys() | now.keys() if not name.startswith("__")} | RECORD_METHODS
    return (
        all(now.get(name) is RECORD_CLASS.get(name) for name in names - {"getMessage"})
        and is_standard(now["__init__"], logging, "LogRecord.__init__")
    )


# Version tags of classes that are no mappings, valid as long as no class was registered with any ABC.
cdef unsigned int no_mappings[SLOTS]
cdef unsigned long long registrations = 0


cdef bint is_mapping(object value) except -1:
    """isinstance(value, collections.abc.Mapping), which costs as much as the rest of a record's data."""
    global registrations
    cdef PyTypeObject *cls = Py_TYPE(value)
    cdef unsigned int version = logflume_type_version(cls)
    cdef unsigned long long now = logflume_call0(get_cache_token)
    if now != registrations:
        memset(no_mappings, 0, sizeof(no_mappings))
        registrations = now
    if version != 0 and no_mappings[version % SLOTS] == version:
        return False
    if isinstance(value, Mapping):
        return True
    version = logflume_type_version(cls)
    # isinstance() asks the value for its class, too.
    if (
        _static(type(value), "__getattribute__") is object.__getattribute__
        and _static(type(value), "__class__") is object.__dict__["__class__"]
    ):
        no_mappings[version % SLOTS] = version
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


cdef World look():
    """Return the World of this moment."""
    global world
    if world is not None and logflume_watch_quiet():
        return world
    if LOGFLUME_GIL:
        if world is None:
            logflume_watch(0, logging.__dict__)
            logflume_watch(1, time.__dict__)
            logflume_watch(2, threading.__dict__)
            logflume_watch(3, os.__dict__)
        # Before the look: what changes during it is looked at by the next call.
        logflume_watch_seen()
        world = look_at_globals()
        return world
    # Without the GIL the first World stays the only one, so that no thread reads one that goes away.
    if world is None:
        baseline.extend(
            (module.__dict__, name, module.__dict__.get(name)) for module, names in READ.items() for name in names
        )
        world = look_at_globals()
    for dictionary, name, value in baseline:
        if logflume_get(dictionary, name, None) is not value:
            return NOT_PLAIN
    return world


cdef World NOT_PLAIN = World()
cdef list baseline = []
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
    cdef World now = World()
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
        or not is_builtin(threading.get_ident, "get_ident", "_thread")
        or type(threading._active) is not dict
    ):
        now.current_thread = threading.current_thread
        now.get_ident = threading.get_ident
    else:
        now.active_threads = threading._active
    if now.processes and not is_builtin(os.getpid, "getpid", "posix", "nt"):
        now.getpid = os.getpid
    now.plain = True
    return now
