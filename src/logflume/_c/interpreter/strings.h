/* What a string holds, without a call. 3.11 knows strings that old extensions began and that have no kind yet: those are
   not ASCII here, of kind 0 and length 0. Asking them with CPython's macros aborts a build with assertions. */
#ifndef LOGFLUME_STRINGS_H
#define LOGFLUME_STRINGS_H

#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000
#define LOGFLUME_IS_READY(string) PyUnicode_IS_READY(string)
#else
#define LOGFLUME_IS_READY(string) 1
#endif

static inline int
logflume_is_ascii(PyObject *string)
{
    return LOGFLUME_IS_READY(string) && PyUnicode_IS_ASCII(string);
}

static inline int
logflume_kind(PyObject *string)
{
    return LOGFLUME_IS_READY(string) ? (int)PyUnicode_KIND(string) : 0;
}

static inline Py_ssize_t
logflume_length(PyObject *string)
{
    return LOGFLUME_IS_READY(string) ? PyUnicode_GET_LENGTH(string) : 0;
}

static inline void *
logflume_data(PyObject *string)
{
    return LOGFLUME_IS_READY(string) ? PyUnicode_DATA(string) : NULL;
}

#endif
