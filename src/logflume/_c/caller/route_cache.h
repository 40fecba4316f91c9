/* The routes of loggers: whether a level is on, and which handler takes the record, until any of that changes.

   A call needs a score of look-ups in dictionaries for it. The answers stay the same for hours, and CPython can tell
   whether a dictionary is unchanged. Where it cannot, nothing is kept, and each call looks everything up. */
/* For route.pxi alone: the cache is static. */
#ifndef LOGFLUME_ROUTE_CACHE_H
#define LOGFLUME_ROUTE_CACHE_H

#include <Python.h>

#include "interpreter/dict_watch.h"

/* The dictionaries of loggers, and in them the cache of levels; and those of moved handlers, for moved.pxi. */
LOGFLUME_DEFINE_WATCH(logflume_loggers)

#define LOGFLUME_LONGEST_ROUTE 8

/* A logger with a level that is off; or one with a level that is on, and one handler in all on the route from it
   to the root. Nothing here is owned. The logger's dictionary, unchanged, holds its cache, its filters, its name,
   its list of handlers and its parent, and so on upwards. What is in the lists may change meanwhile: an only handler
   that has the handler's address may be another one. */
typedef struct {
    long long level;
    int is_on;
    logflume_watched_dict cache;
    PyObject *filters;
    PyObject *name;
    PyObject *handler;
    PyObject *level_name;         /* from logging's table, or NULL; held by it in the logging state of that number */
    unsigned long long state_number;
    int handler_at; /* which of the loggers has it */
    int length;
    logflume_watched_object loggers[LOGFLUME_LONGEST_ROUTE];
    PyObject *handlers[LOGFLUME_LONGEST_ROUTE];
} logflume_route;

enum { LOGFLUME_UNKNOWN, LOGFLUME_OFF, LOGFLUME_ON };

#if LOGFLUME_GIL
#define LOGFLUME_ROUTES_BITS 10
#define LOGFLUME_ROUTES (1 << LOGFLUME_ROUTES_BITS)
static logflume_route logflume_routes[LOGFLUME_ROUTES];

static inline size_t
logflume_route_index(PyObject *logger, long long level)
{
    uint64_t mixed = (((uint64_t)(uintptr_t)logger >> 4) + ((uint64_t)level << 20)) * 0x9E3779B97F4A7C15u;
    return (size_t)(mixed >> (64 - LOGFLUME_ROUTES_BITS));
}

static inline int
logflume_is_route_of(const logflume_route *route, PyObject *logger, long long level)
{
    return route->loggers[0].object == logger && route->level == level;
}

/* Whether a level is on: LOGFLUME_OFF, or LOGFLUME_ON with the route to the handler, or LOGFLUME_UNKNOWN. */
static inline int
logflume_cached_route(PyObject *logger, long long level, const logflume_route **found)
{
    size_t index = logflume_route_index(logger, level);
    const logflume_route *route = &logflume_routes[index];
    int i;
    if (!logflume_is_route_of(route, logger, level)) {
        route = &logflume_routes[index ^ 1];
        if (!logflume_is_route_of(route, logger, level)) {
            return LOGFLUME_UNKNOWN;
        }
    }
    if (!logflume_is_object_unchanged(&logflume_loggers, &route->loggers[0])
        || !logflume_is_unchanged(&logflume_loggers, &route->cache, route->cache.dict)) {
        return LOGFLUME_UNKNOWN;
    }
    if (!route->is_on) {
        return LOGFLUME_OFF;
    }
    if (PyList_GET_SIZE(route->filters) != 0) {
        return LOGFLUME_UNKNOWN;
    }
    for (i = 0; i < route->length; i++) {
        if (i > 0 && !logflume_is_object_unchanged(&logflume_loggers, &route->loggers[i])) {
            return LOGFLUME_UNKNOWN;
        }
        if (PyList_GET_SIZE(route->handlers[i]) != (i == route->handler_at)) {
            return LOGFLUME_UNKNOWN;
        }
    }
    if (PyList_GET_ITEM(route->handlers[route->handler_at], 0) != route->handler) {
        return LOGFLUME_UNKNOWN;
    }
    *found = route;
    return LOGFLUME_ON;
}

/* Keeps a route in one of its two places: not always the same, so that two loggers do not evict each other. */
static inline void
logflume_cache_route(const logflume_route *route)
{
    static unsigned int evictions;
    size_t index = logflume_route_index(route->loggers[0].object, route->level);
    const logflume_route *old = &logflume_routes[index];
    if (old->loggers[0].object != NULL && !logflume_is_route_of(old, route->loggers[0].object, route->level)) {
        index ^= ++evictions & 1;
    }
    logflume_routes[index] = *route;
}
#else
static inline int
logflume_cached_route(PyObject *logger, long long level, const logflume_route **found)
{
    (void)logger; (void)level; (void)found;
    return LOGFLUME_UNKNOWN;
}

static inline void
logflume_cache_route(const logflume_route *route)
{
    (void)route;
}
#endif

#endif
