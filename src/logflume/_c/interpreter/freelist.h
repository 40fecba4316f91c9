/* Delivered captured records to which nothing else refers are used again: to make one and to end one costs more than to
   fill it. So are their tuples of arguments, which saves one fourteenth of the CPU time from the call to the file. */
/* For one extension alone: the list is static. */
#ifndef LOGFLUME_FREELIST_H
#define LOGFLUME_FREELIST_H

#include <Python.h>

#include "interpreter/gil.h"
#include "interpreter/immutable.h"
#include "interpreter/objects.h"

#define LOGFLUME_LONGEST_FREELIST 512

static PyObject *logflume_freelist[LOGFLUME_LONGEST_FREELIST]; /* each holds one reference */
static int logflume_freelist_length;

/* Whether `object` can be used again: the caller has the only reference. */
static inline int
logflume_can_be_reused(PyObject *object)
{
#if LOGFLUME_GIL
    return logflume_freelist_length < LOGFLUME_LONGEST_FREELIST && Py_REFCNT(object) == 1;
#else
    (void)object; /* other threads could still be reading it */
    return 0;
#endif
}

/* Keeps such an object, which the garbage collector must not track, and takes over the caller's reference. */
static inline void
logflume_keep_for_reuse(PyObject *object)
{
    logflume_freelist[logflume_freelist_length++] = object;
}

/* A reference to such an object, or NULL. */
static inline PyObject *
logflume_reuse_object(void)
{
    return logflume_freelist_length ? logflume_freelist[--logflume_freelist_length] : NULL;
}

/* Empties a tuple, so that it can be filled again; 0 if it cannot be: something else refers to it, or the collector
   tracks it. What it holds must not run code when it ends. */
static inline int
logflume_empty_tuple(PyObject *tuple)
{
    if (!PyTuple_CheckExact(tuple) || Py_REFCNT(tuple) != 1 || PyObject_GC_IsTracked(tuple)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        PyTuple_SET_ITEM(tuple, i, NULL);
        Py_DECREF(item);
    }
#if PY_VERSION_HEX >= 0x030E0000
    ((PyTupleObject *)tuple)->ob_hash = -1; /* it may have been computed for the items that are gone */
#endif
    return 1;
}

/* Fills a new or emptied tuple; whether all its items are immutable (not counting tuples). Never fails. */
static inline int
logflume_fill_tuple(PyObject *tuple, PyObject *const *items, Py_ssize_t count)
{
    int immutable = 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, logflume_reference_to_give(items[i]));
        if (!logflume_is_immutable(items[i])) {
            immutable = 0;
        }
    }
    return immutable;
}

#endif
