/* Values looked up in dictionaries, lists and objects, as new references: without the GIL another thread may
   replace a value right after a look-up. */
#ifndef LOGFLUME_LOOKUP_H
#define LOGFLUME_LOOKUP_H

#include <Python.h>

#include "interpreter/gil.h"

/* The value, or `missing` if there is none; NULL on error. PyDict_GetItemRef() is public from 3.13 on. */
static inline PyObject *
logflume_dict_get(PyObject *dict, PyObject *key, PyObject *missing)
{
    PyObject *value;
#if PY_VERSION_HEX >= 0x030D0000
    if (PyDict_GetItemRef(dict, key, &value) == 0) {
        value = Py_NewRef(missing);
    }
    return value;
#else
    value = PyDict_GetItemWithError(dict, key);
    if (value == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        value = missing;
    }
    return Py_NewRef(value);
#endif
}

/* The item, or `missing` if the list has become shorter. */
static inline PyObject *
logflume_list_get(PyObject *list, Py_ssize_t index, PyObject *missing)
{
#if LOGFLUME_GIL
    return Py_NewRef(index < PyList_GET_SIZE(list) ? PyList_GET_ITEM(list, index) : missing);
#else
    PyObject *item = PyList_GetItemRef(list, index);
    if (item == NULL) {
        PyErr_Clear();
        item = Py_NewRef(missing);
    }
    return item;
#endif
}

/* The object's own dictionary, which is made if it has none yet; NULL with an exception set on error. With the GIL the
   pointer is read where CPython keeps it, which spares a call. */
static inline PyObject *
logflume_instance_dict(PyObject *object)
{
#if LOGFLUME_GIL
    PyObject **slot = _PyObject_GetDictPtr(object);
    if (slot != NULL && *slot != NULL) {
        return Py_NewRef(*slot);
    }
#endif
    return PyObject_GenericGetDict(object, NULL);
}

/* The dictionary of a class, or `missing` if Python code cannot change the class. PyType_GetDict() is public from 3.12
   on. */
static inline PyObject *
logflume_class_dict(PyObject *cls, PyObject *missing)
{
    PyTypeObject *type = (PyTypeObject *)cls;
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        return Py_NewRef(missing);
    }
#if PY_VERSION_HEX >= 0x030C0000
    return PyType_GetDict(type);
#else
    return Py_NewRef(type->tp_dict);
#endif
}

#endif
