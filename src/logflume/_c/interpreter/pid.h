/* The number of this process: the system call costs more than the rest of a record's data together. */
/* For one extension alone: what is known is static. */
#ifndef LOGFLUME_PID_H
#define LOGFLUME_PID_H

#include <Python.h>

#ifndef MS_WINDOWS
#include <pthread.h>
#include <unistd.h>

static pid_t logflume_pid; /* 0: not known */
static int logflume_is_fork_watched;

static void logflume_forget_pid(void) { logflume_pid = 0; }

/* Has a forked child ask for its number again; to be called once. */
static inline int
logflume_watch_fork(void)
{
    logflume_is_fork_watched = pthread_atfork(NULL, NULL, logflume_forget_pid) == 0;
    return 0;
}

static inline long
logflume_getpid(void)
{
    if (!logflume_is_fork_watched) {
        return (long)getpid();
    }
    pid_t pid = logflume_pid;
    if (pid == 0) {
        logflume_pid = pid = getpid();
    }
    return (long)pid;
}
#else
#include <process.h>
static inline int logflume_watch_fork(void) { return 0; }
static inline long logflume_getpid(void) { return (long)_getpid(); }
#endif

#endif
