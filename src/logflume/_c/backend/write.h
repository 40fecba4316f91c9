/* Writing to a file without the GIL. */
#ifndef LOGFLUME_WRITE_H
#define LOGFLUME_WRITE_H

#include <Python.h>
#include <errno.h>
#include <sys/stat.h>

#ifdef MS_WINDOWS
#include <io.h>
#include <stdlib.h>
#define logflume_stat _fstat64 /* the plain one fails for files over 2 GB */
typedef struct _stat64 logflume_status;
#else
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#define logflume_stat fstat
typedef struct stat logflume_status;
#endif

#ifdef _MSC_VER
/* Without it Microsoft's C library ends the process when the number is no file's. */
static void
logflume_ignore(const wchar_t *what, const wchar_t *function, const wchar_t *file, unsigned int line, uintptr_t unused)
{
}
#endif

typedef struct {
    int number;
    logflume_status status;
    Py_ssize_t at_once; /* how many bytes to write at once, so that those of other processes do not come between */
} logflume_file;

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* Notes what file has that number; 0 if none has. */
static inline int
logflume_see_file(logflume_file *file, int number)
{
    file->number = number;
    if (logflume_stat(number, &file->status) != 0) {
        return 0;
    }
    file->at_once = (file->status.st_mode & S_IFMT) == S_IFREG ? PY_SSIZE_T_MAX : PIPE_BUF;
    return 1;
}

/* Whether it still is the file that was seen: it may have been closed, and its number become another one's. */
static inline int
logflume_is_same_file(const logflume_file *file)
{
    logflume_status now;
    return logflume_stat(file->number, &now) == 0 && now.st_dev == file->status.st_dev
        && now.st_ino == file->status.st_ino;
}

/* Whether a write waits until the file takes it. */
static inline int
logflume_may_block(const logflume_file *file)
{
#ifdef MS_WINDOWS
    (void)file;
    return 1;
#else
    int flags = fcntl(file->number, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
#endif
}

/* Writes once, and returns how many bytes were written: none if a signal came or the file would block. -1 if that failed,
   or if the number is another file's now: without the GIL it may be closed meanwhile. */
static inline Py_ssize_t
logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)
{
    Py_ssize_t written = -1;
#ifdef _MSC_VER
    _invalid_parameter_handler before = _set_thread_local_invalid_parameter_handler(logflume_ignore);
#endif
    if (size > INT_MAX) { /* more than some systems take at once */
        size = INT_MAX;
    }
    if (logflume_is_same_file(file)) {
#ifdef MS_WINDOWS
        written = _write(file->number, bytes, (unsigned int)size);
#else
        written = write(file->number, bytes, (size_t)size);
#endif
        if (written < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
            written = 0;
        }
    }
#ifdef _MSC_VER
    _set_thread_local_invalid_parameter_handler(before);
#endif
    return written;
}

#endif
