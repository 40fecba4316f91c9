"""The compiled half of LocalQueueHandler: a record goes from handle() into the queue."""

cimport cython
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.object cimport PyObject, PyObject_GenericSetAttr, PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident

# C variables: while the interpreter shuts down the names in a module become None, and __del__ may still log.
cdef object LazyRecord, logging
import logging
import sys

from logflume._c.context cimport context_for, current_context
from logflume._c.batch cimport ListenerCore

from logflume._c.batch import RUNNING as _RUNNING
from logflume._c.record import LazyRecord
from logflume._c.record cimport RecordCore, snapshot

cdef extern from "caller/enqueue.h":
    object logflume_call1(object callable, object argument)
    int logflume_put(object put, object record) noexcept
    bint logflume_is_constant_record(object record, object msg_name, object args_name) noexcept
    int logflume_failed() except -1

cdef extern from "interpreter/compat.h":
    enum:
        LOGFLUME_GIL
    unsigned long long logflume_load(unsigned long long *word)
    void logflume_store(unsigned long long *word, unsigned long long value)

cdef extern from "interpreter/type_version.h":
    unsigned int logflume_type_version(PyTypeObject *type)

cdef extern from "Python.h":
    int generic_delattr "PyObject_GenericSetAttr"(object, object, PyObject *) except -1
    PyTypeObject *Py_TYPE(object)

cdef int RUNNING = _RUNNING
cdef PyTypeObject *standard_type = <PyTypeObject *><PyObject *>logging.LogRecord
cdef str MSG = sys.intern("msg")
cdef str ARGS = sys.intern("args")
cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>LazyRecord
cdef object standard_handle = logging.Handler.handle
# From 3.12 filters may replace the record, and handle() returns the record instead of True.
cdef bint returns_record = sys.version_info >= (3, 12)

# What logging.Handler.handle calls: who overrides one of these gets the standard handle().
cdef tuple STANDARD_METHODS = (
    "filter", "acquire", "release", "emit", "enqueue", "prepare", "handleError",
)
cdef dict standard_methods = {}

cdef enum:
    KEPT = 64


def set_standard_methods(cls):
    """Take the methods that `cls` has now as the ones that need no call."""
    for name in STANDARD_METHODS:
        standard_methods[name] = getattr(cls, name)


cdef long long level_of(object record) except? -1:
    """Return record.levelno, or 0 if that is no number."""
    if Py_TYPE(record) is lazy_type and (<RecordCore>record).unfilled:
        return (<RecordCore>record).levelno
    try:
        return record.levelno
    except Exception:
        return 0


cdef int see_to(ListenerCore core, object record) except -1:
    """See to it that somebody takes `record`, which was just enqueued, and at once if its level wants that."""
    if core is not None:
        if core.state != RUNNING:
            core.ensure_delivery()
        if level_of(record) >= core.flush_level:
            core.flush_soon()
    return 0


cdef class HandlerCore:
    """First base of LocalQueueHandler: its handle(), and the attributes that handle() reads."""

    def __cinit__(self, *args, **kwargs):
        self._filters = []
        self._level = 0
        self.level_value = 0
        self._replaced = []

    cdef int keep(self, object value) except -1:
        """Keep what an attribute is about to lose for a while.

        Without the GIL a log call in another thread may have read it, and not yet have a reference of its own.
        """
        if not LOGFLUME_GIL and value is not None:
            self._replaced.append(value)
            if len(self._replaced) > KEPT:
                del self._replaced[0]
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
    def level(self):
        with cython.critical_section(self):
            return self._level

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
        if name in STANDARD_METHODS:
            self._shadowed = True

    def __delattr__(self, name):
        generic_delattr(self, name, NULL)
        if name in STANDARD_METHODS:
            self._shadowed = any(method in self.__dict__ for method in STANDARD_METHODS)

    cdef bint takes_directly(self):
        """Whether handle() is nothing but put(): no filter, and no standard method replaced."""
        cdef unsigned int version = logflume_type_version(Py_TYPE(self))
        cdef unsigned long long checked = logflume_load(&self._checked)
        if version == 0 or version != checked >> 1:
            checked = self.check_class()
        return (
            checked & 1
            and not self._shadowed
            and PyList_CheckExact(self._filters)
            and PyList_GET_SIZE(self._filters) == 0
        )

    cdef unsigned long long check_class(self) except? 0:
        cdef unsigned int version
        cdef unsigned long long checked
        # Looking anything up gives a class without a version tag a new one, if it can have one.
        getattr(type(self), "handle")
        version = logflume_type_version(Py_TYPE(self))
        checked = <unsigned long long>version << 1 | self._class_is_standard()
        if version == logflume_type_version(Py_TYPE(self)):
            logflume_store(&self._checked, checked)
        return checked

    cdef bint _class_is_standard(self) except -1:
        cdef object cls = type(self)
        for name in STANDARD_METHODS:
            if getattr(cls, name) is not standard_methods[name]:
                return False
        return True

    cdef int put(self, object record) except -1:
        """Enqueue `record` and see to it that somebody takes it; errors go to handleError()."""
        cdef ListenerCore core = self._core
        cdef object item, context
        if core is not None and core._delivering_thread == PyThread_get_thread_ident():
            core.take_nested(record if self.targets is None else (self.targets, record))
            return 0
        try:
            item = snapshot(record)
            context = context_for(item)
            if context is not None:
                item = self._with_context(item, context)
            elif self.targets is not None:
                item = (self.targets, item)
            logflume_call1(self._put, item)
        except Exception:
            self.handleError(record)
        return see_to(core, record)

    cdef int put_lean(self, RecordCore record) except -1:
        """Do what put() does for a LazyRecord, which needs less."""
        cdef ListenerCore core = self._core
        if (
            not record.unfilled
            or not record.immutable
            or self.targets is not None
            or (core is not None and core._delivering_thread == PyThread_get_thread_ident())
        ):
            return self.put(record)
        if logflume_put(self._put, record) < 0:
            self.report_put(record)
        return see_to(core, record)

    cdef int report_put(self, object record) except -1:
        """Give the exception that is set to handleError()."""
        try:
            logflume_failed()
        except Exception:
            self.handleError(record)
        return 0

    def handle(self, record):
        """Enqueue `record` if the filters let it pass.

        Returns what logging.Handler.handle returns on this Python. No lock is taken: SimpleQueue needs none.
        """
        if self.takes_directly():
            if (
                self._core is not None
                or self.targets is not None
                or Py_TYPE(record) is not standard_type
                or not logflume_is_constant_record(record, MSG, ARGS)
                or current_context() is not None
            ):
                self.put(record)
            elif logflume_put(self._put, record) < 0:
                self.report_put(record)
            return record if returns_record else True
        handled = standard_handle(self, record)
        if self._core is not None and self._core.state != RUNNING:
            self._core.ensure_delivery()
        return handled

    def prepare(self, record):
        """Return the record to enqueue: `record` itself, unless its message could change until it is written.

        A message or argument that is not a str, bytes, number, bool or None (or a tuple of those) may be
        changed by the caller after the call; then it is a copy whose getMessage() is rendered now, or, if
        an accelerated logger made it, the record itself, which keeps what is rendered now.
        """
        return snapshot(record)
