"""The compiled half of LocalQueueHandler: a record goes from handle() into the queue."""

cimport cython
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object QueueHandler, formatter_of, item_with_context, leaves_process, logging, needs_no_exception, private_copy
cdef object settle_fork, shows_exception
import logging
import sys
from logging.handlers import QueueHandler

from logflume._c.batch cimport ListenerCore
from logflume._c.backend.plan cimport way_of
from logflume._c.caller.exceptions cimport capture
from logflume._c.caller.moved cimport ASK, NOBODY, MovedCheck
from logflume._c.context cimport current_context
from logflume._c.interpreter.python cimport (
    HAS_GIL, Py_TYPE, assign_type_version, call1, generic_delattr, is_immutable_record, load, raise_set_exception,
    store, try_call1, type_version,
)
from logflume._c.record cimport CapturedRecord, captured_type, made_of, snapshot, with_exception

from logflume._delivery.plan import COMPOSED as _COMPOSED
from logflume._delivery.unpatched import formatter_of, needs_no_exception, shows_exception
from logflume._shared.contexts import item_with_context
from logflume._shared.fork import settle as settle_fork
from logflume._shared.rendered import leaves_process, private_copy
from logflume._shared.state import RUNNING as _RUNNING

cdef extern from "interpreter/fork.h":
    int watch_fork "logflume_watch_fork_in_c" () except -1
    bint is_forked "logflume_is_forked"
    void forget_fork "logflume_forget_fork" () noexcept

watch_fork()


cdef int RUNNING = _RUNNING, COMPOSED = _COMPOSED
cdef PyTypeObject *standard_type = <PyTypeObject *><PyObject *>logging.LogRecord
cdef str MSG = sys.intern("msg")
cdef str ARGS = sys.intern("args")
cdef str EXC_INFO = sys.intern("exc_info")
cdef object standard_handle = logging.Handler.handle
cdef object CALLS_PYTHON = object()
cdef object NOT_AT_ALL = object()
cdef object AS_LOG_RECORD = object()
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


cdef inline bint is_own_item(object record) except -1:
    """Tell whether a record can be enqueued as it is: it cannot change, and nothing has to go beside it."""
    return (
        Py_TYPE(record) is standard_type
        and is_immutable_record(record, MSG, ARGS, EXC_INFO)
        and current_context() is None
    )


cdef int tell_listener(ListenerCore core, object record) except -1:
    """Ensure that `record`, which was just enqueued, is delivered, and at once if its level asks for that."""
    if core is not None:
        if core.state != RUNNING:
            core.ensure_delivery()
        if level_of(record) >= core.flush_level:
            core.flush_soon()
    return 0


cdef class HandlerCore:
    """First base of LocalQueueHandler: what it does with a record, and the attributes that this needs."""

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
            self._leaves_process = leaves_process(queue)
            self._put = put

    @property
    def filters(self):
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

    # ---- what an accelerated logger does ----

    cdef object way_in(self, long long levelno):
        """Return how a record of this level gets into the queue: its targets, or None, if put_captured() puts it."""
        settle()
        cdef ListenerCore core = self._core
        cdef object targets = None
        if core is None:
            return AS_LOG_RECORD if self._moved is None else CALLS_PYTHON
        if core.state != RUNNING or core.delivers_here():
            return CALLS_PYTHON
        if self._moved is not None:
            targets = self._moved.targets(levelno)
            if targets is NOBODY:
                return NOT_AT_ALL
            if targets is ASK:
                return CALLS_PYTHON
        return targets if core.takes_captured(self._queue) else AS_LOG_RECORD

    cdef int put_captured(self, CapturedRecord record, object targets) except -1:
        """Enqueue a captured record, as way_in() said."""
        if try_call1(self._put, record if targets is None else (targets, record)) < 0:
            record.context = None
            self.report_put(made_of(record))
        return tell_listener(self._core, record)

    # ---- what any other does ----

    cdef bint may_capture(self, long long levelno, object targets) except -1:
        """Tell whether nothing that gets a record of this level behind the queue can ask for its exc_info."""
        cdef object core = self._core, formatter
        cdef bint asked = False, respects
        if core is None or not self._core.takes_captured(self._queue) or core.handles_itself:
            return False
        handlers = core.handlers
        respects = core.respect_handler_level
        if self._moved is not None and self._moved.moved.asks_filters and not self._moved.moved.has_added:
            # Else a filter on the listener's thread may set what another handler shows: no copy must be in its way.
            handlers = self._moved.handlers if targets is None else targets.handlers
            asked = True
        for handler in handlers:
            if respects and levelno < handler.level:
                continue
            if way_of(handler, asked) == COMPOSED:
                formatter = formatter_of(handler)
                if shows_exception(formatter):
                    return False
            elif not needs_no_exception(handler, asked):
                return False
        return len(handlers) > 0

    cdef object item_for(self, object record, object targets):
        """Return what to enqueue for `record` as it is now: with its targets, its contextvars, and its exception."""
        if self._leaves_process:
            return QueueHandler.prepare(self, record)
        return self.with_context(self.without_frames(snapshot(record), targets), targets)

    cdef object without_frames(self, object record, object targets):
        """Return what to enqueue for `record` so that the frames of its exception end with the call, if that may be."""
        cdef object captured = None, new, exc_info = getattr(record, "exc_info", None)
        cdef long long levelno
        if not exc_info:
            return record
        levelno = level_of(record)
        if not self.may_capture(levelno, targets):
            return record
        if not getattr(record, "exc_text", None):
            captured = capture(exc_info)
            if captured is None:
                return record
        new = private_copy(record)
        new.exc_info = None
        return new if captured is None else with_exception(new, captured, levelno)

    cdef object with_context(self, object item, object targets):
        cdef object context = current_context()
        if context is not None:
            return item_with_context(item, context, targets, self._queue, self._core)
        return item if targets is None else (targets, item)

    cdef int put(self, object record) except -1:
        """Do what handle() does if only_enqueues(): emit(), without the calls."""
        settle()
        cdef ListenerCore core = self._core
        cdef object targets = None
        if core is not None and core.delivers_here():
            self.put_nested(record)
            return 0
        if self._moved is not None:
            targets = self._moved.targets(level_of(record))
            if targets is NOBODY:
                return 0
        if targets is ASK:
            self.put_asked(record)
        elif targets is None and not self._leaves_process and is_own_item(record):
            if try_call1(self._put, record) < 0:
                self.report_put(record)
        else:
            self.put_any(record, targets)
        return tell_listener(core, record)

    cdef int put_any(self, object record, object targets) except -1:
        """Enqueue `record` as it is now; an exception goes to handleError()."""
        try:
            call1(self._put, self.item_for(record, targets))
        except Exception:
            self.handleError(record)
        return 0

    cdef int put_asked(self, object record) except -1:
        """Enqueue `record` for those of the moved handlers that it is for."""
        try:
            asked = self._moved.moved.ask(record)
        except Exception:
            self.handleError(record)
            return 0
        for targets, copied in asked:
            self.put_any(copied, targets)
        return 0

    cdef int put_nested(self, object record) except -1:
        """Have a record handled at once that a handler of the listener logs while it handles one."""
        self._core.take_nested(record, None if self._moved is None else self._moved.moved.handlers)
        return 0

    cdef int report_put(self, object record) except -1:
        """Give the exception that is set to handleError()."""
        try:
            raise_set_exception()
        except Exception:
            self.handleError(record)
        return 0

    def handle(self, record):
        """Enqueue `record` if the filters let it pass.

        Returns what logging.Handler.handle returns on this Python. No lock is taken: SimpleQueue needs none.
        """
        if self.only_enqueues():
            self.put(record)
            return record if returns_record else True
        settle()
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
            self.put_asked(record)
        elif self.is_unpatched():
            self.put_any(record, None)
        else:
            try:
                self.enqueue(self.prepare(record))
            except Exception:
                self.handleError(record)
        tell_listener(core, record)

    def prepare(self, record):
        """Return the record to enqueue: `record` itself, unless its message could change until it is written.

        A message or argument that is not a str, bytes, number, bool or None (or a tuple of those) may be
        changed by the caller after the call; then it is a copy whose getMessage() returns the text of now. For a queue
        that pickles records, as multiprocessing's do, it is what the standard prepare() returns.
        """
        return QueueHandler.prepare(self, record) if self._leaves_process else snapshot(record)

    def enqueue(self, record):
        """Put `record` into the queue, without waiting; raises what the queue's put_nowait() raises."""
        call1(self._put, record if self._leaves_process else self.with_context(record, None))
