/* Values that cannot change. */
#ifndef LOGFLUME_IMMUTABLE_H
#define LOGFLUME_IMMUTABLE_H

#include <Python.h>

#include "interpreter/gil.h"
#include "interpreter/lookup.h"

/* The attributes of a LogRecord without `extra`; from 3.12 on with taskName. */
#define LOGFLUME_OWN_ATTRIBUTES (PY_VERSION_HEX >= 0x030C0000 ? 21 : 20)

/* Whether `value` is exactly a str, number, bool, None or bytes; never fails. */
static inline int
logflume_is_immutable(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return type == &PyUnicode_Type || type == &PyLong_Type || value == Py_None || type == &PyFloat_Type
        || type == &PyBool_Type || type == &PyBytes_Type;
}

/* Whether `value` is a tuple of such values; never fails. */
static inline int
logflume_is_immutable_tuple(PyObject *value)
{
    Py_ssize_t size, i = 0;
    if (!PyTuple_CheckExact(value)) {
        return 0;
    }
    size = PyTuple_GET_SIZE(value);
    while (i < size && logflume_is_immutable(PyTuple_GET_ITEM(value, i))) {
        i++;
    }
    return i == size;
}

/* Whether all values of a dictionary are such values or tuples of them; never fails. */
static inline int
logflume_has_immutable_values(PyObject *dictionary)
{
    int immutable = 1;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    Py_BEGIN_CRITICAL_SECTION(dictionary);
    while (immutable && PyDict_Next(dictionary, &at, &key, &value)) {
        immutable = logflume_is_immutable(value) || logflume_is_immutable_tuple(value);
    }
    Py_END_CRITICAL_SECTION();
    return immutable;
}

/* Whether the attributes of a record that are not its own, if it has any, are immutable; never fails. */
static inline int
logflume_has_immutable_extra(PyObject *record)
{
    PyObject *attributes = logflume_instance_dict(record);
    int immutable = attributes != NULL
        && (PyDict_GET_SIZE(attributes) <= LOGFLUME_OWN_ATTRIBUTES || logflume_has_immutable_values(attributes));
    Py_XDECREF(attributes);
    return immutable;
}

/* Whether a record has no exception, and its message and extra fields are the same at any time, as far as that can be
   told without looking into tuples; never fails. */
static inline int
logflume_is_immutable_record(PyObject *record, PyObject *msg_name, PyObject *args_name, PyObject *exc_info_name)
{
    int immutable = 0;
    PyObject *value = PyObject_GetAttr(record, args_name);
    if (value != NULL) {
        immutable = value == Py_None || logflume_is_immutable_tuple(value);
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
    immutable = immutable && logflume_has_immutable_extra(record);
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* an attribute is missing */
        return 0;
    }
    return immutable;
}

#endif
