/* Writing to a file without the GIL. */
#ifndef LOGFLUME_WRITE_H
#define LOGFLUME_WRITE_H

#include <Python.h>

#ifndef MS_WINDOWS

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

typedef struct {
    int number;
    struct stat status;
    Py_ssize_t at_once; /* how many bytes to write at once, so that those of other processes do not come between */
} logflume_file;

/* Notes what file has that number; 0 if none has. */
static inline int
logflume_see_file(logflume_file *file, int number)
{
    file->number = number;
    if (fstat(number, &file->status) != 0) {
        return 0;
    }
    file->at_once = S_ISREG(file->status.st_mode) ? PY_SSIZE_T_MAX : PIPE_BUF;
    return 1;
}

/* Whether it still is the file that was seen: it may have been closed, and its number become another one's. */
static inline int
logflume_is_same_file(const logflume_file *file)
{
    struct stat now;
    return fstat(file->number, &now) == 0 && now.st_dev == file->status.st_dev && now.st_ino == file->status.st_ino;
}

/* Whether the two are one. */
static inline int
logflume_are_same(const logflume_file *file, const logflume_file *other)
{
    return file->status.st_dev == other->status.st_dev && file->status.st_ino == other->status.st_ino;
}

/* Whether a write waits until the file takes it; for regular files O_NONBLOCK changes nothing. */
static inline int
logflume_may_block(const logflume_file *file)
{
    int flags = S_ISREG(file->status.st_mode) ? 0 : fcntl(file->number, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

/* Writes once, and returns how many bytes were written: none if a signal came or the file would block. -1 if that failed,
   or if the number is another file's now: without the GIL it may be closed meanwhile. */
static inline Py_ssize_t
logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)
{
    Py_ssize_t written = -1;
    if (size > INT_MAX) { /* more than some systems take at once */
        size = INT_MAX;
    }
    if (logflume_is_same_file(file)) {
        written = write(file->number, bytes, (size_t)size);
        if (written < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
            written = 0;
        }
    }
    return written;
}

#else /* Windows has other newlines, so that all text goes through the handler's stream: no file is seen, or written. */

typedef struct {
    Py_ssize_t at_once;
} logflume_file;

static inline int
logflume_see_file(logflume_file *file, int number)
{
    (void)file;
    (void)number;
    return 0;
}

static inline int
logflume_is_same_file(const logflume_file *file)
{
    (void)file;
    return 0;
}

static inline int
logflume_are_same(const logflume_file *file, const logflume_file *other)
{
    (void)file;
    (void)other;
    return 1;
}

static inline int
logflume_may_block(const logflume_file *file)
{
    (void)file;
    return 1;
}

static inline Py_ssize_t
logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)
{
    (void)file;
    (void)bytes;
    (void)size;
    return -1;
}

#endif /* MS_WINDOWS */

#endif
