"""What the compiled modules ask of CPython: each declaration once.

A header of this folder answers one question, for each version of Python, with the fallback beside it. What to check
for a new version of Python, because it is not a public and stable part of the C API:

    header          asks for                                          of CPython it uses
    dict_watch.h    whether a dictionary is unchanged                 3.11: PyDictObject.ma_version_tag
                                                                      3.13.0: PyDictObject.ma_values
                                                                      _PyObject_GetDictPtr()
    type_version.h  whether a class is unchanged                      PyTypeObject.tp_version_tag, and their number
    frame.h         the running code and where it is                  3.11: internal/pycore_frame.h
                                                                      3.12: PyThreadState.cframe->current_frame
                                                                      3.13 and later: PyThreadState.current_frame
    contextvars.h   whether a copied context is that of now           internal/pycore_context.h: PyContext.ctx_vars
                                                                      internal/pycore_hamt.h: PyHamtObject.h_count
                                                                      PyThreadState.context
    lookup.h        values in dictionaries, lists and objects         _PyObject_GetDictPtr()
    freelist.h      whether a record can be used again                3.14 and later: PyTupleObject.ob_hash
    objects.h       an object without a call of __new__               that its fields follow PyObject
                                                                      PyObject_GET_WEAKREFS_LISTPTR()
                                                                      without the GIL: PyObject.ob_tid, ob_ref_local
                                                                      and ob_ref_shared, _Py_ThreadId()
    calls.h         calls of built-ins, vectorcall for a cdef class   PyCFunction_GET_FUNCTION(), tp_vectorcall_offset
    type_dict.h     how to take a name from a built-in class          PyTypeObject.tp_dict
    clock.h         the time without a call                           that time.time() is in the library of the types
    gil.h           whether there is a GIL; words that threads share  without the GIL: _Py_atomic_*()
    fork.h          whether this process was forked, and not yet told of it; os.getpid() without the system call
    immutable.h     whether a value or a record cannot change
    code.h          whether functions have their own code
    strings.h       what a string holds                               3.11: strings that are not ready

Three more things are CPython's own, outside of this folder: the names of code that it puts between a C function and
Python (caller/call_site.pxi), which names it keeps in the contextvars of each thread (_shared/contexts.py), and how
logging looks at that version (caller/unpatched.pxi, caller/logging_state.pxi).

Declared here is what has no state. freelist.h, clock.h, fork.h and thread_memory.h have some, of which each extension
module that includes them has its own copy: they are declared where they are used (shared/reuse.pxi, caller/stamp.pxi,
caller/handler.pxi, caller/caches.pxi). So are frame.h (caller/call_site.pxi) and contextvars.h (shared/context.pxi),
whose internal headers the other modules need not read. Watches are defined in caller/unpatched.pxi, caller/route.pxi,
caller/stamp.pxi and backend/plan.pxi.
"""

from cpython.object cimport PyObject, PyTypeObject

cdef extern from "interpreter/gil.h":
    enum:
        HAS_GIL "LOGFLUME_GIL"
    unsigned long long load "logflume_load" (const unsigned long long *word) noexcept
    void store "logflume_store" (unsigned long long *word, unsigned long long value) noexcept

cdef extern from "interpreter/lookup.h":
    object dict_get "logflume_dict_get" (object dictionary, object key, object missing)
    object list_get "logflume_list_get" (object list, Py_ssize_t index, object missing)
    object instance_dict "logflume_instance_dict" (object instance)
    object class_dict "logflume_class_dict" (object cls, object missing)

cdef extern from "interpreter/type_version.h":
    unsigned int type_version "logflume_type_version" (PyTypeObject *type) noexcept
    unsigned int assign_type_version "logflume_assign_type_version" (PyTypeObject *type) noexcept

cdef extern from "interpreter/dict_watch.h":
    ctypedef struct Watch "logflume_watch":
        pass
    ctypedef struct WatchedDict "logflume_watched_dict":
        PyObject *dict
        unsigned long long version
    ctypedef struct WatchedObject "logflume_watched_object":
        PyObject *object
    unsigned long long version_now "logflume_version_now" (const Watch *watch, object dictionary) noexcept
    bint watch_dict "logflume_watch_dict" (Watch *watch, WatchedDict *watched, object dictionary) noexcept
    bint is_dict_unchanged "logflume_is_unchanged" (
        const Watch *watch, const WatchedDict *watched, PyObject *dictionary) noexcept
    bint are_unchanged "logflume_are_unchanged" (const Watch *watch, const WatchedDict *watched, int count) noexcept
    bint watch_object "logflume_watch_object" (
        Watch *watch, WatchedObject *watched, object instance, object dictionary) noexcept
    bint is_object_unchanged "logflume_is_object_unchanged" (const Watch *watch, const WatchedObject *watched) noexcept
    void watch_only "logflume_watch_only" (Watch *watch, object names) noexcept

cdef extern from "interpreter/calls.h":
    object call0 "logflume_call0" (object callable)
    object call1 "logflume_call1" (object callable, object argument)
    int try_call1 "logflume_try_call1" (object callable, object argument) noexcept
    int raise_set_exception "logflume_raise_set_exception" () except -1
    void enable_vectorcall "logflume_enable_vectorcall" (PyTypeObject *type, Py_ssize_t offset) noexcept

cdef extern from "interpreter/immutable.h":
    bint is_immutable_value "logflume_is_immutable" (PyObject *value) noexcept
    bint is_immutable_record "logflume_is_immutable_record" (
        object record, object msg_name, object args_name, object exc_info_name) noexcept

cdef extern from "interpreter/type_dict.h":
    int hide "logflume_hide" (PyTypeObject *type, const char *name) except -1

cdef extern from "interpreter/objects.h":
    object new_object "logflume_new_object" (PyTypeObject *type, Py_ssize_t fields)
    void give_away "logflume_give_away" (object) noexcept
    object reference_to_give "logflume_reference_to_give" (object)
    bint has_references "logflume_has_references" (PyObject *object, Py_ssize_t count) noexcept
    bint has_weak_references "logflume_has_weak_references" (PyObject *object) noexcept

cdef extern from "Python.h":
    # Types, and references that Cython does not count.
    PyTypeObject *Py_TYPE(object)
    void incref "Py_INCREF" (PyObject *)
    void decref "Py_DECREF" (PyObject *)
    void xdecref "Py_XDECREF" (PyObject *)
    # The garbage collector.
    void PyObject_GC_Track(PyObject *)
    void PyObject_GC_UnTrack(PyObject *)
    bint PyObject_GC_IsTracked(PyObject *)
    # Lists, with borrowed and stolen references.
    PyObject *PyList_GET_ITEM(object, Py_ssize_t)
    void PyList_SET_ITEM(object, Py_ssize_t, PyObject *)
    int PyList_SetSlice(object, Py_ssize_t, Py_ssize_t, PyObject *) except -1
    # Attributes: setting to NULL deletes.
    int generic_delattr "PyObject_GenericSetAttr" (object, object, PyObject *) except -1
    # Calls and methods.
    ctypedef void *vectorcallfunc
    Py_ssize_t PyVectorcall_NARGS(size_t)
    object PyObject_Vectorcall(object, PyObject **, size_t, PyObject *)
    object PyMethod_New(object, object)
    # Code and frames.
    ctypedef struct PyFrameObject
    PyFrameObject *PyEval_GetFrame()
