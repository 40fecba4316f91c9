/* Tells whether a handler, its formatter and its style are as they were when they were looked at. */
/* For one .pyx alone: what is remembered is static. */
#ifndef LOGFLUME_OUTPUTS_H
#define LOGFLUME_OUTPUTS_H

#include <Python.h>

#include "interpreter/dict_watch.h"

LOGFLUME_DEFINE_GROUP(logflume_outputs)

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
