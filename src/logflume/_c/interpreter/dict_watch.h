/* Tells whether dictionaries, and objects whose attributes are in one, are unchanged since they were read.
   Where CPython cannot tell, nothing counts as unchanged, and the caller reads again. */
/* An extension that uses this defines watches of its own, which are static. Each takes one of the eight watchers that
   CPython has for all dictionaries. It keeps two for itself, from 3.15 on three, and other packages want some: so there
   are four, and what seldom changes shares one. */
#ifndef LOGFLUME_DICT_WATCH_H
#define LOGFLUME_DICT_WATCH_H

#include <Python.h>

#include "interpreter/gil.h"
#include "interpreter/type_version.h"

/* A dictionary, and its version when it was read. */
typedef struct {
    PyObject *dict; /* borrowed, for comparison */
    unsigned long long version;
} logflume_watched_dict;

#if PY_VERSION_HEX >= 0x030C0000
/* 3.12 and later: dictionaries that are watched together. A change of any makes what was read of all of them out of
   date, and so does the end of one, so that an address is not met again. */
typedef struct {
    PyDict_WatchCallback on_event; /* calls logflume_count_change() */
    int watcher;                   /* -1: none yet, -2: all are taken */
    unsigned long long changes;
    PyObject *names; /* of what is read, a tuple of interned str; NULL: any change counts */
} logflume_watch;

static inline void
logflume_count_change(logflume_watch *watch)
{
#if LOGFLUME_GIL
    watch->changes++;
#else
    _Py_atomic_add_uint64((uint64_t *)&watch->changes, 1);
#endif
}

/* Has changes under other names than these not count: some handlers set an attribute for each record. */
static inline void
logflume_watch_only(logflume_watch *watch, PyObject *names)
{
    watch->names = Py_NewRef(names);
}

/* Whether an event changes what is read. A key that is no str may be a dictionary that replaced all items. No lock is
   taken, as a set would: without the GIL that of the dictionary could be lost, in the middle of its change. */
static inline int
logflume_is_read(const logflume_watch *watch, PyDict_WatchEvent event, PyObject *key)
{
    Py_ssize_t i;
    if (watch->names == NULL || event > PyDict_EVENT_DELETED || !PyUnicode_CheckExact(key)
        || !PyUnicode_CHECK_INTERNED(key)) {
        return 1;
    }
    for (i = 0; i < PyTuple_GET_SIZE(watch->names); i++) {
        if (PyTuple_GET_ITEM(watch->names, i) == key) {
            return 1;
        }
    }
    return 0;
}

#define LOGFLUME_DEFINE_WATCH(watch) \
    static int watch##_on_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value); \
    static logflume_watch watch = {watch##_on_event, -1, 1, NULL}; \
    static int \
    watch##_on_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value) \
    { \
        (void)dict; (void)value; \
        if (logflume_is_read(&watch, event, key)) { \
            logflume_count_change(&watch); \
        } \
        return 0; \
    }

static inline unsigned long long
logflume_version_now(const logflume_watch *watch, PyObject *dict)
{
    (void)dict;
    return logflume_load(&watch->changes);
}

/* Notes the version of `dict`, whose values must be read after this; 0 if changes of it are not reported. The count
   changes before the dictionary does, with its lock held: a thread that is between the two is waited for. */
static inline int
logflume_watch_dict(logflume_watch *watch, logflume_watched_dict *watched, PyObject *dict)
{
    int is_watched;
    if (watch->watcher == -1) {
        watch->watcher = PyDict_AddWatcher(watch->on_event);
    }
    Py_BEGIN_CRITICAL_SECTION(dict);
    is_watched = watch->watcher >= 0 && PyDict_Watch(watch->watcher, dict) == 0;
    watched->dict = dict;
    watched->version = logflume_version_now(watch, dict);
    Py_END_CRITICAL_SECTION();
    if (!is_watched) {
        PyErr_Clear();
        watch->watcher = -2;
    }
    return is_watched;
}

static inline int
logflume_is_unchanged(const logflume_watch *watch, const logflume_watched_dict *watched, PyObject *dict)
{
    return watched->dict == dict && watched->version == logflume_load(&watch->changes);
}

/* The same for dictionaries that were read in this order: the counter is one for all of them. False for none. */
static inline int
logflume_are_unchanged(const logflume_watch *watch, const logflume_watched_dict *watched, int count)
{
    return count > 0 && watched->version == logflume_load(&watch->changes);
}
#else
/* 3.11: no two dictionaries ever have the same version, so the same version is the same dictionary, unchanged. */
typedef int logflume_watch;
#define LOGFLUME_DEFINE_WATCH(watch) static logflume_watch watch;
#define logflume_watch_only(watch, names) ((void)(names))

static inline unsigned long long
logflume_version_now(const logflume_watch *watch, PyObject *dict)
{
    (void)watch;
    return ((PyDictObject *)dict)->ma_version_tag;
}

static inline int
logflume_watch_dict(logflume_watch *watch, logflume_watched_dict *watched, PyObject *dict)
{
    watched->dict = dict;
    watched->version = logflume_version_now(watch, dict);
    return 1;
}

static inline int
logflume_is_unchanged(const logflume_watch *watch, const logflume_watched_dict *watched, PyObject *dict)
{
    return watched->version == logflume_version_now(watch, dict);
}

/* Here the dictionaries have to be alive. */
static inline int
logflume_are_unchanged(const logflume_watch *watch, const logflume_watched_dict *watched, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        if (!logflume_is_unchanged(watch, &watched[i], watched[i].dict)) {
            return 0;
        }
    }
    return count > 0;
}
#endif

/* ---- an object whose attributes are in its dictionary ---- */

typedef struct {
    PyObject *object; /* borrowed */
    unsigned int class_version;
    logflume_watched_dict attributes;
} logflume_watched_object;

/* Whether changes of an object's attributes are reported if `dict` is its dictionary. 3.13.0 does not report those that
   are set through the object while the values are in the object. There the dictionary is made to have them itself:
   popitem() does that, and the item goes back to its place before other code runs. */
static inline int
logflume_reports_attributes(PyObject *dict)
{
#if PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x030E0000
    PyObject *item;
    int result;
    if (Py_Version != 0x030D00F0) {
        return 1;
    }
    if (!LOGFLUME_GIL || !PyDict_CheckExact(dict)) {
        return 0;
    }
    if (((PyDictObject *)dict)->ma_values == NULL) {
        return 1;
    }
    item = PyObject_CallMethod(dict, "popitem", NULL);
    if (item == NULL) {
        PyErr_Clear(); /* it is empty */
        return 0;
    }
    result = PyDict_SetItem(dict, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
    Py_DECREF(item);
    if (result < 0) {
        PyErr_Clear();
    }
    return result == 0 && ((PyDictObject *)dict)->ma_values == NULL;
#else
    (void)dict;
    return 1;
#endif
}

/* Notes the versions of `object`'s class and of `dict`, its dictionary, which must be read after this; 0 if changes are
   not reported. */
static inline int
logflume_watch_object(logflume_watch *watch, logflume_watched_object *watched, PyObject *object, PyObject *dict)
{
    watched->object = object;
    watched->class_version = logflume_assign_type_version(Py_TYPE(object));
    return watched->class_version != 0 && logflume_reports_attributes(dict)
        && logflume_watch_dict(watch, &watched->attributes, dict);
}

/* `watched->object` has to be alive. */
static inline int
logflume_is_object_unchanged(const logflume_watch *watch, const logflume_watched_object *watched)
{
    PyObject **slot, *dict;
    if (logflume_type_version(Py_TYPE(watched->object)) != watched->class_version) {
        return 0;
    }
    slot = _PyObject_GetDictPtr(watched->object);
    dict = slot == NULL ? NULL : (PyObject *)logflume_load_pointer(slot);
    return dict != NULL && logflume_is_unchanged(watch, &watched->attributes, dict);
}

#endif
