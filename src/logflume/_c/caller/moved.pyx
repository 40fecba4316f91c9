"""Whether a record is for all of the handlers that were moved behind a queue handler, known until they change."""

from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.object cimport PyObject

from logflume._c.interpreter.python cimport Watch, WatchedObject, dict_get, instance_dict, watch_object

cdef extern from "caller/moved_watch.h":
    Watch logflume_moved
    bint is_object_unchanged "logflume_is_object_unchanged" (const Watch *watch, const WatchedObject *watched) noexcept


cdef class MovedCheck:
    """Asks the handlers of `moved`, a MovedHandlers, about the level of a record, without their attributes."""

    def __init__(self, moved):
        self.moved = moved
        self.handlers = moved.handlers

    cdef int ask(self, long long levelno) except -1:
        """Return FOR_ALL if each handler takes a record of that level as it is, FOR_NONE, or FOR_SOME."""
        if not self.is_current() and not self.look():
            return FOR_SOME
        if levelno < self.lowest:
            return FOR_NONE
        return FOR_ALL if levelno >= self.highest else FOR_SOME

    cdef bint is_current(self) noexcept:
        cdef int index
        for index in range(self.count):
            if not is_object_unchanged(&logflume_moved, &self.watched[index]):
                return False
            if PyList_GET_SIZE(<object>self.filters[index]) != 0:
                return False
        return self.count > 0

    cdef bint look(self) except -1:
        """Look at the handlers; False if each record has to be asked about."""
        cdef int index, count = <int>len(self.handlers)
        cdef object attributes, filters
        cdef bint is_watched = True
        self.count = 0
        if count > MOST_CHECKED or not self.moved.are_all:
            return False
        for index in range(count):
            attributes = instance_dict(self.handlers[index])
            # Noted first, and read then: a change in between is found the next time.
            if not watch_object(&logflume_moved, &self.watched[index], self.handlers[index], attributes):
                is_watched = False
            filters = dict_get(attributes, "filters", None)
            if not PyList_CheckExact(filters):
                return False
            self.filters[index] = <PyObject *>filters
        limits = self.moved.limits()
        if limits is None:
            return False
        self.lowest, self.highest = limits
        self.count = count if is_watched else 0
        return True
