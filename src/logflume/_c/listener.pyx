"""The part of a listener that a log call looks at, and the loops that run once for each record."""

from cpython.pythread cimport PyThread_get_thread_ident

import queue as _queue

IDLE = 0
RUNNING = 1
STOPPED = 2

cdef object Empty = _queue.Empty


cdef class ListenerCore:
    """State shared by a listener and the handlers that feed it."""

    @property
    def delivering_thread(self):
        return self._delivering_thread

    @delivering_thread.setter
    def delivering_thread(self, unsigned long ident):
        self._delivering_thread = ident


def take(queue, int limit):
    """Return up to `limit` items that are in `queue` now, oldest first, without waiting."""
    cdef list items = []
    cdef object get = queue.get_nowait
    cdef int i
    for i in range(limit):
        try:
            items.append(get())
        except Empty:
            break
    return items
