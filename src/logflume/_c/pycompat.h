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

/* ---- words that threads share ---- */

/* Without the GIL, and on machines with smaller words, a plain access could see half of a change. CPython's own
   functions, because not every compiler has the same built-ins. */
static inline unsigned long long
logflume_load(unsigned long long *word)
{
#if LOGFLUME_GIL
    return *word;
#else
    return _Py_atomic_load_uint64_relaxed((uint64_t *)word);
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

/* The state of the watched dictionaries: as long as it is the same none of them changed. Where an interpreter
   cannot tell, it never is, and the caller compares the values themselves. */
#define LOGFLUME_WATCHED 4
typedef unsigned long long logflume_state[LOGFLUME_WATCHED];

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

static inline int
logflume_watch(int index, PyObject *dict)
{
    (void)index;
    if (logflume_watcher == -1) {
        logflume_watcher = PyDict_AddWatcher(logflume_on_dict_event);
    }
    if (logflume_watcher < 0 || PyDict_Watch(logflume_watcher, dict) < 0) {
        PyErr_Clear();  /* all watchers are taken: always look */
        logflume_watcher = -2;
    }
    return 0;
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
static PyObject *logflume_watched[LOGFLUME_WATCHED];

static inline int
logflume_watch(int index, PyObject *dict)
{
    Py_INCREF(dict);
    Py_XSETREF(logflume_watched[index], dict);
    return 0;
}

static inline int
logflume_is_state(unsigned long long *state)
{
    for (int i = 0; i < LOGFLUME_WATCHED; i++) {
        if (logflume_watched[i] == NULL
            || ((PyDictObject *)logflume_watched[i])->ma_version_tag != state[i]) {
            return 0;
        }
    }
    return 1;
}

static inline void
logflume_read_state(unsigned long long *state)
{
    for (int i = 0; i < LOGFLUME_WATCHED; i++) {
        if (logflume_watched[i] != NULL) {
            state[i] = ((PyDictObject *)logflume_watched[i])->ma_version_tag;
        }
    }
}
#else
static inline int logflume_watch(int index, PyObject *dict) { (void)index; (void)dict; return 0; }
static inline int logflume_is_state(unsigned long long *state) { (void)state; return 0; }
static inline void logflume_read_state(unsigned long long *state) { (void)state; }
#endif

/* ---- levels that are off ---- */

/* Remembers that a logger, found with nothing unusual about it, has a level off. Where dictionaries can be
   watched a change of any logger's dictionary or of its cache of levels makes everything forgotten, and the end
   of one does: so an address is not met again. */
#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
typedef struct {
    PyObject *logger;  /* borrowed, for comparison only, as are the dictionary and the cache */
    PyObject *dict;
    PyObject *cache;
    Py_ssize_t size;  /* of the dictionary */
    uint64_t changes;
    unsigned int version;  /* of the logger's class */
    unsigned int levels;  /* bit 1 for DEBUG, bit 2 for INFO ... */
} logflume_off_slot;

#define LOGFLUME_OFF_SLOTS 256
#define LOGFLUME_LOGGER_ATTRIBUTES 8  /* what Logger.__init__ sets; getLogger() adds `manager` */
static logflume_off_slot logflume_off[LOGFLUME_OFF_SLOTS];
static uint64_t logflume_logger_changes = 1;
static int logflume_logger_watcher = -1;
static int logflume_watches_attributes = 1;
static PyObject *logflume_cache_name, *logflume_manager_name;

static int
logflume_on_logger_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)event; (void)dict; (void)key; (void)value;
    logflume_logger_changes++;
    return 0;
}

/* Watches a dictionary; False if that cannot be done. */
static inline int
logflume_watch_logger(PyObject *dict)
{
    if (logflume_logger_watcher == -1) {
        logflume_logger_watcher = PyDict_AddWatcher(logflume_on_logger_event);
    }
    if (logflume_logger_watcher < 0 || PyDict_Watch(logflume_logger_watcher, dict) < 0) {
        PyErr_Clear();
        logflume_logger_watcher = -2;  /* all watchers are taken */
        return 0;
    }
    return 1;
}

/* 3.13.0 does not tell of attributes that are set through the object. `object` tries it out. */
static inline int
logflume_try_watching(PyObject *object, PyObject *dict, PyObject *name)
{
    uint64_t before = logflume_logger_changes;
    if (logflume_cache_name == NULL) {
        logflume_cache_name = PyUnicode_InternFromString("_cache");
        logflume_manager_name = PyUnicode_InternFromString("manager");
        if (logflume_cache_name == NULL || logflume_manager_name == NULL) {
            return -1;
        }
    }
    if (!logflume_watch_logger(dict)) {
        return 0;
    }
    if (PyObject_SetAttr(object, name, Py_None) < 0) {
        return -1;
    }
    if (logflume_logger_changes == before) {
        logflume_watches_attributes = 0;
    }
    return 0;
}

static inline logflume_off_slot *
logflume_off_slot_of(PyObject *logger)
{
    return &logflume_off[((uintptr_t)logger >> 4) % LOGFLUME_OFF_SLOTS];
}

static inline int
logflume_is_off(PyObject *logger, unsigned int version, long long level)
{
    logflume_off_slot *slot = logflume_off_slot_of(logger);
    return slot->logger == logger
        && slot->changes == logflume_logger_changes
        && slot->version == version
        && ((slot->levels >> (level / 10)) & 1)
        && *_PyObject_GetDictPtr(logger) == slot->dict
        /* Unwatched attributes: none came that could hide a method. If `disabled` was set the level is off, too. */
        && (logflume_watches_attributes
            || (PyDict_GET_SIZE(slot->dict) == slot->size
                && PyDict_GetItemWithError(slot->dict, logflume_cache_name) == slot->cache));
}

static inline void
logflume_remember_off(PyObject *logger, unsigned int version, long long level, PyObject *dict, PyObject *cache)
{
    logflume_off_slot *slot = logflume_off_slot_of(logger);
    PyObject **current = _PyObject_GetDictPtr(logger);
    if (version == 0 || level < 0 || level > 50 || level % 10 || current == NULL || *current != dict) {
        return;
    }
    Py_ssize_t size = PyDict_GET_SIZE(dict);
    if (!logflume_watches_attributes && size != LOGFLUME_LOGGER_ATTRIBUTES
        && (size != LOGFLUME_LOGGER_ATTRIBUTES + 1
            || PyDict_GetItemWithError(dict, logflume_manager_name) == NULL)) {
        return;  /* one attribute could come for another */
    }
    if (!logflume_watch_logger(dict) || !logflume_watch_logger(cache)) {
        return;
    }
    if (slot->logger != logger || slot->dict != dict || slot->cache != cache || slot->size != size || slot->version != version
        || slot->changes != logflume_logger_changes) {
        slot->logger = logger;
        slot->dict = dict;
        slot->cache = cache;
        slot->size = size;
        slot->version = version;
        slot->changes = logflume_logger_changes;
        slot->levels = 0;
    }
    slot->levels |= 1u << (level / 10);
}
#elif LOGFLUME_GIL
/* 3.11: no two dictionaries ever have the same version, so the same version is the same dictionary, unchanged;
   and while the logger's is unchanged it holds the same cache. */
typedef struct {
    PyObject *logger;  /* borrowed, for comparison only */
    PyObject *cache;  /* held by the logger's dictionary in this version */
    uint64_t dict_version;
    uint64_t cache_version;
    unsigned int version;  /* of the logger's class */
    unsigned int levels;  /* bit 1 for DEBUG, bit 2 for INFO ... */
} logflume_off_slot;

#define LOGFLUME_OFF_SLOTS 256
static logflume_off_slot logflume_off[LOGFLUME_OFF_SLOTS];

static inline logflume_off_slot *
logflume_off_slot_of(PyObject *logger)
{
    return &logflume_off[((uintptr_t)logger >> 4) % LOGFLUME_OFF_SLOTS];
}

static inline uint64_t
logflume_dict_version(PyObject *dict)
{
    return ((PyDictObject *)dict)->ma_version_tag;
}

static inline int
logflume_is_off(PyObject *logger, unsigned int version, long long level)
{
    logflume_off_slot *slot = logflume_off_slot_of(logger);
    if (slot->logger != logger || slot->version != version || !((slot->levels >> (level / 10)) & 1)) {
        return 0;
    }
    PyObject **dict = _PyObject_GetDictPtr(logger);
    return dict != NULL && *dict != NULL
        && logflume_dict_version(*dict) == slot->dict_version
        && logflume_dict_version(slot->cache) == slot->cache_version;
}

static inline void
logflume_remember_off(PyObject *logger, unsigned int version, long long level, PyObject *dict, PyObject *cache)
{
    logflume_off_slot *slot = logflume_off_slot_of(logger);
    PyObject **current = _PyObject_GetDictPtr(logger);
    if (version == 0 || level < 0 || level > 50 || level % 10 || current == NULL || *current != dict) {
        return;
    }
    if (slot->logger != logger || slot->version != version || slot->dict_version != logflume_dict_version(dict)
        || slot->cache != cache || slot->cache_version != logflume_dict_version(cache)) {
        slot->logger = logger;
        slot->version = version;
        slot->dict_version = logflume_dict_version(dict);
        slot->cache = cache;
        slot->cache_version = logflume_dict_version(cache);
        slot->levels = 0;
    }
    slot->levels |= 1u << (level / 10);
}

static inline int
logflume_try_watching(PyObject *object, PyObject *dict, PyObject *name)
{
    (void)object; (void)dict; (void)name;
    return 0;
}
#else
static inline int
logflume_is_off(PyObject *logger, unsigned int version, long long level)
{
    (void)logger; (void)version; (void)level;
    return 0;
}

static inline void
logflume_remember_off(PyObject *logger, unsigned int version, long long level, PyObject *dict, PyObject *cache)
{
    (void)logger; (void)version; (void)level; (void)dict; (void)cache;
}

static inline int
logflume_try_watching(PyObject *object, PyObject *dict, PyObject *name)
{
    (void)object; (void)dict; (void)name;
    return 0;
}
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
#else
    PyFrameObject *frame = PyEval_GetFrame();  /* borrowed; it is running, so it stays */
    if (frame == NULL) {
        return NULL;
    }
    *lasti = PyFrame_GetLasti(frame);
    return (PyObject *)PyFrame_GetCode(frame);
#endif
}

/* ---- calls ---- */

/* Calls without arguments. The C function of a built-in is read at each call, because tools that
   shift time replace it in place. */
static inline PyObject *
logflume_call0(PyObject *callable)
{
    if (PyCFunction_CheckExact(callable) && PyCFunction_GET_FLAGS(callable) == METH_NOARGS) {
        return PyCFunction_GET_FUNCTION(callable)(PyCFunction_GET_SELF(callable), NULL);
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
