/* Whether the running code's contextvars are those of a copy made earlier. The public calls can only make a copy. */
#ifndef LOGFLUME_CONTEXTVARS_H
#define LOGFLUME_CONTEXTVARS_H

#include <Python.h>

#include "interpreter/gil.h"

#if LOGFLUME_GIL
#define Py_BUILD_CORE 1
#include "internal/pycore_context.h"
#undef Py_BUILD_CORE
#endif

/* 0 if the running code has no context, and so no contextvars. */
static inline int
logflume_has_context(void)
{
#if LOGFLUME_GIL
    return PyThreadState_Get()->context != NULL;
#else
    return 1;
#endif
}

/* Whether `context` has the same variables with the same values as the running code, which has a context. What holds
   them never changes: it is replaced when a variable is set. 0 also where that cannot be told. */
static inline int
logflume_is_current_context(PyObject *context)
{
#if LOGFLUME_GIL
    return ((PyContext *)context)->ctx_vars == ((PyContext *)PyThreadState_Get()->context)->ctx_vars;
#else
    (void)context;
    return 0;
#endif
}

#endif
