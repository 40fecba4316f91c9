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
} logflume_file;

/* Notes what file has that number; 0 if none has. */
static inline int
logflume_see_file(logflume_file *file, int number)
{
    file->number = number;
    return logflume_stat(number, &file->status) == 0;
}

/* Writes once, and again only if a signal came before anything was written, as FileIO.write does; returns how many
   bytes were written, or -1. Without the GIL somebody may close the file, and its number become another one's. */
static inline Py_ssize_t
logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)
{
    logflume_status now;
    Py_ssize_t written = -1;
#ifdef _MSC_VER
    _invalid_parameter_handler before = _set_thread_local_invalid_parameter_handler(logflume_ignore);
#endif
    if (size > INT_MAX) { /* more than some systems take at once */
        size = INT_MAX;
    }
    if (logflume_stat(file->number, &now) == 0 && now.st_dev == file->status.st_dev
            && now.st_ino == file->status.st_ino) {
        do {
#ifdef MS_WINDOWS
            written = _write(file->number, bytes, (unsigned int)size);
#else
            written = write(file->number, bytes, (size_t)size);
#endif
        } while (written < 0 && errno == EINTR);
    }
#ifdef _MSC_VER
    _set_thread_local_invalid_parameter_handler(before);
#endif
    return written;
}

#endif
