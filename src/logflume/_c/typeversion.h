/* Tells cheaply whether a class, or a base of it, changed since the last look. */
#ifndef LOGFLUME_TYPEVERSION_H
#define LOGFLUME_TYPEVERSION_H

#include <Python.h>

/* CPython gives a type a new version tag when an attribute of it or of a base is set (it is the key of the
   method cache). The field has had this name and meaning from 3.11 to 3.15; there is no public call for it.
   0 means "unknown, look again": so does every interpreter that has no such field. */
static inline unsigned int
logflume_type_version(PyTypeObject *type)
{
#if !defined(PYPY_VERSION) && !defined(GRAALVM_PYTHON)
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_uint(&type->tp_version_tag);
#else
    return type->tp_version_tag;
#endif
#else
    (void)type;
    return 0;
#endif
}

#endif
