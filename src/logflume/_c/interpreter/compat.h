/* What the compiled log call asks of the interpreter, and how each Python answers. Wherever a fast answer
   is not public on all of 3.11 to 3.15, the branch with public calls only stands beside it. */
#ifndef LOGFLUME_PYCOMPAT_H
#define LOGFLUME_PYCOMPAT_H

#include <Python.h>
#include <string.h>

#ifndef MS_WINDOWS
#include <pthread.h>
#include <unistd.h>
#endif

#if !defined(PYPY_VERSION) && !defined(GRAALVM_PYTHON) && !defined(Py_GIL_DISABLED)
#define LOGFLUME_GIL 1
#else
#define LOGFLUME_GIL 0
#endif

#if LOGFLUME_GIL
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#define LOGFLUME_BUILD_CORE
#endif
#include "internal/pycore_context.h"
#if PY_VERSION_HEX < 0x030C0000
#include "internal/pycore_frame.h"
#endif
#ifdef LOGFLUME_BUILD_CORE
#undef Py_BUILD_CORE
#undef LOGFLUME_BUILD_CORE
#endif
#endif

/* ---- words that threads share ---- */

/* Without the GIL, and on machines with smaller words, a plain access could see half of a change. Python's own
   atomic accesses work with every compiler; those of gcc and clang are not MSVC's. */
static inline unsigned long long
logflume_load(unsigned long long *word)
{
#if LOGFLUME_GIL
    return *word;
#else
    return _Py_atomic_load_uint64_relaxed((const uint64_t *)word);
#endif
}

static inline void
logflume_store(unsigned long long *word, unsigned long long value)
{
#if LOGFLUME_GIL
    *word = value;
#else
    _Py_atomic_store_uint64_relaxed((uint64_t *)word, value);
#endif
}

/* ---- dictionaries ---- */

/* A new reference to the value, or to `missing` if there is none; NULL on error. */
static inline PyObject *
logflume_get(PyObject *dict, PyObject *key, PyObject *missing)
{
    PyObject *value;
#if PY_VERSION_HEX >= 0x030D0000
    if (PyDict_GetItemRef(dict, key, &value) == 0) {
        value = Py_NewRef(missing);
    }
    return value;
#else
    value = PyDict_GetItemWithError(dict, key);
    if (value == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        value = missing;
    }
    return Py_NewRef(value);
#endif
}

/* A new reference to the item, or to `missing` if the list has become shorter. */
static inline PyObject *
logflume_list_item(PyObject *list, Py_ssize_t index, PyObject *missing)
{
#if LOGFLUME_GIL
    return Py_NewRef(index < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, index) : missing);
#else
    PyObject *item = PyList_GetItemRef(list, index);
    if (item == NULL) {
        PyErr_Clear();
        item = Py_NewRef(missing);
    }
    return item;
#endif
}

/* A new reference to the object's own dictionary, or NULL with an exception set. */
static inline PyObject *
logflume_instance_dict(PyObject *object)
{
#if LOGFLUME_GIL
    PyObject **slot = _PyObject_GetDictPtr(object);
    if (slot != NULL && *slot != NULL) {
        return Py_NewRef(*slot);
    }
#endif
    return PyObject_GenericGetDict(object, NULL);
}

/* ---- the state of the modules ---- */

/* As long as the state is the same none of the watched dictionaries changed. Where an interpreter cannot tell, it never
   is, and the caller compares the values themselves. */
#define LOGFLUME_MOST_WATCHED 12
typedef unsigned long long logflume_state[LOGFLUME_MOST_WATCHED];

#if PY_VERSION_HEX >= 0x030C0000 && !defined(PYPY_VERSION) && !defined(GRAALVM_PYTHON)
static int logflume_watcher = -1;
static unsigned long long logflume_changes = 1;

static int
logflume_on_dict_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)event; (void)dict; (void)key; (void)value;
#if LOGFLUME_GIL
    logflume_changes++;
#else
    _Py_atomic_add_uint64((uint64_t *)&logflume_changes, 1);
#endif
    return 0;
}

/* Has `dict` be part of the state; 0 if that cannot be. */
static inline int
logflume_watch(PyObject *dict)
{
    if (logflume_watcher == -1) {
        logflume_watcher = PyDict_AddWatcher(logflume_on_dict_event);
    }
    if (logflume_watcher < 0 || PyDict_Watch(logflume_watcher, dict) < 0) {
        PyErr_Clear();
        logflume_watcher = -2;  /* all watchers are taken: always look */
        return 0;
    }
    return 1;
}

static inline int
logflume_is_state(unsigned long long *state)
{
    return logflume_load(state) == logflume_load(&logflume_changes) && logflume_watcher >= 0;
}

static inline void
logflume_read_state(unsigned long long *state)
{
    logflume_store(state, logflume_load(&logflume_changes));
}
#elif LOGFLUME_GIL
/* 3.11: a dictionary's version changes whenever it does. */
static PyObject *logflume_watched[LOGFLUME_MOST_WATCHED];
static int logflume_watched_count;

static inline int
logflume_watch(PyObject *dict)
{
    for (int i = 0; i < logflume_watched_count; i++) {
        if (logflume_watched[i] == dict) {
            return 1;
        }
    }
    if (logflume_watched_count == LOGFLUME_MOST_WATCHED || !PyDict_Check(dict)) {
        return 0;
    }
    logflume_watched[logflume_watched_count++] = Py_NewRef(dict);
    return 1;
}

static inline int
logflume_is_state(unsigned long long *state)
{
    for (int i = 0; i < logflume_watched_count; i++) {
        if (((PyDictObject *)logflume_watched[i])->ma_version_tag != state[i]) {
            return 0;
        }
    }
    return 1;
}

static inline void
logflume_read_state(unsigned long long *state)
{
    for (int i = 0; i < logflume_watched_count; i++) {
        state[i] = ((PyDictObject *)logflume_watched[i])->ma_version_tag;
    }
}
#else
static inline int logflume_watch(PyObject *dict) { (void)dict; return 0; }
static inline int logflume_is_state(unsigned long long *state) { (void)state; return 0; }
static inline void logflume_read_state(unsigned long long *state) { (void)state; }
#endif

/* ---- the caller's frame ---- */

/* A new reference to the code that the running Python frame executes, and the offset of its current
   instruction; NULL without an exception if there is no frame. */
static inline PyObject *
logflume_running_code(int *lasti)
{
#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
#if PY_VERSION_HEX >= 0x030D0000
    struct _PyInterpreterFrame *frame = PyThreadState_GetUnchecked()->current_frame;
#else
    struct _PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame;
#endif
    if (frame == NULL) {
        return NULL;
    }
    PyObject *code = (PyObject *)PyUnstable_InterpreterFrame_GetCode(frame);
    if (code == NULL || !PyCode_Check(code)) {
        Py_XDECREF(code);
        return NULL;
    }
    *lasti = PyUnstable_InterpreterFrame_GetLasti(frame);
    return code;
#elif LOGFLUME_GIL
    /* 3.11 has no public call that does not make a frame object, which takes as long as a fifth of a log call. */
    _PyInterpreterFrame *frame = PyThreadState_Get()->cframe->current_frame;
    while (frame != NULL && _PyFrame_IsIncomplete(frame)) {
        frame = frame->previous;
    }
    if (frame == NULL) {
        return NULL;
    }
    *lasti = _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT);
    return Py_NewRef((PyObject *)frame->f_code);
#else
    PyFrameObject *frame = PyEval_GetFrame();  /* borrowed; it is running, so it stays */
    if (frame == NULL) {
        return NULL;
    }
    *lasti = PyFrame_GetLasti(frame);
    return (PyObject *)PyFrame_GetCode(frame);
#endif
}

/* ---- contextvars ---- */

#if LOGFLUME_GIL
/* The copy that was made last, which stands for every context with the same variables: what holds them never
   changes, and is exchanged when a variable is set. */
static PyObject *logflume_known_context;
static int logflume_known_context_counts;

/* False if the running code sees no contextvars that count. Otherwise `known` is a copy that was made earlier of what
   it sees, borrowed, or NULL if there is none. There is no public call that does not make a copy. */
static inline int
logflume_sees_context(PyObject **known)
{
    PyContext *current = (PyContext *)PyThreadState_Get()->context;
    if (current == NULL) {
        return 0;
    }
    if (logflume_known_context != NULL && ((PyContext *)logflume_known_context)->ctx_vars == current->ctx_vars) {
        *known = logflume_known_context;
        return logflume_known_context_counts;
    }
    return 1;
}

static inline void
logflume_remember_context(PyObject *context, int counts)
{
    logflume_known_context_counts = counts;
    Py_XSETREF(logflume_known_context, Py_XNewRef(context));
}
#else
static inline int
logflume_sees_context(PyObject **known)
{
    (void)known;
    return 1;
}

static inline void
logflume_remember_context(PyObject *context, int counts)
{
    (void)context; (void)counts;
}
#endif

/* ---- calls ---- */

/* Calls without arguments. The C function of a built-in is read at each call, because tools that
   shift time replace it in place. */
static inline PyObject *
logflume_call0(PyObject *callable)
{
    if (PyCFunction_CheckExact(callable) && PyCFunction_GET_FLAGS(callable) == METH_NOARGS) {
        return PyCFunction_GET_FUNCTION(callable)(PyCFunction_GET_SELF(callable), NULL);
    }
    if (PyCMethod_CheckExact(callable)
        && PyCFunction_GET_FLAGS(callable) == (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)) {
        PyCMethod function = (PyCMethod)(void (*)(void))PyCFunction_GET_FUNCTION(callable);
        return function(PyCFunction_GET_SELF(callable), PyCFunction_GET_CLASS(callable), NULL, 0, NULL);
    }
    return PyObject_CallNoArgs(callable);
}

/* Gives a static or heap type the vectorcall protocol, unbound and callable as a method. */
static inline void
logflume_enable_vectorcall(PyTypeObject *type, Py_ssize_t offset)
{
    type->tp_vectorcall_offset = offset;
    type->tp_call = PyVectorcall_Call;
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
    PyType_Modified(type);
}

/* ---- objects ---- */

/* A new object of `type` that the collector does not know yet, zeroed but for its first `fields` fields,
   which are None. Neither __new__ nor an instance dictionary is made. */
static inline PyObject *
logflume_new_object(PyTypeObject *type, Py_ssize_t fields)
{
    PyObject *object = (PyObject *)PyObject_GC_New(PyObject, type);
    if (object == NULL) {
        return NULL;
    }
    PyObject **field = (PyObject **)(object + 1);
    memset(field, 0, type->tp_basicsize - sizeof(PyObject));
    for (Py_ssize_t i = 0; i < fields; i++) {
        field[i] = Py_NewRef(Py_None);
    }
    return object;
}

/* ---- the process ---- */

#ifndef MS_WINDOWS
static pid_t logflume_pid;
static int logflume_fork_watched;

static void logflume_forget_pid(void) { logflume_pid = 0; }

static inline int
logflume_watch_fork(void)
{
    logflume_fork_watched = pthread_atfork(NULL, NULL, logflume_forget_pid) == 0;
    return 0;
}

/* The system call costs more than the rest of a record's data together. */
static inline long
logflume_getpid(void)
{
    if (!logflume_fork_watched) {
        return (long)getpid();
    }
    pid_t pid = logflume_pid;
    if (pid == 0) {
        logflume_pid = pid = getpid();
    }
    return (long)pid;
}
#else
#include <process.h>
static inline int logflume_watch_fork(void) { return 0; }
static inline long logflume_getpid(void) { return (long)_getpid(); }
#endif

#endif
