/* What handle() does for each plain record, without a reference too many. */
#ifndef LOGFLUME_ENQUEUE_H
#define LOGFLUME_ENQUEUE_H

#include <Python.h>

#include "interpreter/immutable.h"

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

/* 0, or -1 with an exception set. */
static inline int
logflume_put(PyObject *put, PyObject *record)
{
    PyObject *result = logflume_call1(put, record);
    if (result == NULL) {
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

/* Whether the record's message renders the same at any time, as far as a glance tells; never fails. */
static inline int
logflume_is_constant_record(PyObject *record, PyObject *msg_name, PyObject *args_name)
{
    int constant = 0;
    PyObject *value = PyObject_GetAttr(record, args_name);
    if (value != NULL) {
        if (PyTuple_CheckExact(value)) {
            Py_ssize_t size = PyTuple_GET_SIZE(value);
            Py_ssize_t i = 0;
            while (i < size && logflume_is_immutable(PyTuple_GET_ITEM(value, i))) {
                i++;
            }
            constant = i == size;
        }
        else {
            constant = value == Py_None;
        }
        Py_DECREF(value);
    }
    if (constant) {
        value = PyObject_GetAttr(record, msg_name);
        constant = value != NULL && logflume_is_immutable(value);
        Py_XDECREF(value);
    }
    if (PyErr_Occurred()) {
        PyErr_Clear();  /* an attribute is missing: the long way knows what to do */
        return 0;
    }
    return constant;
}

/* Always -1: hands a set exception on to the caller. */
static inline int
logflume_failed(void)
{
    return -1;
}

#endif
