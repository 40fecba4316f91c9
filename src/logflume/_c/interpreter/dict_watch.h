/* Tells whether dictionaries, and objects whose attributes are in one, are still as they were when they were looked at.
   Where an interpreter cannot tell, nothing counts as seen, and the caller looks each time. */
/* Each .pyx that includes this has watchers and counts of its own. */
#ifndef LOGFLUME_SEEN_H
#define LOGFLUME_SEEN_H

#include <Python.h>

#include "interpreter/compat.h"
#include "interpreter/type_version.h"

/* A dictionary in the state in which it was seen; borrowed, for comparison only. */
typedef struct {
    PyObject *dict;
    uint64_t version;
} logflume_seen;

/* ---- whether a dictionary is as it was seen ---- */

#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
/* Dictionaries that are watched together: a change of any makes what was seen of all of them out of date, and so
   does the end of one, so that an address is not met again. */
typedef struct {
    PyDict_WatchCallback on_event;  /* adds one to `changes` */
    int watcher;  /* -1: none yet, -2: none to be had */
    uint64_t changes;
} logflume_watched_group;

#define LOGFLUME_WATCHED_GROUP(on_event) {on_event, -1, 1}

/* Defines a group for which any change of its dictionaries counts. */
#define LOGFLUME_DEFINE_GROUP(group) \
    static int group##_on_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value); \
    static logflume_watched_group group = LOGFLUME_WATCHED_GROUP(group##_on_event); \
    static int \
    group##_on_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value) \
    { \
        (void)event; (void)dict; (void)key; (void)value; \
        group.changes++; \
        return 0; \
    }

static int logflume_tells_of_attributes = 1;
static int logflume_must_own_values = 0;

/* Notes the state of `dict`, whose values must be read after this; 0 if it cannot be told when it changes. */
static inline int
logflume_see(logflume_watched_group *group, logflume_seen *seen, PyObject *dict)
{
    if (group->watcher == -1) {
        group->watcher = PyDict_AddWatcher(group->on_event);
    }
    if (group->watcher < 0 || PyDict_Watch(group->watcher, dict) < 0) {
        PyErr_Clear();
        group->watcher = -2;  /* all watchers are taken */
        return 0;
    }
    seen->dict = dict;
    seen->version = group->changes;
    return 1;
}

static inline int
logflume_is_as_seen(const logflume_watched_group *group, const logflume_seen *seen, PyObject *dict)
{
    return seen->dict == dict && seen->version == group->changes;
}

/* Has `dict` keep its values itself, if they are still in the object whose attributes they are: popitem() does that,
   and the item goes back to its place before anybody could see that it was away. */
static inline int
logflume_own_values(PyObject *dict)
{
    PyObject *item;
    int result;
    if (!PyDict_CheckExact(dict)) {
        return 0;
    }
    if (((PyDictObject *)dict)->ma_values == NULL) {
        return 1;
    }
    item = PyObject_CallMethod(dict, "popitem", NULL);
    if (item == NULL) {
        PyErr_Clear();  /* it is empty */
        return 0;
    }
    result = PyDict_SetItem(dict, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
    Py_DECREF(item);
    if (result < 0) {
        PyErr_Clear();
    }
    return result == 0 && ((PyDictObject *)dict)->ma_values == NULL;
}

/* 0 or 1: whether it is told when an attribute of `object` becomes another. */
static inline int
logflume_tells(
    logflume_watched_group *group, PyObject *object, PyObject *dict, const char *name, PyObject *value)
{
    logflume_seen seen;
    if (!logflume_see(group, &seen, dict)) {
        return 0;
    }
    if (PyObject_SetAttrString(object, name, value) < 0) {
        PyErr_Clear();
        return 0;
    }
    return !logflume_is_as_seen(group, &seen, dict);
}

/* 3.13.0 does not tell of attributes that are set through the object while the object has their values. Tries
   with an object that has an attribute `name`. */
static inline void
logflume_try_watching(logflume_watched_group *group, PyObject *object, PyObject *dict, const char *name)
{
    if (!logflume_tells(group, object, dict, name, Py_None)) {
        logflume_must_own_values = logflume_own_values(dict);
        logflume_tells_of_attributes = logflume_must_own_values && logflume_tells(group, object, dict, name, Py_True)
            && logflume_tells(group, object, dict, "more", Py_None);
    }
}
#elif LOGFLUME_GIL
/* 3.11: no two dictionaries ever have the same version, so the same version is the same dictionary, unchanged. */
typedef int logflume_watched_group;
#define LOGFLUME_WATCHED_GROUP(on_event) 0
#define LOGFLUME_DEFINE_GROUP(group) static logflume_watched_group group;
#define logflume_tells_of_attributes 1
#define logflume_must_own_values 0
#define logflume_own_values(dict) 1

static inline int
logflume_see(logflume_watched_group *group, logflume_seen *seen, PyObject *dict)
{
    (void)group;
    seen->dict = dict;
    seen->version = ((PyDictObject *)dict)->ma_version_tag;
    return 1;
}

static inline int
logflume_is_as_seen(const logflume_watched_group *group, const logflume_seen *seen, PyObject *dict)
{
    (void)group;
    return seen->version == ((PyDictObject *)dict)->ma_version_tag;
}

static inline void
logflume_try_watching(logflume_watched_group *group, PyObject *object, PyObject *dict, const char *name)
{
    (void)group; (void)object; (void)dict; (void)name;
}
#else
/* No pointer can be compared before it is known that no other thread frees what it points to. */
typedef int logflume_watched_group;
#define LOGFLUME_WATCHED_GROUP(on_event) 0
#define LOGFLUME_DEFINE_GROUP(group) static logflume_watched_group group;
#define logflume_tells_of_attributes 0
#define logflume_must_own_values 0
#define logflume_own_values(dict) 1

static inline int
logflume_see(logflume_watched_group *group, logflume_seen *seen, PyObject *dict)
{
    (void)group; (void)seen; (void)dict;
    return 0;
}

static inline int
logflume_is_as_seen(const logflume_watched_group *group, const logflume_seen *seen, PyObject *dict)
{
    (void)group; (void)seen; (void)dict;
    return 0;
}

static inline void
logflume_try_watching(logflume_watched_group *group, PyObject *object, PyObject *dict, const char *name)
{
    (void)group; (void)object; (void)dict; (void)name;
}
#endif

/* ---- an object whose attributes are in its dictionary ---- */

typedef struct {
    PyObject *object;  /* borrowed */
    unsigned int class_version;
    logflume_seen attributes;
} logflume_seen_object;

/* Notes the state of `object` and `dict`, its dictionary, before they are read; 0 if it cannot be told when they
   change. */
static inline int
logflume_see_object(logflume_watched_group *group, logflume_seen_object *seen, PyObject *object, PyObject *dict)
{
    seen->object = object;
    seen->class_version = logflume_renew_version(Py_TYPE(object));
    if (seen->class_version == 0 || !logflume_tells_of_attributes
        || (logflume_must_own_values && !logflume_own_values(dict))) {
        return 0;
    }
    return logflume_see(group, &seen->attributes, dict);
}

#if LOGFLUME_GIL
/* `seen->object` has to be alive. */
static inline int
logflume_is_object_as_seen(const logflume_watched_group *group, const logflume_seen_object *seen)
{
    PyObject **dict;
    if (logflume_type_version(Py_TYPE(seen->object)) != seen->class_version) {
        return 0;
    }
    dict = _PyObject_GetDictPtr(seen->object);
    return dict != NULL && *dict != NULL && logflume_is_as_seen(group, &seen->attributes, *dict);
}
#endif

#endif
