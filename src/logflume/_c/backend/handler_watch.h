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

#endif
