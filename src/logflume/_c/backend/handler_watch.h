/* Tells whether a handler, its formatter and its style are as they were when the plan for it was made. */
/* For plan.pyx alone: what is watched is static. */
#ifndef LOGFLUME_HANDLER_WATCH_H
#define LOGFLUME_HANDLER_WATCH_H

#include <Python.h>

#include "interpreter/dict_watch.h"

LOGFLUME_DEFINE_GROUP(logflume_handlers)

/* Whether what was noted is `object`, and is as it was. */
static inline int
logflume_is_same_object(const logflume_seen_object *seen, PyObject *object)
{
#if LOGFLUME_GIL
    return seen->object == object && logflume_is_object_as_seen(&logflume_handlers, seen);
#else
    (void)seen; (void)object;
    return 0;
#endif
}

#endif
