/* The names of threads, until threading's table of them or the thread changes. */
/* For stamp.pxi alone: the cache is static. */
#ifndef LOGFLUME_THREAD_NAMES_H
#define LOGFLUME_THREAD_NAMES_H

#include <Python.h>

#include "interpreter/dict_watch.h"

LOGFLUME_DEFINE_WATCH(logflume_threads)

#if LOGFLUME_GIL
#define LOGFLUME_THREADS_BITS 6
#define LOGFLUME_THREADS (1 << LOGFLUME_THREADS_BITS)

/* What threading._active has for an identity. The dictionary, unchanged, holds the thread, whose own dictionary holds
   the name. */
typedef struct {
    unsigned long ident;
    logflume_watched_dict active;
    logflume_watched_object thread;
    PyObject *name;
} logflume_named_thread;

static logflume_named_thread logflume_named_threads[LOGFLUME_THREADS];

static inline logflume_named_thread *
logflume_named_thread_at(unsigned long ident)
{
    return &logflume_named_threads[((uint64_t)ident * 0x9E3779B97F4A7C15u) >> (64 - LOGFLUME_THREADS_BITS)];
}

/* The name of the thread that `active` has for `ident`, borrowed; NULL without an exception if it is not known. */
static inline PyObject *
logflume_cached_thread_name(unsigned long ident, PyObject *active)
{
    const logflume_named_thread *known = logflume_named_thread_at(ident);
    if (known->ident != ident || known->name == NULL
        || !logflume_is_unchanged(&logflume_threads, &known->active, active)
        || !logflume_is_object_unchanged(&logflume_threads, &known->thread)) {
        return NULL;
    }
    return known->name;
}

static inline void
logflume_cache_thread_name(
    unsigned long ident, const logflume_watched_dict *active, const logflume_watched_object *thread, PyObject *name)
{
    logflume_named_thread *known = logflume_named_thread_at(ident);
    known->ident = ident;
    known->active = *active;
    known->thread = *thread;
    known->name = name;
}
#else
static inline PyObject *
logflume_cached_thread_name(unsigned long ident, PyObject *active)
{
    (void)ident; (void)active;
    return NULL;
}

static inline void
logflume_cache_thread_name(
    unsigned long ident, const logflume_watched_dict *active, const logflume_watched_object *thread, PyObject *name)
{
    (void)ident; (void)active; (void)thread; (void)name;
}
#endif

#endif
