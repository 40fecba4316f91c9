/* Values that cannot change. */
#ifndef LOGFLUME_IMMUTABLE_H
#define LOGFLUME_IMMUTABLE_H

#include <Python.h>

/* Whether `value` is exactly a str, number, bool, None or bytes; never fails. */
static inline int
logflume_is_immutable(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return type == &PyUnicode_Type || type == &PyLong_Type || value == Py_None || type == &PyFloat_Type
        || type == &PyBool_Type || type == &PyBytes_Type;
}

/* Whether a record has no exception, and its message renders the same at any time, as far as that can be told without
   looking into arguments that are tuples; never fails. */
static inline int
logflume_is_immutable_record(PyObject *record, PyObject *msg_name, PyObject *args_name, PyObject *exc_info_name)
{
    int immutable = 0;
    PyObject *value = PyObject_GetAttr(record, args_name);
    if (value != NULL) {
        if (PyTuple_CheckExact(value)) {
            Py_ssize_t size = PyTuple_GET_SIZE(value);
            Py_ssize_t i = 0;
            while (i < size && logflume_is_immutable(PyTuple_GET_ITEM(value, i))) {
                i++;
            }
            immutable = i == size;
        }
        else {
            immutable = value == Py_None;
        }
        Py_DECREF(value);
    }
    if (immutable) {
        value = PyObject_GetAttr(record, msg_name);
        immutable = value != NULL && logflume_is_immutable(value);
        Py_XDECREF(value);
    }
    if (immutable) {
        value = PyObject_GetAttr(record, exc_info_name);
        immutable = value == Py_None;
        Py_XDECREF(value);
    }
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* an attribute is missing */
        return 0;
    }
    return immutable;
}

#endif
