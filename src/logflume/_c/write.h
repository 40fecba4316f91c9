/* Writing to a file without the GIL. */
#ifndef LOGFLUME_WRITE_H
#define LOGFLUME_WRITE_H

#include <Python.h>
#include <errno.h>
#include <sys/stat.h>

#ifdef MS_WINDOWS
#include <io.h>
#else
#include <unistd.h>
#endif

typedef struct {
    int number;
    struct stat status;
} logflume_file;

/* Notes what file has that number; 0 if none has. */
static inline int
logflume_see_file(logflume_file *file, int number)
{
    file->number = number;
    return fstat(number, &file->status) == 0;
}

/* Writes once, and again only if a signal came before anything was written, as FileIO.write does; returns how many
   bytes were written, or -1. Without the GIL somebody may close the file, and its number become another one's. */
static inline Py_ssize_t
logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)
{
    struct stat now;
    Py_ssize_t written;
    if (fstat(file->number, &now) < 0 || now.st_dev != file->status.st_dev || now.st_ino != file->status.st_ino) {
        return -1;
    }
    if (size > INT_MAX) { /* more than some systems take at once */
        size = INT_MAX;
    }
    do {
#ifdef MS_WINDOWS
        written = _write(file->number, bytes, (unsigned int)size);
#else
        written = write(file->number, bytes, (size_t)size);
#endif
    } while (written < 0 && errno == EINTR);
    return written;
}

#endif
