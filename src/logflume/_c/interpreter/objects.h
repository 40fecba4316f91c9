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

/* Without the GIL the thread that made an object counts its references apart from those of all other threads. The last
   of them has to ask that thread to add up the counts, and to end the object: that takes longer than the rest of what
   is done with a record. What goes to another thread for good avoids that in one of these two ways. */

/* Adds up the counts now, if the calling thread made the object. */
static inline void
logflume_give_away(PyObject *object)
{
#if LOGFLUME_GIL
    (void)object;
#else
    Py_ssize_t own = object->ob_ref_local, shared;
    if (object->ob_tid != _Py_ThreadId() || object->ob_ref_local == _Py_IMMORTAL_REFCNT_LOCAL) {
        return;
    }
    _Py_atomic_store_uint32_relaxed(&object->ob_ref_local, 0);
    _Py_atomic_store_uintptr_relaxed(&object->ob_tid, 0);
    shared = _Py_atomic_load_ssize_relaxed(&object->ob_ref_shared);
    /* The garbage collector's functions may have shown it to another thread. */
    while (!_Py_atomic_compare_exchange_ssize(
        &object->ob_ref_shared, &shared, (shared | _Py_REF_MERGED) + _Py_REF_SHARED(own, 0))) {
    }
#endif
}

/* A new reference that counts as one of another thread. */
static inline PyObject *
logflume_reference_to_give(PyObject *object)
{
#if LOGFLUME_GIL
    return Py_NewRef(object);
#else
    if (_Py_atomic_load_uint32_relaxed(&object->ob_ref_local) != _Py_IMMORTAL_REFCNT_LOCAL) {
        _Py_atomic_add_ssize(&object->ob_ref_shared, _Py_REF_SHARED(1, 0));
#ifdef Py_REF_DEBUG
        _Py_INCREF_IncRefTotal();
#endif
    }
    return object;
#endif
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
