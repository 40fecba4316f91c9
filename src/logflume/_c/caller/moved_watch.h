/* Tells whether what a log call asks of the moved handlers is unchanged. */
/* For moved.pyx alone: the watch is static. */
#ifndef LOGFLUME_MOVED_WATCH_H
#define LOGFLUME_MOVED_WATCH_H

#include <Python.h>

#include "interpreter/dict_watch.h"

#if PY_VERSION_HEX >= 0x030C0000
static int logflume_on_moved_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value);
#endif
static logflume_watch logflume_moved = LOGFLUME_WATCH(logflume_on_moved_event);

#if PY_VERSION_HEX >= 0x030C0000
/* Ignores other attributes than these: some handlers set one for each record. */
static int
logflume_on_moved_event(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    static const char *const asked[] = {"level", "filters", "filter", "handle", NULL};
    int i;
    (void)dict; (void)value;
    if (event <= PyDict_EVENT_DELETED && PyUnicode_CheckExact(key)) {
        for (i = 0; asked[i] != NULL && PyUnicode_CompareWithASCIIString(key, asked[i]) != 0; i++) {
        }
        if (asked[i] == NULL) {
            return 0;
        }
    }
    logflume_count_change(&logflume_moved);
    return 0;
}
#endif

#endif
