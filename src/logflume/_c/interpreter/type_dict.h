/* How to take from a class in C a name that Cython needs only while modules are imported. */
#ifndef LOGFLUME_TYPE_DICT_H
#define LOGFLUME_TYPE_DICT_H

#include <Python.h>

/* Remove `name` from the attributes of `type`, if it is there; -1 with an exception set. */
static inline int
logflume_hide(PyTypeObject *type, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    int found, result = 0;

    if (key == NULL)
        return -1;
    found = PyDict_Contains(type->tp_dict, key);
    if (found > 0)
        result = PyDict_DelItem(type->tp_dict, key);
    Py_DECREF(key);
    PyType_Modified(type);
    return found < 0 ? -1 : result;
}

#endif
