/* Lean records that were delivered, and that nobody refers to any more, serve again: to make one and to end one costs
   more than to fill it. */
#ifndef LOGFLUME_SPARE_H
#define LOGFLUME_SPARE_H

#include <Python.h>

#include "interpreter/immutable.h"
#include "interpreter/compat.h"

#define LOGFLUME_MOST_SPARE 512

static PyObject *logflume_spare[LOGFLUME_MOST_SPARE]; /* each holds one reference */
static int logflume_spares;

/* Whether `object` can serve again: nobody but the caller refers to it, and the collector does not track it, as what it
   holds is plain. */
static inline int
logflume_is_spare(PyObject *object)
{
#if LOGFLUME_GIL
    if (logflume_spares == LOGFLUME_MOST_SPARE || Py_REFCNT(object) != 1 || PyObject_GC_IsTracked(object)
        || Py_TYPE(object)->tp_finalize != NULL || *PyObject_GET_WEAKREFS_LISTPTR(object) != NULL) {
        return 0;
    }
    PyObject **dict = _PyObject_GetDictPtr(object);
    return dict != NULL && *dict == NULL;
#else
    (void)object; /* without the GIL others could still be looking at it */
    return 0;
#endif
}

/* Keeps such an object, and takes over the caller's reference. There must be room for it. */
static inline void
logflume_keep_spare(PyObject *object)
{
    logflume_spare[logflume_spares++] = object;
}

/* Has a tuple hold nothing, so that it can be filled again; 0 if it cannot be: others refer to it, or the collector
   tracks it. What it held must not run code when it ends. */
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
    ((PyTupleObject *)tuple)->ob_hash = -1; /* somebody may have asked for it */
#endif
    return 1;
}

/* Fills a new or emptied tuple, and tells whether all of it is plain; never fails. */
static inline int
logflume_fill_tuple(PyObject *tuple, PyObject *const *items, Py_ssize_t count)
{
    int plain = 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
        if (!logflume_is_immutable(items[i])) {
            plain = 0;
        }
    }
    return plain;
}

/* A reference to such an object, or NULL. */
static inline PyObject *
logflume_reuse_object(void)
{
    return logflume_spares ? logflume_spare[--logflume_spares] : NULL;
}

#endif
