"""What is enqueued for a record: itself, if it cannot change; without the frames of its exception, if that may be."""

cdef str MSG = sys.intern("msg")
cdef str ARGS = sys.intern("args")
cdef str EXC_INFO = sys.intern("exc_info")


cdef bint is_own_item(object record) except -1:
    """Tell whether a record can be enqueued as it is: it cannot change, and nothing has to go beside it."""
    return (
        Py_TYPE(record) is record_class
        and is_immutable_record(record, MSG, ARGS, EXC_INFO)
        and current_context() is None
    )


cdef bint may_capture(
    ListenerCore core, object queue, MovedCheck moved, long long levelno, object targets, bint has_text
) except -1:
    """Tell whether nothing that gets a record of this level behind the queue can ask for its exc_info.

    `has_text` tells that the record has an exc_text, which is shown instead, but not in JSON.
    """
    cdef object listener = core, formatter
    cdef bint asked = False, respects
    if core is None or not core.takes_captured(queue) or listener.handles_itself:
        return False
    handlers = listener.handlers
    respects = listener.respect_handler_level
    if moved is not None and moved.moved.asks_filters and not moved.moved.has_added:
        # Else a filter on the listener's thread may set what another handler shows: no copy must be in its way.
        handlers = moved.handlers if targets is None else targets.handlers
        asked = True
    for handler in handlers:
        if respects and levelno < handler.level:
            continue
        if way_of(handler, asked) == COMPOSED:
            formatter = formatter_of(handler)
            if shows_exception(formatter):
                return False
            if json_formatter_is_unpatched(formatter) and (has_text or asks_for_exceptions(formatter)):
                return False
        elif not needs_no_exception(handler, asked):
            return False
    return len(handlers) > 0


cdef object without_frames(object record, object exc_info, long long levelno):
    """Return what to enqueue for `record` so that the frames of its exception, `exc_info`, end with the call."""
    cdef object captured = None, new
    if not getattr(record, "exc_text", None):
        captured = capture(exc_info)
        if captured is None:
            return record
    new = private_copy(record)
    new.exc_info = None
    return new if captured is None else with_exception(new, captured, levelno)
