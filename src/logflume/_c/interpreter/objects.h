/* New objects without the calls of __new__, and how many references there are to one. */
#ifndef LOGFLUME_OBJECTS_H
#define LOGFLUME_OBJECTS_H

#include <Python.h>
#include <string.h>

#include "interpreter/gil.h"

/* A new object of `type` that the garbage collector does not track, zeroed but for its first `fields` fields, which are
   None. Neither __new__ nor an instance dictionary is made. */
static inline PyObject *
logflume_new_object(PyTypeObject *type, Py_ssize_t fields)
{
    PyObject *object = (PyObject *)PyObject_GC_New(PyObject, type);
    if (object == NULL) {
        return NULL;
    }
    PyObject **field = (PyObject **)(object + 1);
    memset(field, 0, type->tp_basicsize - sizeof(PyObject));
    for (Py_ssize_t i = 0; i < fields; i++) {
        field[i] = Py_NewRef(Py_None);
    }
    return object;
}

/* Whether there are no more than `count` references to `object`, and weak ones. Without the GIL that cannot be told. */
static inline int
logflume_has_references(PyObject *object, Py_ssize_t count)
{
    return LOGFLUME_GIL && Py_REFCNT(object) == count;
}

/* Whether there are weak references to an object of a class that allows them. */
static inline int
logflume_has_weak_references(PyObject *object)
{
    return Py_TYPE(object)->tp_weaklistoffset == 0 || *PyObject_GET_WEAKREFS_LISTPTR(object) != NULL;
}

#endif
