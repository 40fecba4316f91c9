/* Lean records that were delivered, and that nobody refers to any more, serve again: to make one and to end one costs
   more than to fill it. */
#ifndef LOGFLUME_SPARE_H
#define LOGFLUME_SPARE_H

#include <Python.h>
#include "pycompat.h"

#define LOGFLUME_MOST_SPARE 512

static PyObject *logflume_spare[LOGFLUME_MOST_SPARE]; /* each holds one reference */
static int logflume_spares;

/* Takes over the caller's reference, which is the only one, and returns 1; or does nothing and returns 0. The first
   `fields` fields become None. Only for an object that the collector does not track: what it holds is plain then, and
   lets nobody's code run when it goes. */
static inline int
logflume_spare_object(PyObject *object, Py_ssize_t fields)
{
#if LOGFLUME_GIL
    if (logflume_spares == LOGFLUME_MOST_SPARE || Py_REFCNT(object) != 1 || PyObject_GC_IsTracked(object)
        || Py_TYPE(object)->tp_finalize != NULL || *PyObject_GET_WEAKREFS_LISTPTR(object) != NULL) {
        return 0;
    }
    PyObject **dict = _PyObject_GetDictPtr(object);
    if (dict == NULL || *dict != NULL) {
        return 0;
    }
    PyObject **field = (PyObject **)(object + 1);
    for (Py_ssize_t i = 0; i < fields; i++) {
        PyObject *value = field[i];
        if (value != Py_None) {
            field[i] = Py_NewRef(Py_None);
            Py_DECREF(value);
        }
    }
    logflume_spare[logflume_spares++] = object;
    return 1;
#else
    (void)object; (void)fields; /* without the GIL others could still be looking at it */
    return 0;
#endif
}

/* A reference to such an object, or NULL. */
static inline PyObject *
logflume_reuse_object(void)
{
    return logflume_spares ? logflume_spare[--logflume_spares] : NULL;
}

#endif
