"""Captures, in the log call, what the text of an exception needs: see _shared/exceptions.py for what becomes of it."""

cdef extern from "caller/traceback_entries.h":
    int logflume_take_entries(
        PyObject *traceback, Py_ssize_t most, PyObject **objects, PyObject **positions) except -1
    void logflume_exchange(object tuple, Py_ssize_t index, object item) noexcept
    bint logflume_may_be_false(PyTypeObject *type) noexcept

cdef extern from "Python.h":
    bint PyExceptionInstance_Check(object) noexcept
    bint PyModule_Check(object) noexcept
    bint PyType_IsSubtype(PyTypeObject *, PyTypeObject *) noexcept
    PyObject *PyDict_GetItemWithError(PyObject *dictionary, PyObject *key) noexcept
    PyObject *PyFunction_GetCode(PyObject *function) noexcept
    PyObject *PyModule_GetDict(object) noexcept
    PyObject *PyObject_Str(object) noexcept
    void PyErr_Clear() noexcept
    Py_ssize_t PY_SSIZE_T_MAX

cdef object ExceptionGroupBase = BaseExceptionGroup
cdef PyTypeObject *traceback_type = <PyTypeObject *><PyObject *>TracebackType
cdef PyTypeObject *syntax_error = <PyTypeObject *><PyObject *>SyntaxError
cdef dict sys_globals = vars(sys)

# ---- whether `traceback` and `linecache` are the standard library's ----

cdef bint traceback_is_unpatched() noexcept:
    cdef PyObject *owner
    cdef PyObject *namespace
    cdef PyObject *found
    cdef Py_ssize_t i
    if not OWN_AT_IMPORT:
        return False
    # What is borrowed here is only compared.
    for i in range(PyTuple_GET_SIZE(KEYS)):
        owner = <PyObject *>PyTuple_GET_ITEM(OWNERS, i)
        if isinstance(<object>owner, type):
            namespace = (<PyTypeObject *>owner).tp_dict
        else:
            namespace = PyModule_GetDict(<object>owner)
        found = PyDict_GetItemWithError(namespace, <PyObject *>PyTuple_GET_ITEM(KEYS, i))
        if found is not <PyObject *>PyTuple_GET_ITEM(VALUES, i):
            PyErr_Clear()
            return False
    for i in range(PyTuple_GET_SIZE(FUNCTIONS)):
        found = PyFunction_GetCode(<PyObject *>PyTuple_GET_ITEM(FUNCTIONS, i))
        if found is not <PyObject *>PyTuple_GET_ITEM(CODES, i):
            return False
    return True


# ---- one exception ----

cdef int keep_source_globals(tuple objects) except -1:
    """Replace the globals of frames that are in no module with what `linecache` reads of them."""
    cdef Py_ssize_t i
    namespace = kept = None
    for i in range(1, PyTuple_GET_SIZE(objects), 2):
        current = <object>PyTuple_GET_ITEM(objects, i)
        if current is not namespace:
            namespace = current
            if type(namespace) is not dict:
                raise NotSimple
            kept = namespace
            name = dict_get(namespace, "__name__", None)
            module = dict_get(MODULES, name, None) if type(name) is str else None
            if not PyModule_Check(module) or PyModule_GetDict(module) is not <PyObject *>namespace:
                kept = source_globals(namespace)
        if kept is not current:
            logflume_exchange(objects, i, kept)
    return 0


cdef bint is_suggested(PyTypeObject *cls) noexcept:
    cdef Py_ssize_t i
    for i in range(PyTuple_GET_SIZE(SUGGESTED)):
        if PyType_IsSubtype(cls, <PyTypeObject *>PyTuple_GET_ITEM(SUGGESTED, i)):
            return True
    return False


cdef str string_of(object value):
    cdef PyObject *found = PyObject_Str(value)
    if found is NULL:
        PyErr_Clear()  # traceback does not let Ctrl-C through either
        return STR_FAILED
    string = <object>found
    Py_DECREF(string)
    if type(string) is not str:
        raise NotSimple
    return <str>string


cpdef tuple capture_one(object value, object tb, Py_ssize_t most):
    """Return a Part: see _shared/exceptions.py."""
    cdef PyTypeObject *cls = Py_TYPE(value)
    cdef PyObject *taken = NULL
    cdef PyObject *numbers = NULL
    cdef bint suppresses = False
    if value is not None:
        # Older versions of traceback ask whether an exception is true.
        if not PyExceptionInstance_Check(value) or logflume_may_be_false(cls):
            raise NotSimple
        suppresses = value.__suppress_context__
    if tb is not None and Py_TYPE(tb) is not traceback_type:
        raise NotSimple
    qualname = type(value).__qualname__
    module = type(value).__module__
    if type(qualname) is not str or type(module) is not str:
        raise NotSimple
    logflume_take_entries(<PyObject *>tb, most, &taken, &numbers)
    objects = <object>taken
    Py_DECREF(objects)
    positions = <object>numbers
    Py_DECREF(positions)
    keep_source_globals(objects)

    notes = getattr(value, "__notes__", None)
    if notes is not None:
        if type(notes) is not list:
            raise NotSimple
        notes = tuple(<list>notes)
        for note in <tuple>notes:
            if type(note) is not str:
                raise NotSimple

    attributes = None
    if is_suggested(cls):
        string = string_of_suggested(value, tb)
    else:
        if PyType_IsSubtype(cls, syntax_error):
            attributes = syntax_error_attributes(value)
        string = string_of(value)
    return qualname, module, string, notes, attributes, objects, positions, suppresses


cpdef object capture(object exc_info):
    """Return what the text of `exc_info` needs, or None if it has to travel as it is: see the pure twin."""
    if type(exc_info) is not tuple or PyTuple_GET_SIZE(exc_info) != 3 or not traceback_is_unpatched():
        return None
    value, tb = (<tuple>exc_info)[1], (<tuple>exc_info)[2]
    try:
        if (
            value is not None
            and value.__cause__ is None
            and (value.__context__ is None or value.__suppress_context__)
            and not isinstance(value, ExceptionGroupBase)
            and dict_get(sys_globals, "tracebacklimit", None) is None
        ):
            return CapturedException((capture_one(value, tb, PY_SSIZE_T_MAX),), None)
        return captured_chain(value, tb, capture_one)
    except Exception:
        pass  # rendered after this block: a __str__ may look at the exception that is being handled
    return rendered_now(exc_info)
