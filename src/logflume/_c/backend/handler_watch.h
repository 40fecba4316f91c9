/* Tells whether a handler, its formatter and its style are unchanged since the plan for it was made. */
/* For plan.pyx alone: the watch is static. */
#ifndef LOGFLUME_HANDLER_WATCH_H
#define LOGFLUME_HANDLER_WATCH_H

#include <Python.h>

#include "interpreter/dict_watch.h"

LOGFLUME_DEFINE_WATCH(logflume_handlers)

/* Whether what was read is `object`, and is unchanged. */
static inline int
logflume_is_same_object(const logflume_watched_object *watched, PyObject *object)
{
    return watched->object == object && logflume_is_object_unchanged(&logflume_handlers, watched);
}

/* Sets the flag at `translates` if `held` can be the newline of a text stream that writes another one than "\n". */
static int
logflume_visit_held(PyObject *held, void *translates)
{
    if (PyUnicode_CheckExact(held)
        && (PyUnicode_CompareWithASCIIString(held, "\r\n") == 0 || PyUnicode_CompareWithASCIIString(held, "\r") == 0)) {
        *(int *)translates = 1;
    }
    return 0;
}

/* As keeps_newlines() in _delivery/sinks.py, which knows whether the answer is right. */
static inline int
logflume_keeps_newlines(PyObject *stream)
{
    int translates = 0;
    if (Py_TYPE(stream)->tp_traverse == NULL) {
        return 0;
    }
    Py_TYPE(stream)->tp_traverse(stream, logflume_visit_held, &translates);
    return !translates;
}

#endif
