"""Which of the handlers that were moved behind a queue handler a record is for, known until they change."""

from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.object cimport PyObject

from logflume._c.interpreter.python cimport Watch, WatchedObject, dict_get, instance_dict, watch_object

cdef extern from "caller/moved_watch.h":
    Watch logflume_moved
    bint is_object_unchanged "logflume_is_object_unchanged" (const Watch *watch, const WatchedObject *watched) noexcept


cdef object ASK = object()
cdef object NOBODY = object()
cdef object MISSING = object()


cdef class MovedCheck:
    """Asks the handlers of `moved`, a MovedHandlers, about the level of a record, without their attributes."""

    def __init__(self, moved):
        self.moved = moved
        self.handlers = moved.handlers
        self.for_all = moved.for_all()
        self.by_level = {}

    cdef object targets(self, long long levelno):
        """Return the targets of a record of that level, None among them, or NOBODY; ASK if filters have to tell."""
        if not self.is_current() and not self.look():
            return ASK
        if levelno >= self.highest:
            return self.for_all
        if levelno < self.lowest:
            return NOBODY
        if self.count == 0:
            return self.moved.of_level(levelno)
        found = dict_get(self.by_level, levelno, MISSING)
        if found is MISSING:
            found = self.by_level[levelno] = self.moved.of_level(levelno)
        return found

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
        if count > MOST_CHECKED:
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
        self.by_level.clear()
        self.count = count if is_watched else 0
        return True
