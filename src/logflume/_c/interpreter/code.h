/* Tells whether functions have the code that they had before: `function.__code__ = ...` changes no class. */
#ifndef LOGFLUME_CODE_H
#define LOGFLUME_CODE_H

#include <Python.h>

typedef struct {
    PyObject *function; /* both are borrowed from an owner that lives for ever */
    PyObject *code;
} logflume_own_code;

static inline int
logflume_has_own_code(const logflume_own_code *own)
{
    return PyFunction_GET_CODE(own->function) == own->code;
}

/* The same for several, without a branch for each. */
static inline int
logflume_have_own_code(const logflume_own_code *own, int count)
{
    uintptr_t difference = 0;
    int i;
    for (i = 0; i < count; i++) {
        difference |= (uintptr_t)PyFunction_GET_CODE(own[i].function) ^ (uintptr_t)own[i].code;
    }
    return difference == 0;
}

#endif
