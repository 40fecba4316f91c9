"""The turns of a listener's thread while nothing comes but records that one stock handler writes to its file.

A turn comes some hundred times a second, and what it needs is mostly not in the processor's caches by then: so
what was found out about the handler is kept, and nothing in a turn runs bytecode. Whatever is unusual ends
the flow, and is left in `listener._taken` for the listener itself.
"""

from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.pythread cimport PyThread_get_thread_ident
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact

from logflume._c.interpreter.python cimport (
    HAS_GIL, Py_TYPE, Watch, WatchedObject, assign_type_version, dict_get, instance_dict, type_version, watch_object,
)
from logflume._c.backend.deliver cimport at_level, has_any, unseen_way, way_of
from logflume._c.backend.format cimport (
    Job, BatchText, add_records, add_simple_records, begin_segment, hold_messages, lasting_job_of, renew, tick,
)
from logflume._c.batch cimport ListenerCore, Batch, take
from logflume._c.record cimport RecordCore, recycle

import logging
from logging.handlers import RotatingFileHandler as _RotatingFileHandler
from logging.handlers import TimedRotatingFileHandler as _TimedRotatingFileHandler
from logging.handlers import WatchedFileHandler as _WatchedFileHandler

from logflume._c.record import LazyRecord
from logflume._delivery.deliver import put_segment
from logflume._delivery.sinks import FileSink as _FileSink, _room, due, sink_of

__all__ = ["deliver_flow"]

cdef extern from "backend/outputs.h":
    Watch logflume_outputs
    bint is_same_object "logflume_is_same_object" (const WatchedObject *watched, object instance)

cdef extern from "backend/write.h" nogil:
    ctypedef struct logflume_file:
        pass
    bint logflume_see_file(logflume_file *file, int number)
    Py_ssize_t logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)

cdef extern from "Python.h":
    PyObject **PySequence_Fast_ITEMS(object)

cdef tuple LISTENER_METHODS = ("handle", "prepare")
cdef tuple LISTENER_ATTRIBUTES = ("handlers", "respect_handler_level", "_caused")
cdef type StreamHandler = logging.StreamHandler
cdef type StringTemplateStyle = logging.StringTemplateStyle
cdef type FileSink = _FileSink
cdef type RotatingFileHandler = _RotatingFileHandler
cdef type TimedRotatingFileHandler = _TimedRotatingFileHandler
cdef type WatchedFileHandler = _WatchedFileHandler
cdef PyTypeObject *record_type = <PyTypeObject *><PyObject *>logging.LogRecord
cdef PyTypeObject *lazy_type = <PyTypeObject *><PyObject *>LazyRecord

cdef enum:
    MEASURED = 4  # one turn in so many
    MOST_NOT_TRIED = 63  # batches


# ---- what a handler writes to ----

cdef class Output:
    """A handler that was looked at, and its file. It counts as long as nothing of them changes."""
    cdef WatchedObject handler
    cdef WatchedObject formatter
    cdef WatchedObject style
    cdef unsigned int record_version
    # The handler's dictionary, unchanged, holds these.
    cdef PyObject *filters
    cdef PyObject *stream
    cdef object terminator
    cdef object sink
    cdef object raw
    cdef logflume_file file
    cdef object encoding  # the stream's, and how many attributes it has
    cdef Py_ssize_t attributes
    cdef bint ascii
    cdef bint may_be_due
    cdef bint may_rotate
    cdef Job job
    # Whether simple records can be formatted without the GIL. A batch with another one needs it after all, and costs
    # more then: the next batches are not tried, twice as many as after the one before.
    cdef bint is_simple
    cdef int not_tried
    cdef int left


cdef Output output_of(ListenerCore listener, object handler):
    """What is known of `handler`, whose lock is held; None if it has to be asked each time."""
    cdef Output known = listener._output
    if known is None or not is_as_it_was(known, handler):
        known = look_at(handler)
        listener._output = known
    return known


cdef bint is_as_it_was(Output output, object handler) except -1:
    # Each is held by the one before: the dictionary of a handler that did not change has its formatter.
    return (
        output.handler.object == <PyObject *>handler
        and is_same_object(&output.handler, handler)
        and PyList_GET_SIZE(<object>output.filters) == 0
        and is_same_object(&output.formatter, <object>output.formatter.object)
        and is_same_object(&output.style, <object>output.style.object)
        and type_version(record_type) == output.record_version
        and <object>(<object>output.stream).encoding is output.encoding
        and len(instance_dict(<object>output.stream)) == output.attributes
        and renew(output.job)
    )


cdef Output look_at(object handler):
    cdef Output output = Output.__new__(Output)
    cdef object own = instance_dict(handler)
    cdef object formatter, style, stream
    output.record_version = assign_type_version(record_type)
    # Seen first, and read then: a change in between is found the next time.
    if output.record_version == 0 or not watch_object(&logflume_outputs, &output.handler, handler, own):
        return None
    if way_of(handler) != unseen_way:
        return None
    formatter = dict_get(own, "formatter", None)
    stream = dict_get(own, "stream", None)
    if formatter is None or stream is None:
        return None
    if not watch_object(&logflume_outputs, &output.formatter, formatter, instance_dict(formatter)):
        return None
    style = formatter._style
    if type(style) is StringTemplateStyle:  # its template may change, and does not tell
        return None
    if not watch_object(&logflume_outputs, &output.style, style, instance_dict(style)):
        return None
    try:
        output.sink = sink_of(handler)
        if type(output.sink) is not FileSink:
            return None
        output.job = lasting_job_of(formatter)
        output.filters = <PyObject *>own["filters"]
        output.stream = <PyObject *>stream
        output.terminator = handler.terminator
        output.raw = output.sink.raw
        if not logflume_see_file(&output.file, output.raw.fileno()):
            return None
    except Exception:
        return None
    output.encoding = output.sink.encoding
    output.attributes = output.sink.attributes
    output.ascii = output.sink.ascii
    output.may_be_due = type(handler) is TimedRotatingFileHandler or type(handler) is WatchedFileHandler
    output.may_rotate = type(handler) is RotatingFileHandler
    output.is_simple = (
        output.job.program is not None
        and output.job.program.is_simple
        and output.job.record_is_unpatched
        and PyUnicode_CheckExact(output.terminator)
    )
    # sink_of() may have run what changed the handler
    return output if is_as_it_was(output, handler) else None


cdef bint is_told(Job job, object record) except -1:
    """Have the job's clock, if any, show the second of `record`; false if it cannot."""
    if job.clock is None:
        return True
    return Py_TYPE(record) is lazy_type and (<RecordCore>record).unfilled and tick(job.clock, (<RecordCore>record).created)


cdef int write_to(Output output, object handler, list records, bint let_go_of_gil) except -1:
    """Write the records that go together; what has to go another way is left in the list."""
    cdef BatchText segment
    cdef Job job = output.job
    cdef Py_ssize_t room, written = 0, done = 0, count = len(records)
    cdef PyObject **items = PySequence_Fast_ITEMS(records)
    cdef PyObject *terminator = <PyObject *>output.terminator
    cdef bint try_simple
    sink = output.sink
    try:
        if output.may_be_due and (due(handler) or not is_as_it_was(output, handler)):
            return 0
        (<object>output.stream).flush()  # somebody else may have written to it
        if output.may_rotate:
            sink.room = _room(handler, output.raw)
        room = sink.room
        segment = begin_segment(job, output.ascii)
        try_simple = let_go_of_gil and output.is_simple and output.left == 0 and is_told(job, records[0])
    except Exception:
        return 0  # whatever is wrong, the long way meets it, too
    if try_simple:
        # What is read here stays as it is: `records` keeps the records, whose fields nobody writes now (see
        # RecordCore), and a job is touched only with the listener's delivery lock held.
        with nogil:
            done = add_simple_records(&segment.text, job, items, count, terminator, room)
            if done == count:
                written = logflume_write(&output.file, segment.text.bytes, segment.text.size)
        hold_messages(job)
        output.left = output.not_tried = 0 if done == count else min(2 * output.not_tried + 1, MOST_NOT_TRIED)
    elif output.left:
        output.left -= 1
    if done < count:
        add_records(segment, job, records, done, output.terminator, sink.limit, room, 1)
        if segment.interrupt is not None or segment.explained is not None:
            put_segment(handler, records, sink, segment)  # which knows what to do about them
            return 0
        if segment.text.count == 0:
            return 0
        with nogil:
            written = logflume_write(&output.file, segment.text.bytes, segment.text.size)
    # No signal handler runs in a thread, so that a write and the note of it cannot come apart.
    if written == segment.text.size:
        recycle(records, segment.text.count)
    elif written >= 0:
        sink.put(handler, records, segment, written)
    else:
        output.handler.object = NULL  # another file may have that number now, for good: look again
    return 0  # after a failure the next write meets the same one


# ---- turns ----

def deliver_flow(ListenerCore listener not None, pace not None, bint once):
    """Do the turns of the listener's thread as long as they are of the commonest kind, or just one.

    Returns how many items the last turn had; what it did not deliver is in listener._taken. See the pure twin.
    """
    cdef Py_ssize_t count
    cdef unsigned int turn = 0
    queue = listener.queue
    taken = listener._taken
    lock = listener._delivery_lock
    nudge = listener._nudge
    while True:
        listener._wakeups += 1
        if turn % MEASURED == 0:
            pace.begin()
        lock.acquire()
        try:
            count = deliver_queued(listener, queue, taken, pace.limit, not pace.keeps_gil)
        finally:
            lock.release()
        if not taken and count:
            listener._batches += 1
        if once or count == 0 or taken or listener._urgent:
            return count
        if queue.qsize() >= pace.limit or listener.queue is not queue:
            return count
        if turn % MEASURED == 0:
            pace.end(count)
        turn += 1
        nudge.acquire(True, pace.pause)


cdef Py_ssize_t deliver_queued(
    ListenerCore listener, object queue, object taken, Py_ssize_t limit, bint let_go_of_gil
) except -1:
    """Take items from the queue, and deliver what was taken, as far as it is of the commonest kind."""
    cdef Py_ssize_t count = 0
    cdef Batch run
    take(queue, limit, taken)
    for run in taken:
        count += run.count
    while taken and write_run(listener, taken, taken[0], let_go_of_gil):
        pass
    return count


cdef bint write_run(ListenerCore listener, object taken, Batch run, bint let_go_of_gil) except -1:
    """Deliver the records of `run`, if they are for one stock handler; false if some are left."""
    cdef list records = run.records
    cdef Py_ssize_t count = len(records)
    cdef object own = instance_dict(listener)
    cdef Output output
    if not HAS_GIL or count == 0 or run.contexts is not None or is_overridden(listener, own):
        return False
    handlers = run.route.handlers if run.route is not None else dict_get(own, "handlers", None)
    if not PyTuple_CheckExact(handlers) or PyTuple_GET_SIZE(handlers) != 1:
        return False
    handler = (<tuple>handlers)[0]
    if not isinstance(handler, StreamHandler):
        return False
    attributes = instance_dict(handler)
    lock = dict_get(attributes, "lock", None)
    level = dict_get(attributes, "level", None)
    if lock is None or not PyLong_CheckExact(level):
        return False
    listener._delivering_thread = PyThread_get_thread_ident()
    try:
        lock.acquire()
        try:
            output = output_of(listener, handler)
            if output is not None:
                if level != 0 and dict_get(own, "respect_handler_level", True):
                    records[:] = at_level(records, level)
                write_to(output, handler, records, let_go_of_gil)
        finally:
            lock.release()
        if dict_get(own, "_caused", None):
            listener._handle_caused()
    except BaseException as error:
        if len(records) != count:  # else the long way meets it again
            listener._report_error(None, handler, error)
    finally:
        listener._delivering_thread = 0
        if not records:
            taken.popleft()
            listener.count(run)
    return not records


cdef bint is_overridden(ListenerCore listener, object own) except -1:
    """Whether a subclass, or somebody's patch, wants to see each record."""
    cdef unsigned int version = type_version(Py_TYPE(listener))
    if version == 0 or version != listener._plain_version:
        if listener._is_overridden:
            return True
        for name in LISTENER_ATTRIBUTES:
            if hasattr(type(listener), name):
                return True
        listener._plain_version = version
    return has_any(own, LISTENER_METHODS)
