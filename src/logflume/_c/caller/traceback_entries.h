/* Takes what a report needs of each entry of a traceback, and leaves the frame alone. */
#ifndef LOGFLUME_TRACEBACK_ENTRIES_H
#define LOGFLUME_TRACEBACK_ENTRIES_H

#include <Python.h>

#include "interpreter/gil.h"

/* The entry after this one: with the GIL borrowed, and good only until something runs Python. Without it another
   thread may give the entry another successor, so the reference is `*owned`, which the caller drops. */
static inline PyTracebackObject *
logflume_next_entry(PyTracebackObject *entry, PyObject **owned)
{
#if LOGFLUME_GIL
    (void)owned;
    return entry->tb_next;
#else
    PyObject *next = PyObject_GetAttrString((PyObject *)entry, "tb_next");
    Py_XSETREF(*owned, next);
    if (next == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return next == Py_None ? NULL : (PyTracebackObject *)next;
#endif
}

/* Of at most `most` entries: `*objects` becomes a tuple of two items for each, its code and the globals of its frame, and
   `*positions` bytes with two ints for each, tb_lasti and tb_lineno. Both are new references. -1 with an exception set
   if that cannot be had. */
static inline int
logflume_take_entries(PyObject *traceback, Py_ssize_t most, PyObject **objects, PyObject **positions)
{
    PyTracebackObject *first = traceback == Py_None ? NULL : (PyTracebackObject *)traceback;
    PyTracebackObject *entry;
    PyObject *owned = NULL;
    Py_ssize_t count = 0, taken = 0;
    int *numbers;

    *objects = *positions = NULL;
    for (entry = first; entry != NULL && count < most; entry = logflume_next_entry(entry, &owned)) {
        count++;
    }
    Py_CLEAR(owned);
    *positions = PyBytes_FromStringAndSize(NULL, count * 2 * (Py_ssize_t)sizeof(int));
    *objects = *positions == NULL ? NULL : PyTuple_New(count * 2);
    if (*objects == NULL) {
        Py_CLEAR(*positions);
        return -1;
    }
    /* On 3.11 an allocation may run the collector, and so any code: hence the entries are not those that were counted,
       but taken one by one. From here on nothing runs Python. */
    numbers = (int *)(void *)PyBytes_AS_STRING(*positions);
    for (entry = first; entry != NULL && taken < count; entry = logflume_next_entry(entry, &owned)) {
        PyTuple_SET_ITEM(*objects, 2 * taken, (PyObject *)PyFrame_GetCode(entry->tb_frame));
        PyTuple_SET_ITEM(*objects, 2 * taken + 1, PyFrame_GetGlobals(entry->tb_frame));
        numbers[2 * taken] = entry->tb_lasti;
        numbers[2 * taken + 1] = entry->tb_lineno;
        taken++;
    }
    Py_CLEAR(owned);
    if (taken < count) {
        Py_CLEAR(*objects);
        Py_CLEAR(*positions);
        PyErr_SetString(PyExc_RuntimeError, "the traceback changed while it was read");
        return -1;
    }
    return 0;
}

/* Puts `item` in the place of another in a tuple that only the caller has seen yet. */
static inline void
logflume_exchange(PyObject *tuple, Py_ssize_t index, PyObject *item)
{
    PyObject *before = PyTuple_GET_ITEM(tuple, index);
    PyTuple_SET_ITEM(tuple, index, Py_NewRef(item));
    Py_DECREF(before);
}

/* Whether objects of this type may be false. */
static inline int
logflume_may_be_false(PyTypeObject *type)
{
    return (type->tp_as_number != NULL && type->tp_as_number->nb_bool != NULL)
        || (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL)
        || (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL);
}

#endif
