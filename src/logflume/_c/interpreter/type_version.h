/* Tells cheaply whether a class, or a base of it, changed since the last look. */
#ifndef LOGFLUME_TYPEVERSION_H
#define LOGFLUME_TYPEVERSION_H

#include <Python.h>

/* CPython gives a type a new version tag when an attribute of it or of a base is set (it is the key of the
   method cache). The field has had this name and meaning from 3.11 to 3.15; there is no public call for it.
   0 means "unknown, look again": so does every interpreter that has no such field. */
static inline unsigned int
logflume_tag(PyTypeObject *type)
{
#if !defined(PYPY_VERSION) && !defined(GRAALVM_PYTHON)
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_uint(&type->tp_version_tag);
#else
    return type->tp_version_tag;
#endif
#else
    (void)type;
    return 0;
#endif
}

#if PY_VERSION_HEX >= 0x030D0000 && !defined(PYPY_VERSION) && !defined(GRAALVM_PYTHON) && !defined(Py_GIL_DISABLED)
/* From 3.13 on a class gets a thousand tags and then no more, and neither do those derived from it. Such a class gets
   versions from here, which count down from the highest: a new one when a dictionary of it or of its bases changed. */
#define LOGFLUME_MOST_WITHOUT_TAGS 16

typedef struct {
    PyTypeObject *type;
    PyObject *bases;  /* its mro, strong: it has the type and its bases in it, so no address is met again */
    unsigned int version;
} logflume_untagged;

static logflume_untagged logflume_without_tags[LOGFLUME_MOST_WITHOUT_TAGS];
static int logflume_without_tags_count;
static unsigned int logflume_last_version;
static int logflume_type_watcher = -1;  /* -2: none to be had */

static int
logflume_on_type_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)event; (void)dict; (void)key; (void)value;
    for (int i = 0; i < logflume_without_tags_count; i++) {
        logflume_without_tags[i].version = 0;
    }
    return 0;
}

static inline logflume_untagged *
logflume_find_untagged(PyTypeObject *type)
{
    for (int i = 0; i < logflume_without_tags_count; i++) {
        if (logflume_without_tags[i].type == type) {
            return &logflume_without_tags[i];
        }
    }
    return NULL;
}

static inline unsigned int
logflume_own_version(PyTypeObject *type)
{
    const logflume_untagged *own = logflume_find_untagged(type);
    return own != NULL && own->bases == type->tp_mro ? own->version : 0;
}

static inline int
logflume_watch_type(PyTypeObject *type)
{
    PyObject *dict;
    int result;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return 0;  /* it cannot be changed */
    }
    dict = PyType_GetDict(type);
    result = dict == NULL ? -1 : PyDict_Watch(logflume_type_watcher, dict);
    Py_XDECREF(dict);
    return result;
}

static inline unsigned int
logflume_make_own_version(PyTypeObject *type)
{
    PyObject *bases = type->tp_mro;
    logflume_untagged *own = logflume_find_untagged(type);
    if (logflume_type_watcher == -1) {
        logflume_type_watcher = PyDict_AddWatcher(logflume_on_type_event);
    }
    if (logflume_type_watcher < 0 || (own == NULL && logflume_without_tags_count == LOGFLUME_MOST_WITHOUT_TAGS)) {
        PyErr_Clear();
        logflume_type_watcher = logflume_type_watcher < 0 ? -2 : logflume_type_watcher;
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        if (logflume_watch_type((PyTypeObject *)PyTuple_GET_ITEM(bases, i)) < 0) {
            PyErr_Clear();
            return 0;
        }
    }
    if (own == NULL) {
        own = &logflume_without_tags[logflume_without_tags_count++];
        own->type = type;
    }
    own->version = --logflume_last_version;
    Py_XSETREF(own->bases, Py_NewRef(bases));
    return own->version;
}
#else
static inline unsigned int logflume_own_version(PyTypeObject *type) { (void)type; return 0; }
static inline unsigned int logflume_make_own_version(PyTypeObject *type) { (void)type; return 0; }
#endif

static inline unsigned int
logflume_type_version(PyTypeObject *type)
{
    unsigned int tag = logflume_tag(type);
    return tag != 0 ? tag : logflume_own_version(type);
}

/* The version of `type`, which gets one if it has none: what is read of it after this is of that version. 0 if it
   cannot have one. */
static inline unsigned int
logflume_renew_version(PyTypeObject *type)
{
    PyObject *found;
    unsigned int version = logflume_type_version(type);
    if (version == 0) {
        found = PyObject_GetAttrString((PyObject *)type, "__init__");  /* a look-up makes the tag */
        Py_XDECREF(found);
        PyErr_Clear();
        version = logflume_type_version(type);
    }
    return version != 0 ? version : logflume_make_own_version(type);
}

#endif
