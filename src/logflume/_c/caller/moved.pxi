"""Which of the handlers that were moved behind a queue handler a record is for.

Their levels, and logging's own filters, tell that without a LogRecord and without their attributes, until they change.
Other filters are called with one.
"""

cdef enum:
    MOST_CHECKED = 8  # handlers

# What is read of the handlers, which route.pxi watches with the loggers.
cdef tuple READ_OF_HANDLERS = ("level", "filters", "filter", "handle")

# What targets() returns besides targets.
cdef object ASK = object()  # ask() tells
cdef object NO_TARGETS = object()


cdef class MovedCheck:
    """Asks the handlers of `moved`, a MovedHandlers, about the level and the filters of a record."""

    cdef readonly object moved
    cdef tuple handlers
    cdef int count  # of the handlers that are watched; 0: nothing is known
    cdef WatchedObject watched[MOST_CHECKED]
    cdef PyObject *filters[MOST_CHECKED]
    cdef list held  # owns them
    cdef long long levels[MOST_CHECKED]
    cdef bint asked[MOST_CHECKED]  # whether its filters are asked in the call
    cdef bint overridden[MOST_CHECKED]  # whether its filter() is not the standard one
    cdef long long lowest
    cdef long long highest
    cdef readonly object for_all  # the targets of a record that is for all handlers
    cdef dict by_level  # those of a record of a level
    cdef dict by_set  # those of a record for a set of handlers, one bit each

    def __init__(self, moved):
        self.moved = moved
        self.handlers = moved.handlers
        self.for_all = moved.for_all()
        self.by_level = {}
        self.by_set = {}

    cdef object targets(self, long long levelno, object name):
        """Return the targets of a record of that level and logger, maybe None, or NO_TARGETS; ASK if filters tell."""
        cdef bint have_filters = False
        if not self.is_current(&have_filters) and not self.read_handlers(&have_filters):
            return ASK
        if have_filters:
            return self.by_names(levelno, name)
        if levelno >= self.highest:
            return self.for_all
        if levelno < self.lowest:
            return NO_TARGETS
        if self.count == 0:
            return self.moved.of_level(levelno)
        found = dict_get(self.by_level, levelno, MISSING)
        if found is MISSING:
            found = self.by_level[levelno] = self.moved.of_level(levelno)
        return found

    cdef object by_names(self, long long levelno, object name):
        cdef int index
        cdef int verdict
        cdef unsigned int chosen = 0
        for index in range(self.count):
            if not self.is_known(index):  # what a filter has may run code
                return ASK
            if levelno < self.levels[index]:
                continue
            if self.asked[index]:
                if self.overridden[index]:
                    return ASK
                if PyList_GET_SIZE(<object>self.filters[index]) != 0:
                    verdict = by_name(<list>self.filters[index], name)
                    if verdict == ASKS:
                        return ASK
                    if verdict == DROPS:
                        continue
            chosen |= 1 << index
        if chosen == 0:
            return NO_TARGETS
        found = dict_get(self.by_set, chosen, MISSING)
        if found is MISSING:
            handlers = tuple([self.handlers[index] for index in range(self.count) if chosen >> index & 1])
            found = self.by_set[chosen] = self.moved.last(handlers)
        return found

    cdef bint is_current(self, bint *have_filters) noexcept:
        cdef int index
        for index in range(self.count):
            if not is_object_unchanged(&logflume_loggers, &self.watched[index]):
                return False
            if PyList_GET_SIZE(<object>self.filters[index]) != 0 or self.overridden[index]:
                have_filters[0] = True
        return self.count > 0

    cdef bint read_handlers(self, bint *have_filters) except -1:
        """Read what the handlers have; False if each record has to be asked about."""
        cdef int index, count = <int>len(self.handlers)
        cdef object attributes, filters
        cdef bint is_watched = True
        self.count = 0
        self.held = []
        have_filters[0] = False
        if count > MOST_CHECKED or not self.moved.tells_in_call():
            return False
        for index in range(count):
            handler = self.handlers[index]
            if not hasattr(handler, "__dict__"):  # it is no logging.Handler
                return False
            attributes = instance_dict(handler)
            # Noted first, and read then: a change in between is found the next time.
            if not watch_object(&logflume_loggers, &self.watched[index], handler, attributes):
                is_watched = False
            filters = dict_get(attributes, "filters", None)
            level = handler.level if self.moved.respects_levels else 0
            if not PyList_CheckExact(filters) or not PyLong_CheckExact(level):
                return False
            self.held.append(filters)
            self.filters[index] = <PyObject *>filters
            self.levels[index] = level
            self.asked[index] = self.moved.asks_filters and has_standard_handle(handler)
            self.overridden[index] = self.asked[index] and not has_standard_filter(handler)
            if self.overridden[index] or PyList_GET_SIZE(filters) != 0:
                have_filters[0] = True
        if have_filters[0] and not is_watched:
            return False
        self.lowest = min([self.levels[index] for index in range(count)])
        self.highest = max([self.levels[index] for index in range(count)])
        self.by_level.clear()
        self.count = count if is_watched else 0
        return True

    cdef bint is_known(self, Py_ssize_t index) noexcept:
        """Tell whether the handler at that index is as read_handlers() found it."""
        return index < self.count and is_object_unchanged(&logflume_loggers, &self.watched[index])

    cdef bint is_below(self, Py_ssize_t index, object handler, CapturedRecord record) except -1:
        """Tell whether the record is below the level of the handler at that index."""
        if record.made is not None:
            return self.moved.respects_levels and record.made.levelno < handler.level
        if self.is_known(index):
            return record.levelno < self.levels[index]
        return self.moved.respects_levels and record.levelno < handler.level

    cdef bint may_filter(self, Py_ssize_t index, object handler) except -1:
        """Tell whether the filters of the handler at that index may drop or change a record."""
        if self.is_known(index):
            return self.asked[index] and (
                self.overridden[index] or PyList_GET_SIZE(<object>self.filters[index]) != 0
            )
        return self.moved.may_filter(handler)

    cdef list ask(self, CapturedRecord record):
        """Ask the handlers' levels and filters about `record`; return what to enqueue, in this order.

        As MovedHandlers.ask(); the items are pairs of targets and `record` itself, or LogRecords: copies, and what
        filters returned. `record` has a LogRecord afterwards only if other code may still see that.
        """
        cdef list found = []
        cdef list passed = []  # the handlers that get the record as it is now
        cdef object moved = self.moved, answer = None, before = None
        cdef tuple handlers = self.handlers
        cdef Py_ssize_t index
        for index in range(len(handlers)):
            handler = handlers[index]
            if self.is_below(index, handler, record):
                continue
            if self.may_filter(index, handler):
                if passed:
                    before = private_copy(made_of(record))
                try:
                    answer = handler.filter(made_of(record))
                except Exception:
                    moved.report(made_of(record), handler)
                    answer = None
                replaced = answer is not True and answer is not record.made and isinstance(answer, LogRecord)
                if passed and (replaced or not has_same_attributes(before, record.made)):
                    found.append((moved.some(tuple(passed)), before))
                    passed = []
                before = None
                if replaced:
                    found.append((moved.some((handler,)), answer))
                    continue
                if not answer:
                    continue
                answer = None  # take_back() needs the only reference
            passed.append(handler)
        if record.made is not None:
            take_back(record)
        if not passed and not moved.has_added:
            return found
        found.append((self.for_all if len(passed) == len(handlers) else moved.last(tuple(passed)), record))
        return found


cdef MovedCheck own_check(MovedCheck shared):
    """Return what asks for the running thread: without the GIL a copy of its own, since others may read anew."""
    cdef Caches *kept
    cdef OwnCheck *cached
    cdef OwnCheck old
    cdef MovedCheck check
    if HAS_GIL or shared is None:
        return shared
    kept = caches()
    if kept is NULL:
        return MovedCheck(shared.moved)
    cached = &kept.checks[(<size_t><PyObject *>shared >> 5) % CHECKS]
    if cached.shared is <PyObject *>shared:
        return <MovedCheck>cached.own
    check = MovedCheck(shared.moved)
    old = cached[0]
    cached.shared = own(shared)
    cached.own = own(check)
    disown(old.shared)
    disown(old.own)
    return check


cdef bint has_same_attributes(object before, object record) except -1:
    """As has_same_attributes() of _shared.rendered."""
    cdef object attributes = instance_dict(before), others = instance_dict(record)
    if Py_TYPE(before) is not Py_TYPE(record) or not PyDict_CheckExact(attributes) or not PyDict_CheckExact(others):
        return False
    return has_same_items(attributes, others)
