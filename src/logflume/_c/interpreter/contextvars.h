/* Whether the running code's contextvars are those of a copy made earlier. The public calls can only make a copy. */
#ifndef LOGFLUME_CONTEXTVARS_H
#define LOGFLUME_CONTEXTVARS_H

#include <Python.h>

#define Py_BUILD_CORE 1
#include "internal/pycore_context.h"
#undef Py_BUILD_CORE

/* Whether the running code has contextvars that are set. */
static inline int
logflume_has_contextvars(void)
{
    PyContext *context = (PyContext *)PyThreadState_Get()->context;
    return context != NULL && context->ctx_vars->h_count != 0;
}

/* Whether `context` has the same variables with the same values as the running code, which has some. What holds them
   never changes: it is replaced when a variable is set. */
static inline int
logflume_is_current_context(PyObject *context)
{
    return ((PyContext *)context)->ctx_vars == ((PyContext *)PyThreadState_Get()->context)->ctx_vars;
}

#endif
