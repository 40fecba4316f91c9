/* Remembers what a log call looked up about its logger and its thread, until something of that changes.

   A call needs a score of look-ups in dictionaries: is the level on, which handlers are there, on the logger or
   above it, what is the thread's name. The answers stay the same for hours, and the interpreter can tell whether
   a dictionary is as it was. Where it cannot, nothing is remembered, and the caller looks each time. */
/* For one .pyx alone: what is remembered is static. */
#ifndef LOGFLUME_LOOKUPS_H
#define LOGFLUME_LOOKUPS_H

#include <Python.h>

#include "interpreter/dict_watch.h"

/* ---- what is watched ---- */

#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
static int logflume_on_logger_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value);
#endif
static logflume_watched_group logflume_loggers = LOGFLUME_WATCHED_GROUP(logflume_on_logger_event);
LOGFLUME_DEFINE_GROUP(logflume_threads)

#if LOGFLUME_GIL && PY_VERSION_HEX >= 0x030C0000
static PyObject *logflume_logger_names;  /* a frozenset of str; NULL: all */

/* Has attributes with other names than these make no difference. */
static inline void
logflume_mind_only(PyObject *names)
{
    logflume_logger_names = Py_NewRef(names);
}

static int
logflume_on_logger_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)dict; (void)value;
    /* What is no str is a level in a logger's cache, or a dictionary that took the place of all. */
    if (logflume_logger_names == NULL || event > PyDict_EVENT_DELETED || !PyUnicode_CheckExact(key)
        || PySet_Contains(logflume_logger_names, key) != 0) {
        logflume_loggers.changes++;
    }
    return 0;
}
#else
#define logflume_mind_only(names) ((void)(names))
#endif

/* ---- the way from a logger to its queue ---- */

#define LOGFLUME_LONGEST_WAY 8

/* A logger with a level that is off; or one with a level that is on, and one handler in all on the way from it
   to the root. Nothing here is owned. The logger's dictionary, unchanged, holds its cache, its filters, its name,
   its list of handlers and its parent, and so on upwards. What is in the lists may change meanwhile: whoever is the
   only handler and has the handler's address may be another one. */
typedef struct {
    long long level;
    int is_on;
    logflume_seen cache;
    PyObject *filters;
    PyObject *name;
    PyObject *handler;
    PyObject *level_name;  /* what logging's table of them has, or None; held by it until the next look at it */
    unsigned long long look;
    int handler_at;  /* which of the loggers has it */
    int length;
    logflume_seen_object loggers[LOGFLUME_LONGEST_WAY];
    PyObject *handlers[LOGFLUME_LONGEST_WAY];
} logflume_way;

enum { LOGFLUME_UNKNOWN, LOGFLUME_OFF, LOGFLUME_ON };

#if LOGFLUME_GIL
#define LOGFLUME_WAYS_BITS 10
#define LOGFLUME_WAYS (1 << LOGFLUME_WAYS_BITS)
static logflume_way logflume_ways[LOGFLUME_WAYS];

static inline size_t
logflume_way_index(PyObject *logger, long long level)
{
    uint64_t mixed = (((uint64_t)(uintptr_t)logger >> 4) + ((uint64_t)level << 20)) * 0x9E3779B97F4A7C15u;
    return (size_t)(mixed >> (64 - LOGFLUME_WAYS_BITS));
}

static inline const logflume_way *
logflume_find_way(PyObject *logger, long long level)
{
    size_t index = logflume_way_index(logger, level);
    const logflume_way *way = &logflume_ways[index];
    if (way->loggers[0].object == logger && way->level == level) {
        return way;
    }
    way = &logflume_ways[index ^ 1];
    return way->loggers[0].object == logger && way->level == level ? way : NULL;
}

/* Whether a level is on: LOGFLUME_OFF, or LOGFLUME_ON with the way to the handler, or LOGFLUME_UNKNOWN. */
static inline int
logflume_recall(PyObject *logger, long long level, const logflume_way **found)
{
    const logflume_way *way = logflume_find_way(logger, level);
    int i;
    if (way == NULL || !logflume_is_object_as_seen(&logflume_loggers, &way->loggers[0])) {
        return LOGFLUME_UNKNOWN;
    }
    if (!logflume_is_as_seen(&logflume_loggers, &way->cache, way->cache.dict)) {
        return LOGFLUME_UNKNOWN;
    }
    if (!way->is_on) {
        return LOGFLUME_OFF;
    }
    if (PyList_GET_SIZE(way->filters) != 0) {
        return LOGFLUME_UNKNOWN;
    }
    for (i = 0; i < way->length; i++) {
        if (i > 0 && !logflume_is_object_as_seen(&logflume_loggers, &way->loggers[i])) {
            return LOGFLUME_UNKNOWN;
        }
        if (PyList_GET_SIZE(way->handlers[i]) != (i == way->handler_at)) {
            return LOGFLUME_UNKNOWN;
        }
    }
    if (PyList_GET_ITEM(way->handlers[way->handler_at], 0) != way->handler) {
        return LOGFLUME_UNKNOWN;
    }
    *found = way;
    return LOGFLUME_ON;
}

static inline void
logflume_remember(const logflume_way *way)
{
    static unsigned int turn;
    size_t index = logflume_way_index(way->loggers[0].object, way->level);
    if (logflume_ways[index].loggers[0].object != NULL
        && (logflume_ways[index].loggers[0].object != way->loggers[0].object
            || logflume_ways[index].level != way->level)) {
        index ^= ++turn & 1;
    }
    logflume_ways[index] = *way;
}
#else
static inline int
logflume_recall(PyObject *logger, long long level, const logflume_way **found)
{
    (void)logger; (void)level; (void)found;
    return LOGFLUME_UNKNOWN;
}

static inline void
logflume_remember(const logflume_way *way)
{
    (void)way;
}
#endif

/* ---- the names of threads ---- */

#if LOGFLUME_GIL
#define LOGFLUME_THREADS_BITS 6
#define LOGFLUME_THREADS (1 << LOGFLUME_THREADS_BITS)

/* What threading._active has for an identity. The dictionary, unchanged, holds the thread, whose own one holds
   the name. */
typedef struct {
    unsigned long ident;
    logflume_seen active;
    logflume_seen_object thread;
    PyObject *name;
} logflume_named_thread;

static logflume_named_thread logflume_named_threads[LOGFLUME_THREADS];

static inline logflume_named_thread *
logflume_named_thread_at(unsigned long ident)
{
    return &logflume_named_threads[((uint64_t)ident * 0x9E3779B97F4A7C15u) >> (64 - LOGFLUME_THREADS_BITS)];
}

/* The name of the thread that is `active` under `ident`, borrowed; NULL without an exception if it has to be looked up. */
static inline PyObject *
logflume_recall_name(unsigned long ident, PyObject *active)
{
    const logflume_named_thread *known = logflume_named_thread_at(ident);
    if (known->ident != ident || known->name == NULL
        || !logflume_is_as_seen(&logflume_threads, &known->active, active)
        || !logflume_is_object_as_seen(&logflume_threads, &known->thread)) {
        return NULL;
    }
    return known->name;
}

static inline void
logflume_remember_name(unsigned long ident, const logflume_seen *active, const logflume_seen_object *thread, PyObject *name)
{
    logflume_named_thread *known = logflume_named_thread_at(ident);
    known->ident = ident;
    known->active = *active;
    known->thread = *thread;
    known->name = name;
}
#else
static inline PyObject *
logflume_recall_name(unsigned long ident, PyObject *active)
{
    (void)ident; (void)active;
    return NULL;
}

static inline void
logflume_remember_name(unsigned long ident, const logflume_seen *active, const logflume_seen_object *thread, PyObject *name)
{
    (void)ident; (void)active; (void)thread; (void)name;
}
#endif

#endif
