/* Tells whether a handler, its formatter and its style are unchanged since they were read. */
/* For one .pyx alone: the watch is static. */
#ifndef LOGFLUME_OUTPUTS_H
#define LOGFLUME_OUTPUTS_H

#include <Python.h>

#include "interpreter/dict_watch.h"

LOGFLUME_DEFINE_WATCH(logflume_outputs)

/* Whether what was read is `object`, and is unchanged. */
static inline int
logflume_is_same_object(const logflume_watched_object *watched, PyObject *object)
{
    return watched->object == object && logflume_is_object_unchanged(&logflume_outputs, watched);
}

#endif
