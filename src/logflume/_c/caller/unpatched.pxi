"""Tells which parts of a class are as the standard library made them, for the price of a compare.

Other code may replace any part at any time. A class is looked at again when its version changed.
"""

cdef enum:
    # What a class has unpatched, see unpatched_parts().
    ATTRIBUTES = 1  # of loggers: they are in their dictionaries and nowhere else
    IS_ENABLED = 2  # Logger.isEnabledFor
    LOG = 4  # Logger._log
    MAKE_RECORD = 8  # Logger.makeRecord
    HANDLE = 16  # Logger.handle, Logger.filter and Logger.callHandlers
    ERROR = 32  # Logger.error
    RECORD = 64  # LogRecord: all but its getMessage()
    NAME = 128  # threading.Thread.name, or multiprocessing's Process.name
    FIND_CALLER = 256  # Logger.findCaller

# The dictionaries of classes without a version, and those that logging_state.pxi reads: CPython has few watchers.
cdef extern from "interpreter/dict_watch.h":
    """
    LOGFLUME_DEFINE_WATCH(logflume_globals)
    """
    Watch logflume_globals

# ---- functions ----

cpdef bint is_unpatched(object function, object module, object qualname) except -1:
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


# ---- classes ----

# One word for each of the classes asked for last, with its version in the upper half. Versions are not
# used again, so the version alone tells which class it was. A word has one of several places, and is read and
# written by load() and store().
cdef enum:
    CLASSES = 256
    PLACES = 4
cdef unsigned long long known_parts[CLASSES]
cdef int evictions = 0


cdef unsigned int unpatched_parts(PyTypeObject *cls) except? 0:
    """Return what `cls` has unpatched, as flags; 0 also if that cannot be kept, so that it would take too long."""
    cdef unsigned int version = type_version(cls)
    cdef unsigned long long word
    cdef int place
    for place in range(PLACES):
        word = load(&known_parts[(version + place) % CLASSES])
        if word >> 32 == version and version != 0:
            return <unsigned int>word
    return find_parts(<object>cls)


cdef void keep_parts(unsigned int version, unsigned int parts) noexcept:
    """Keep them in the first free place, or in each in turn, so that classes do not evict each other."""
    global evictions
    cdef int place
    for place in range(PLACES):
        if load(&known_parts[(version + place) % CLASSES]) == 0:
            break
    else:
        evictions = (evictions + 1) % PLACES
        place = evictions
    store(&known_parts[(version + place) % CLASSES], <unsigned long long>version << 32 | parts)


cdef unsigned int find_parts(object cls) except? 0:
    cdef PyTypeObject *pointer = <PyTypeObject *><PyObject *>cls
    cdef unsigned int version = assign_type_version(pointer)
    cdef unsigned int parts
    if version == 0:
        return parts_without_version(cls)
    parts = parts_of_class(cls)
    if version == type_version(pointer):
        keep_parts(version, parts)
    return parts


# What is known of classes that get no version any more, after a thousand changes: by the id() of the class, its mro,
# which keeps it alive, and its parts. All of it is out of date when one of the classes or their bases changes.
cdef dict without_version = {}
cdef unsigned long long without_version_at = 0


cdef unsigned int parts_without_version(object cls) except? 0:
    global without_version_at
    cdef unsigned long long now = version_now(&logflume_globals, without_version)
    cdef WatchedDict watched
    cdef unsigned int parts
    if not HAS_GIL:
        return 0
    if without_version_at != now or len(without_version) > 16:
        without_version.clear()
        without_version_at = now
    known = without_version.get(id(cls))
    if known is not None and known[0] is cls.__mro__:
        return known[1]
    for base in cls.__mro__:
        attributes = class_dict(base, None)
        if attributes is not None and not watch_dict(&logflume_globals, &watched, attributes):
            return 0
    mro = cls.__mro__
    parts = parts_of_class(cls)
    if version_now(&logflume_globals, without_version) == now:
        without_version[id(cls)] = mro, parts
    return parts


cdef unsigned int parts_of_class(object cls) except? 0:
    cdef unsigned int parts = 0
    if issubclass(cls, logging.Logger):
        parts = parts_of_logger(cls)
    elif cls is logging.LogRecord:
        parts = RECORD * is_record_class_unpatched()
    elif issubclass(cls, threading.Thread):
        parts = NAME * is_name_unpatched(cls, threading, "Thread")
    elif (
        # It may be half loaded.
        BaseProcess := getattr(process := sys.modules.get("multiprocessing.process"), "BaseProcess", None)
    ) and issubclass(cls, BaseProcess):
        parts = NAME * is_name_unpatched(cls, process, "BaseProcess")
    return parts


cdef object static(object cls, object name):
    """Return what `name` is in the class or the first of its bases that has it, as it is there."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


cdef bint is_name_unpatched(cls, module, owner) except -1:
    """Tell whether `cls` has the property `name` of `owner`, which returns the attribute `_name` of the instance."""
    name = static(cls, "name")
    return (
        type(name) is property
        and is_unpatched(name.fget, module, f"{owner}.name")
        and static(cls, "__getattribute__") is object.__getattribute__
        and static(cls, "_name") is None
    )


cdef tuple LOGGER_ATTRIBUTES = (
    "name", "level", "parent", "propagate", "handlers", "disabled", "_cache", "filters",
    "__getattribute__", "__getattr__", "__bool__", "__len__",
)
cdef dict FILTERER_HAS = {name: static(logging.Filterer, name) for name in LOGGER_ATTRIBUTES}
# In 3.13.4 and 3.13.5 a logger ignores what its own thread logs with it in Logger.handle().
cdef bint IGNORES_NESTED = hasattr(logging.Logger, "_is_disabled")
cdef set compiled_methods = set()


def count_as_unpatched(method):
    """Count `method`, which stands for a standard one, as that."""
    compiled_methods.add(method)


cdef unsigned int parts_of_logger(cls) except? 0:
    cdef unsigned int parts = ATTRIBUTES if cls.__dictoffset__ else 0
    for name in LOGGER_ATTRIBUTES:
        if static(cls, name) is not FILTERER_HAS[name]:
            parts = 0
    if has_standard(cls, "isEnabledFor"):
        parts |= IS_ENABLED
    if has_standard(cls, "_log"):
        parts |= LOG
    if has_standard(cls, "findCaller"):
        parts |= FIND_CALLER
    if has_standard(cls, "makeRecord"):
        parts |= MAKE_RECORD
    if (
        (not IGNORES_NESTED or has_standard(cls, "_is_disabled"))
        and has_standard(cls, "handle")
        and has_standard(cls, "callHandlers")
        and is_unpatched(static(cls, "filter"), logging, "Filterer.filter")
    ):
        parts |= HANDLE
    if has_standard(cls, "error") or static(cls, "error") in compiled_methods:
        parts |= ERROR
    return parts


cdef bint has_standard(cls, name) except -1:
    return is_unpatched(static(cls, name), logging, "Logger." + name)


cdef dict RECORD_CLASS = dict(logging.LogRecord.__dict__)
# getMessage() is looked at when it is called, and of the special methods only these make a difference.
cdef set RECORD_METHODS = {
    "__init__", "__new__", "__del__", "__getattribute__", "__getattr__", "__setattr__", "__dict__", "__class__",
}


cdef bint is_record_class_unpatched() except -1:
    now = logging.LogRecord.__dict__
    names = {name for name in RECORD_CLASS.keys() | now.keys() if not name.startswith("__")} | RECORD_METHODS
    return (
        all([now.get(name) is RECORD_CLASS.get(name) for name in names - {"getMessage"}])
        and is_unpatched(now["__init__"], logging, "LogRecord.__init__")
    )


# ---- arguments ----

# Classes that are no mappings: the version in the upper half of a word, and in the lower how often any class
# was registered with any ABC, because that can make one a mapping.
cdef unsigned long long no_mappings[CLASSES]


cdef bint is_mapping(object value) except -1:
    """isinstance(value, collections.abc.Mapping), which costs as much as the rest of a record's data."""
    cdef PyTypeObject *cls = Py_TYPE(value)
    cdef unsigned int version = type_version(cls)
    cdef unsigned long long registered = call0(get_cache_token)
    cdef unsigned long long word = <unsigned long long>version << 32 | (registered & 0xFFFFFFFF)
    if version != 0 and load(&no_mappings[version % CLASSES]) == word:
        return False
    if isinstance(value, Mapping):
        return True
    # isinstance() asks the value for its class, too. And it may run arbitrary code, which may change the class.
    if (
        version != 0
        and static(type(value), "__getattribute__") is object.__getattribute__
        and static(type(value), "__class__") is object.__dict__["__class__"]
        and version == type_version(Py_TYPE(value))
        and registered == <unsigned long long>call0(get_cache_token)
    ):
        store(&no_mappings[version % CLASSES], word)
    return False
