/* Whether this process is a child that has not yet begun anew: the C library tells, for any call of fork(). */
/* For one extension alone: what is known is static. */
#ifndef LOGFLUME_FORK_H
#define LOGFLUME_FORK_H

#include <Python.h>

static volatile int logflume_is_forked;

static void logflume_forget_fork(void) { logflume_is_forked = 0; }

#ifndef MS_WINDOWS
#include <pthread.h>

static void logflume_note_fork(void) { logflume_is_forked = 1; }

/* To be called once. */
static int
logflume_watch_fork_in_c(void)
{
    if (pthread_atfork(NULL, NULL, logflume_note_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}
#else
static int logflume_watch_fork_in_c(void) { return 0; }
#endif

#endif
