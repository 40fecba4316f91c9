/* The time that time.time() and time.time_ns() give, without making an object of it. */
/* For one .pyx alone: what is known is static. */
#ifndef LOGFLUME_CLOCK_H
#define LOGFLUME_CLOCK_H

#include <Python.h>

#ifndef MS_WINDOWS
#include <time.h>
#endif

#define LOGFLUME_SECOND 1000000000LL /* in nanoseconds */

/* What the built-in calls, if nothing has replaced it. Tools that shift time do so in place, so it is compared each time. */
static PyCFunction logflume_clock_function;

/* Takes `clock`, one of the two, for the interpreter's own. */
static inline void
logflume_trust_clock(PyObject *clock)
{
    if (PyCFunction_CheckExact(clock)) {
        logflume_clock_function = PyCFunction_GET_FUNCTION(clock);
    }
}

/* Stores the time in nanoseconds, or returns 0 if `clock` has to be called for it; never fails. */
static inline int
logflume_read_clock(PyObject *clock, long long *ns)
{
    if (!PyCFunction_CheckExact(clock) || PyCFunction_GET_FUNCTION(clock) != logflume_clock_function) {
        return 0;
    }
#if PY_VERSION_HEX >= 0x030D0000
    PyTime_t now;
    if (PyTime_TimeRaw(&now) < 0) {
        return 0;
    }
    *ns = now;
    return 1;
#elif !defined(MS_WINDOWS)
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
