/* Calls without the checks and the argument tuples of the generic ones. */
#ifndef LOGFLUME_CALLS_H
#define LOGFLUME_CALLS_H

#include <Python.h>

typedef PyObject *(*logflume_fastcall)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

/* Both calls read the C function of a built-in at each call, because tools that shift time replace it in place. It is
   reached through PyCFunction's public accessors. Any other callable, and a built-in with another calling convention,
   gets the generic call. Both return a new reference, or NULL with an exception set. */

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

/* 0, or -1 with an exception set, for a caller that handles it where it matters: a `try` in Cython costs as much as the
   put of a record into its queue. */
static inline int
logflume_try_call1(PyObject *callable, PyObject *argument)
{
    PyObject *result = logflume_call1(callable, argument);
    if (result == NULL) {
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

/* Always -1: raises, in Cython, the exception that is set. */
static inline int
logflume_raise_set_exception(void)
{
    return -1;
}

/* Gives a static or heap type the vectorcall protocol, unbound and callable as a method: Cython cannot say that. */
static inline void
logflume_enable_vectorcall(PyTypeObject *type, Py_ssize_t offset)
{
    type->tp_vectorcall_offset = offset;
    type->tp_call = PyVectorcall_Call;
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
    PyType_Modified(type);
}

#endif
