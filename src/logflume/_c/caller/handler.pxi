"""The compiled half of LocalQueueHandler: a record goes from handle() into the queue."""

cdef extern from "interpreter/fork.h":
    bint is_forked "logflume_is_forked"
    void forget_fork "logflume_forget_fork" () noexcept

cdef object standard_handle_error = logging.Handler.handleError
cdef object standard_handle = logging.Handler.handle
# What way_in() returns besides targets.
cdef object CALLS_PYTHON = object()  # handlers run in the call: that is for the standard method
cdef object FILTERED = object()  # with put_filtered()
cdef object NOT_AT_ALL = object()
cdef object AS_LOG_RECORD = object()  # with put()
# From 3.12 filters may replace the record, and handle() returns the record instead of True.
cdef bint returns_record = sys.version_info >= (3, 12)

# What logging.Handler.handle calls: a class or handler that overrides one of these gets the standard handle().
cdef tuple CALLED_METHODS = (
    "filter", "acquire", "release", "emit", "enqueue", "prepare", "handleError",
)
cdef dict unpatched_methods = {}


def set_unpatched_methods(cls):
    """Take the methods that `cls` has now as the ones that handle() need not call."""
    for name in CALLED_METHODS:
        unpatched_methods[name] = getattr(cls, name)
    hide(<PyTypeObject *><PyObject *>HandlerCore, "__pyx_vtable__")
    hide(<PyTypeObject *><PyObject *>ListenerCore, "__pyx_vtable__")


cdef inline int settle() except -1:
    """Begin anew in a child of a fork of which Python's hooks do not know, before anything is enqueued in it."""
    if is_forked:
        forget_fork()
        settle_fork()
    return 0


cdef long long level_of(object record) except? -1:
    """Return record.levelno, or 0 if that is no number."""
    if Py_TYPE(record) is captured_type:
        return (<CapturedRecord>record).levelno
    try:
        return record.levelno
    except Exception:
        return 0


cdef class HandlerCore:
    """First base of LocalQueueHandler: what it does with a record, and the attributes that this needs."""

    cdef object _queue  # as given; records go in through _put
    cdef readonly object _put  # the queue's bound put_nowait
    cdef object _filters
    cdef object _level
    cdef long level_value  # the level as a C number, valid unless _shadowed
    cdef object _listener  # what was set as handler.listener
    cdef readonly ListenerCore _core  # the same object when it is one of ours, else None
    cdef MovedCheck _moved  # the handlers that this one stands for, or None
    cdef bint _shadowed  # an instance attribute hides a method of the standard class
    # The class's version when its methods were looked at, times two, plus one if it overrides none of them.
    cdef unsigned long long _checked
    cdef list _replaced  # without the GIL: what attributes had before, see keep()
    cdef long long _unwatched  # records that were enqueued while there was no listener
    cdef bint leaves_process  # the queue pickles what is put into it

    def __cinit__(self, *args, **kwargs):
        self._filters = []
        self._level = 0
        self.level_value = 0
        self._replaced = []

    cdef int keep(self, object value) except -1:
        """Keep what an attribute had before as long as this handler.

        Without the GIL a log call in another thread may have read it, and not yet have a reference of its own.
        Nothing tells when that is over, and a lock in each call would cost more than a few old values.
        """
        if not HAS_GIL and value is not None and not any([value is old for old in self._replaced]):
            self._replaced.append(value)
        return 0

    @property
    def queue(self):
        """Where the records go: an object with put_nowait()."""
        with cython.critical_section(self):
            return self._queue

    @queue.setter
    def queue(self, queue):
        put = getattr(queue, "put_nowait", None)
        if not callable(put):
            raise TypeError(
                f"a queue needs a put_nowait() method, and {type(queue).__name__!r} has none; "
                "give a queue.SimpleQueue, or none to get one"
            )
        with cython.critical_section(self):
            self.keep(self._put)
            self._queue = queue
            self.leaves_process = leaves_process(queue)
            self._put = put

    @property
    def filters(self):
        """The filters that a record has to pass before it is enqueued."""
        with cython.critical_section(self):
            return self._filters

    @filters.setter
    def filters(self, filters):
        with cython.critical_section(self):
            self.keep(self._filters)
            self._filters = filters

    @property
    def moved(self):
        """The MovedHandlers that this handler stands for, or None."""
        return None if self._moved is None else self._moved.moved

    @moved.setter
    def moved(self, moved):
        with cython.critical_section(self):
            self.keep(self._moved)
            self._moved = None if moved is None else MovedCheck(moved)

    @property
    def level(self):
        """The level of this handler, or the lowest of the handlers behind it that were moved, if that is higher."""
        cdef MovedCheck moved
        with cython.critical_section(self):
            level, moved = self._level, self._moved
        return level if moved is None else max(level, moved.moved.lowest_level())

    @level.setter
    def level(self, level):
        with cython.critical_section(self):
            self._level = level
        try:
            self.level_value = level
        except (TypeError, OverflowError):
            self._shadowed = True

    @property
    def listener(self):
        """What takes the records out of the queue, or None."""
        with cython.critical_section(self):
            return self._listener

    @listener.setter
    def listener(self, listener):
        listener = self._listened_by(listener)
        with cython.critical_section(self):
            self.keep(self._core)
            self._listener = listener
            self._core = listener if isinstance(listener, ListenerCore) else None

    def __setattr__(self, name, value):
        PyObject_GenericSetAttr(self, name, value)
        if name in CALLED_METHODS:
            self._shadowed = True

    def __delattr__(self, name):
        generic_delattr(self, name, NULL)
        if name in CALLED_METHODS:
            self._shadowed = any([method in self.__dict__ for method in CALLED_METHODS])

    cdef bint only_enqueues(self):
        """Tell whether handle() is nothing but put(): no filter, and no method replaced."""
        return self.is_unpatched() and PyList_CheckExact(self._filters) and PyList_GET_SIZE(self._filters) == 0

    cdef bint is_ours(self):
        """Tell whether handle() asks the filters and enqueues, and nothing else."""
        return self.is_unpatched() and PyList_CheckExact(self._filters)

    cdef bint is_unpatched(self):
        """Tell whether no method is replaced."""
        cdef unsigned int version = type_version(Py_TYPE(self))
        cdef unsigned long long checked = load(&self._checked)
        if version == 0 or version != checked >> 1:
            checked = self.check_class()
        return checked & 1 and not self._shadowed

    cdef unsigned long long check_class(self) except? 0:
        cdef PyTypeObject *cls = Py_TYPE(self)
        cdef unsigned int version = assign_type_version(cls)
        cdef unsigned long long checked = <unsigned long long>version << 1 | self.is_class_unpatched()
        if version == type_version(cls):
            store(&self._checked, checked)
        return checked

    cdef bint is_class_unpatched(self) except -1:
        cdef object cls = type(self)
        for name in CALLED_METHODS:
            if getattr(cls, name) is not unpatched_methods[name]:
                return False
        return True

    cdef int tell_listener(self, ListenerCore core, long long levelno) except -1:
        """Ensure that a record, which was just enqueued, is delivered, and at once if its level asks for that."""
        if core is None:
            self._unwatched += 1
            if self._unwatched == MOST_UNREAD:
                self._warn_if_unread()
        else:
            if core.state != RUNNING:
                core.ensure_delivery()
            elif core.is_brake_due():
                core.brake()
            if levelno >= core.flush_at:
                core.flush_soon()
        return 0

    # ---- what an accelerated logger does ----

    cdef bint handles_in_call(self) except -1:
        """Tell whether a record is handled in the call that logs it."""
        cdef ListenerCore core = self._core
        if core is None:
            return self._moved is not None
        return core.state != RUNNING or core.delivers_here()

    cdef object way_in(self, long long levelno, object name):
        """Return how a record of this level and logger gets into the queue.

        That is its targets, or None, if put_captured() puts it.
        """
        settle()
        cdef ListenerCore core = self._core
        cdef MovedCheck moved = own_check(self._moved)
        cdef object targets = None
        cdef int verdict
        if self.handles_in_call():
            return CALLS_PYTHON
        if PyList_GET_SIZE(self._filters) != 0:
            verdict = by_name(self._filters, name)
            if verdict == ASKS:
                return FILTERED
            if verdict == DROPS:
                return NOT_AT_ALL
        if core is None:
            return AS_LOG_RECORD
        if moved is not None:
            targets = moved.targets(levelno, name)
            if targets is NO_TARGETS:
                return NOT_AT_ALL
            if targets is ASK:
                return FILTERED
        return targets if core.takes_captured(self._queue) else AS_LOG_RECORD

    cdef int put_captured(self, CapturedRecord record, object targets) except -1:
        """Enqueue a captured record as it is now, as way_in() said."""
        cdef ListenerCore core = self._core
        cdef object captured, item = record
        if core is None:  # what the call asked may have taken the listener away
            return self.put_passed(made_of(record), None)
        record.context = current_context()
        if not record.immutable:
            keep_message(record)
        if record.exc_info is not None and record.exc_info and may_capture(
            core, self._queue, self._moved, record.levelno, targets, False
        ):
            captured = capture(record.exc_info)
            if captured is not None:
                record.exc_info = captured
        track_if_needed(record)
        if targets is not None:
            item = targets, record
            give_away(item)
        give_away(record)
        give_away(record.args)
        if core.qsize is not None and core.is_crowded():
            self.put_crowded(item, record)
        elif try_call1(self._put, item) < 0:
            record.context = None
            self.report_put(made_of(record))
        return self.tell_listener(core, record.levelno)

    cdef int put_filtered(self, CapturedRecord record) except -1:
        """Ask the filters about a captured record, and enqueue what passes them."""
        cdef ListenerCore core
        record.context = None
        if PyList_GET_SIZE(self._filters) != 0 and self.replaced_or_dropped(record):
            return 0
        # Filters can do anything: look at all of it now.
        core = self._core
        if core is None or core.delivers_here() or not core.takes_captured(self._queue):
            return self.put(made_of(record))
        if self._moved is not None:
            return self.put_asked(record)
        take_back(record)
        return self.put_passed(record, None)

    cdef bint replaced_or_dropped(self, CapturedRecord record) except -1:
        """Ask this handler's own filters; enqueue what they give instead of the record."""
        cdef object passed = self.filter(made_of(record))
        if not passed:
            take_back(record)
            return True
        if returns_record and passed is not record.made and isinstance(passed, LogRecord):
            self.put(passed)
            return True
        return False

    cdef int put_passed(self, object item, object targets) except -1:
        """Enqueue a record that filters may have changed, captured or not."""
        if Py_TYPE(item) is captured_type:
            if (<CapturedRecord>item).made is None:
                return self.put_captured(<CapturedRecord>item, targets)
            item = (<CapturedRecord>item).made
        self.put_any(item, targets)
        return self.tell_listener(self._core, level_of(item))

    # ---- what any other does ----

    cdef object item_for(self, object record, object targets):
        """Return what to enqueue for `record` as it is now: with its targets, its contextvars, and its exception."""
        if self.leaves_process:
            return QueueHandler.prepare(self, record)
        cdef object item = snapshot(record), exc_info
        if item is record and self._moved is not None and self._moved.moved.is_changed_later():
            item = private_copy(record)
        exc_info = getattr(item, "exc_info", None)
        if exc_info and may_capture(
            self._core, self._queue, self._moved, level_of(item), targets, bool(getattr(item, "exc_text", None))
        ):
            item = without_frames(item, exc_info, level_of(item))
        return self.with_context(item, targets)

    cdef object with_context(self, object item, object targets):
        cdef object context = current_context()
        cdef ListenerCore core = self._core
        if context is None:
            return item if targets is None else (targets, item)
        if targets is not None or (core is not None and core.takes_captured(self._queue)):
            return targets, item, context
        keep_context(item, self._queue, context)  # others may take the records from this queue
        return item

    cdef int put(self, object record) except -1:
        """Do what handle() does if only_enqueues(): emit(), without the calls."""
        settle()
        cdef ListenerCore core = self._core
        cdef MovedCheck moved = own_check(self._moved)
        cdef object targets = None
        if core is not None and core.delivers_here():
            self.put_nested(record)
            return 0
        if moved is not None:
            targets = moved.targets(level_of(record), getattr(record, "name", None))
            if targets is NO_TARGETS:
                return 0
            if targets is ASK:
                return self.put_asked(captured_for(record))
        if targets is None and not self.leaves_process and is_own_item(record):
            if core is not None and core.is_crowded():
                self.put_crowded(record, record)
            elif try_call1(self._put, record) < 0:
                self.report_put(record)
        else:
            self.put_any(record, targets)
        return self.tell_listener(core, level_of(record))

    cdef int put_any(self, object record, object targets) except -1:
        """Enqueue `record` as it is now; an exception goes to handleError()."""
        try:
            self.put_item(self.item_for(record, targets), record)
        except Exception as error:
            self.report_unput(record, error)
        return 0

    cdef int put_item(self, object item, object record) except -1:
        """Enqueue `item`, which is made of `record`, or have the listener do what is to be done with a full queue."""
        cdef ListenerCore core = self._core
        if core is None:
            call1(self._put, item)
        elif core.is_crowded():
            self.put_crowded(item, record)
        else:
            try:
                call1(self._put, item)
            except Full:
                self.put_refused(item, record)
        return 0

    cdef int put_refused(self, object item, object record) except -1:
        """Have the listener do what is to be done with `item`, for which the queue had no room."""
        cdef object core = self._core
        if core is None or (not core.put_crowded(self._put, item, level_of(record)) and self.reports_itself()):
            self.handleError(record)
        return 0

    cdef int put_crowded(self, object item, object record) except -1:
        """Enqueue `item` if the queue has room, or have the listener do what is to be done without."""
        try:
            (<object>self._core).put_crowded(self._put, item, level_of(record))
        except Exception as error:
            self.report_unput(made_of(record) if Py_TYPE(record) is captured_type else record, error)
        return 0

    cdef int report_unput(self, object record, object error) except -1:
        """Give `error`, which is being handled, to handleError(), unless the log tells of it."""
        cdef object core = self._core
        if core is None or not core.count_unput(error, level_of(record)) or self.reports_itself():
            self.handleError(record)
        return 0

    def reports_itself(self):
        """Tell whether handleError() does anything but print the error."""
        return "handleError" in self.__dict__ or type(self).handleError is not standard_handle_error

    cdef int put_asked(self, CapturedRecord record) except -1:
        """Enqueue `record` for those of the moved handlers that it is for."""
        cdef MovedCheck moved = own_check(self._moved)
        try:
            asked = moved.ask(record)
        except Exception as error:
            self.report_unput(made_of(record), error)
            return 0
        for targets, item in asked:
            self.put_passed(item, targets)
        return 0

    cdef int put_nested(self, object record) except -1:
        """Have a record handled at once that a handler of the listener logs while it handles one."""
        self._core.take_nested(record, None if self._moved is None else self._moved.moved.handlers)
        return 0

    cdef int report_put(self, object record) except -1:
        """Give the exception that is set to handleError()."""
        try:
            raise_set_exception()
        except Full:
            self.put_refused(record, record)
        except Exception as error:
            self.report_unput(record, error)
        return 0

    def handle(self, record):
        """Enqueue `record` if the filters let it pass.

        Returns what logging.Handler.handle returns on this Python. No lock is taken: SimpleQueue needs none.
        """
        cdef object passed = True
        if self.only_enqueues():
            self.put(record)
            return record if returns_record else True
        settle()
        if self.is_unpatched():
            passed = self.filter(record)
            if passed:
                self.put(passed if returns_record and isinstance(passed, LogRecord) else record)
            return passed
        handled = standard_handle(self, record)
        if self._core is not None and self._core.state != RUNNING:
            self._core.ensure_delivery()
        return handled

    def emit(self, record):
        """Enqueue `record`; an exception goes to handleError().

        The levels and filters of moved handlers are asked first. A record that a handler of the listener logs while it
        handles one is handled at once.
        """
        settle()
        cdef ListenerCore core = self._core
        if core is not None and core.delivers_here():
            self.put_nested(record)
            return
        if self._moved is not None:
            self.put_asked(captured_for(record))
            return
        if self.is_unpatched():
            self.put_any(record, None)
        else:
            try:
                self.enqueue(self.prepare(record))
            except Exception as error:
                self.report_unput(record, error)
        self.tell_listener(core, level_of(record))

    def prepare(self, record):
        """Return the record to enqueue: `record` itself, unless its message could change until it is written.

        A message or argument that is not a str, bytes, number, bool or None (or a tuple of those) may be
        changed by the caller after the call; then it is a copy whose getMessage() returns the text of now. For a queue
        that pickles records, as multiprocessing's do, it is what the standard prepare() returns.
        """
        return QueueHandler.prepare(self, record) if self.leaves_process else snapshot(record)

    def enqueue(self, record):
        """Put `record` into the queue; raises what the queue's put_nowait() raises.

        If the queue is full and `listener` is one of logflume's, what its `overflow` says happens instead.
        """
        self.put_item(record if self.leaves_process else self.with_context(record, None), record)
