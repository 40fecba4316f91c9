/* Tells whether a handler, its formatter and its style are as they were when they were looked at. */
/* For one .pyx alone: what is remembered is static. */
#ifndef LOGFLUME_OUTPUTS_H
#define LOGFLUME_OUTPUTS_H

#include <Python.h>

#include "seen.h"

#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
static int logflume_on_output_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value);
#endif
static logflume_watched_group logflume_outputs = LOGFLUME_WATCHED_GROUP(logflume_on_output_event);

#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
static int
logflume_on_output_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)event; (void)dict; (void)key; (void)value;
    logflume_outputs.changes++;
    return 0;
}
#endif

/* Whether what was seen is `object`, and is as it was. */
static inline int
logflume_is_same_object(const logflume_seen_object *seen, PyObject *object)
{
#if LOGFLUME_GIL
    return seen->object == object && logflume_is_object_as_seen(&logflume_outputs, seen);
#else
    (void)seen; (void)object;
    return 0;
#endif
}

#endif
