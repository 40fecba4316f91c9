/* Calls a built-in method with one argument, as SimpleQueue.put_nowait is called for each record. */
#ifndef LOGFLUME_CALL1_H
#define LOGFLUME_CALL1_H

#include <Python.h>

typedef PyObject *(*logflume_fastcall)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

/* A new reference, or NULL with an exception set. The C function behind a built-in method is reached
   through PyCFunction's public accessors, which spares the generic call's checks; any other callable,
   or a built-in with another calling convention, takes the generic call. */
static inline PyObject *
logflume_call1(PyObject *callable, PyObject *argument)
{
    PyObject *arguments[1] = {argument};
    if (PyCFunction_CheckExact(callable)
        && (PyCFunction_GET_FLAGS(callable) & ~METH_STATIC) == (METH_FASTCALL | METH_KEYWORDS)) {
        logflume_fastcall function = (logflume_fastcall)(void (*)(void))PyCFunction_GET_FUNCTION(callable);
        return function(PyCFunction_GET_SELF(callable), arguments, 1, NULL);
    }
    return PyObject_Vectorcall(callable, arguments, 1, NULL);
}

#endif
