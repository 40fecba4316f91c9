/* Lean records that were delivered, and that nobody refers to any more, serve again: to make one and to end one costs
   more than to fill it. */
#ifndef LOGFLUME_SPARE_H
#define LOGFLUME_SPARE_H

#include <Python.h>
#include "pycompat.h"

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

/* Keeps such an object, with its first `fields` fields None, and takes over the caller's reference. The end of what a
   field held may run code (the code object of a call has weak references), which may log, too. */
static inline void
logflume_keep_spare(PyObject *object, Py_ssize_t fields)
{
    PyObject **field = (PyObject **)(object + 1);
    for (Py_ssize_t i = 0; i < fields; i++) {
        PyObject *value = field[i];
        if (value != Py_None) {
            field[i] = Py_NewRef(Py_None);
            Py_DECREF(value);
        }
    }
    if (logflume_spares < LOGFLUME_MOST_SPARE) {
        logflume_spare[logflume_spares++] = object;
    }
    else {
        Py_DECREF(object);
    }
}

/* A reference to such an object, or NULL. */
static inline PyObject *
logflume_reuse_object(void)
{
    return logflume_spares ? logflume_spare[--logflume_spares] : NULL;
}

#endif
