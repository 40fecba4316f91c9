/* Tells cheaply whether a class, or a base of it, changed since the last look. */
#ifndef LOGFLUME_TYPE_VERSION_H
#define LOGFLUME_TYPE_VERSION_H

#include <Python.h>

/* CPython gives a class a new version tag when an attribute of it or of a base is set (it is the key of the method
   cache), and no two classes ever have the same. The field has had this name and meaning from 3.11 to 3.15; there is no
   public call for it. 0 means "unknown". From 3.13 on a class gets a thousand tags and then no more, and neither do
   those derived from it: then what depends on the class is looked up each time. */
static inline unsigned int
logflume_type_version(PyTypeObject *type)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_uint(&type->tp_version_tag);
#else
    return type->tp_version_tag;
#endif
}

/* The version of `type`, which gets one if it has none: what is read of the class after this is of that version. 0 if
   it cannot have one. */
static inline unsigned int
logflume_assign_type_version(PyTypeObject *type)
{
    unsigned int version = logflume_type_version(type);
    if (version == 0) {
        PyObject *found = PyObject_GetAttrString((PyObject *)type, "__init__"); /* a look-up assigns one */
        Py_XDECREF(found);
        PyErr_Clear();
        version = logflume_type_version(type);
    }
    return version;
}

#endif
