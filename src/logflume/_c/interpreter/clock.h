/* The time that time.time() and time.time_ns() give, without making an object of it. */
/* For one extension module alone: what is known is static. */
#ifndef LOGFLUME_CLOCK_H
#define LOGFLUME_CLOCK_H

#include <Python.h>

#ifndef MS_WINDOWS
#include <dlfcn.h>
#include <time.h>
#endif

#define LOGFLUME_SECOND 1000000000LL /* in nanoseconds */

/* What the built-in calls, if it is the interpreter's own. Tools that shift time replace it in place, at any time. */
static PyCFunction logflume_clock_function;

/* Has `clock`, one of the two, be read without a call as long as it calls what it calls now, if that is part of the
   same library as the interpreter's types. */
static inline void
logflume_trust_clock(PyObject *clock)
{
#ifndef MS_WINDOWS
    Dl_info function, type;
    if (PyCFunction_CheckExact(clock)
        && dladdr((void *)(uintptr_t)PyCFunction_GET_FUNCTION(clock), &function) && dladdr((void *)&PyFloat_Type, &type)
        && function.dli_fbase == type.dli_fbase) {
        logflume_clock_function = PyCFunction_GET_FUNCTION(clock);
    }
#else
    (void)clock;
#endif
}

/* Stores the time in nanoseconds, or returns 0 if `clock` has to be called for it; never fails. */
static inline int
logflume_read_clock(PyObject *clock, long long *ns)
{
    if (!PyCFunction_CheckExact(clock) || PyCFunction_GET_FUNCTION(clock) != logflume_clock_function) {
        return 0;
    }
#ifndef MS_WINDOWS
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return 0;
    }
    *ns = (long long)now.tv_sec * LOGFLUME_SECOND + now.tv_nsec;
    return 1;
#else
    (void)ns;
    return 0;
#endif
}

/* In seconds, rounded as time.time() rounds it. */
static inline double
logflume_seconds(long long ns)
{
    return ns % LOGFLUME_SECOND == 0 ? (double)(ns / LOGFLUME_SECOND) : (double)ns / 1e9;
}

#endif
