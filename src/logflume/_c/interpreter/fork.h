/* Whether this process is a child that has not yet begun anew, and its number: the system call for that costs more than
   the rest of a record's data together. The C library tells of any call of fork(). */
/* For one extension alone: what is known is static. */
#ifndef LOGFLUME_FORK_H
#define LOGFLUME_FORK_H

#include <Python.h>

static volatile int logflume_is_forked;

static inline void logflume_forget_fork(void) { logflume_is_forked = 0; }

#ifndef MS_WINDOWS
#include <pthread.h>
#include <unistd.h>

static long logflume_pid; /* 0: not known */

static void
logflume_note_fork(void)
{
    logflume_is_forked = 1;
    logflume_pid = 0;
}

/* To be called once, before the others. */
static inline int
logflume_watch_fork(void)
{
    if (pthread_atfork(NULL, NULL, logflume_note_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static inline long
logflume_getpid(void)
{
    long pid = logflume_pid;
    if (pid == 0) {
        logflume_pid = pid = (long)getpid();
    }
    return pid;
}
#else
#include <process.h>
static inline int logflume_watch_fork(void) { return 0; }
static inline long logflume_getpid(void) { return (long)_getpid(); }
#endif

#endif
