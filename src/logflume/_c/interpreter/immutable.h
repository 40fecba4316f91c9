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

#endif
