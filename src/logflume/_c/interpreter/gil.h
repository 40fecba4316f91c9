/* Whether one thread at a time runs Python code, and words that threads share. */
#ifndef LOGFLUME_GIL_H
#define LOGFLUME_GIL_H

#include <Python.h>

/* The extensions are built for CPython only: what is not free-threaded has the GIL. */
#ifdef Py_GIL_DISABLED
#define LOGFLUME_GIL 0
#else
#define LOGFLUME_GIL 1
#endif

/* Without the GIL a plain access could read half of a change. Python's own atomic accesses work with every compiler;
   those of gcc and clang are not MSVC's. */
static inline unsigned long long
logflume_load(const unsigned long long *word)
{
#if LOGFLUME_GIL
    return *word;
#else
    return _Py_atomic_load_uint64_relaxed((const uint64_t *)word);
#endif
}

static inline void
logflume_store(unsigned long long *word, unsigned long long value)
{
#if LOGFLUME_GIL
    *word = value;
#else
    _Py_atomic_store_uint64_relaxed((uint64_t *)word, value);
#endif
}

/* A pointer that another thread may replace, for comparison. */
static inline void *
logflume_load_pointer(void *place)
{
#if LOGFLUME_GIL
    return *(void **)place;
#else
    return _Py_atomic_load_ptr(place);
#endif
}

#ifndef Py_BEGIN_CRITICAL_SECTION /* before 3.13 */
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

#endif
