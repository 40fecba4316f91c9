"""The plan for a handler: which way its batches go, and what is needed for that, until something about it changes."""

cdef extern from "backend/write.h" nogil:
    ctypedef struct logflume_file:
        Py_ssize_t at_once
    bint logflume_see_file(logflume_file *file, int number)


cdef class Plan:
    """How the text of a handler is composed, kept as long as nothing about the handler and its formatter changes."""

    cdef WatchedObject handler
    cdef WatchedObject formatter
    cdef WatchedObject style
    cdef unsigned int record_version
    cdef PyObject *stream  # the handler's dictionary, unchanged, holds it
    cdef object terminator
    cdef Composer composer
    cdef object sink  # None: it has to be looked up for each batch
    cdef object encoding  # the stream's; how many attributes it and its buffers have; and so on
    cdef object line_buffering
    cdef Py_ssize_t attributes
    cdef logflume_file file  # the sink's
    cdef Py_ssize_t capacity  # of the stream's buffer if the text goes through it; 0 if straight to the file
    cdef bint may_be_due
    cdef bint may_rotate
    # Whether simple records can be composed without the GIL. A batch with another one needs it after all, and costs
    # more then: the next batches are not tried, twice as many as after the one before.
    cdef bint is_simple
    cdef int not_tried
    cdef int left


cdef extern from "interpreter/dict_watch.h":
    """
    LOGFLUME_DEFINE_WATCH(logflume_handlers)
    """
    Watch logflume_handlers

cdef type StringTemplateStyle = logging.StringTemplateStyle
cdef PyTypeObject *record_type = <PyTypeObject *><PyObject *>logging.LogRecord

cdef dict plans = {}  # by the handler's id()
cdef Py_ssize_t MOST_PLANS = 64


cpdef int way_of(object handler, bint asked=False) except -1:
    """Return which way batches go to `handler` now: see _delivery.plan."""
    overridden = overridden_by(handler, asked)
    if overridden is not None and overridden <= FORMAT:
        formatter = formatter_of(handler)
        if not overridden and (
            formatter_is_unpatched(formatter)
            or json_formatter_is_unpatched(formatter)
            or added_fields(formatter)
        ):
            return COMPOSED
        if not rotates_by_size(handler):
            return FORMATTED
    return HANDED_OVER if hasattr(type(handler), "handle_batch") else ONE_BY_ONE


cdef object formatter_of(object handler):
    return dict_get(instance_dict(handler), "formatter", None) or logging._defaultFormatter


cdef bint may_have_plan(object handler) except -1:
    """Whether plan_of() has to be asked, which needs the handler's lock."""
    return id(handler) in plans or way_of(handler, True) == COMPOSED


cdef Plan plan_of(object handler):
    """Return the plan for `handler`, whose lock is held; None if its batches go another way than COMPOSED now.

    Its filters are not looked at: the records have passed them.
    """
    cdef Plan plan = plans.get(id(handler))
    cdef Composer composer = None if plan is None else plan.composer
    if plan is not None and is_current(plan, handler):
        return plan
    if way_of(handler, True) != COMPOSED:
        return None
    plan = lasting_plan(handler)
    if plan is None:
        plan = Plan.__new__(Plan)
        plan.composer = composer_of(handler.formatter or logging._defaultFormatter, composer)
        plan.terminator = handler.terminator
    if len(plans) >= MOST_PLANS and id(handler) not in plans:
        plans.clear()
    plans[id(handler)] = plan
    return plan


cdef bint is_current(Plan plan, object handler) except -1:
    """Whether `plan` is for `handler`, and nothing of both has changed."""
    # Each is held by the one before: the dictionary of a handler that did not change has its formatter.
    return (
        plan.handler.object == <PyObject *>handler
        and is_same_object(&plan.handler, handler)
        and is_same_object(&plan.formatter, <object>plan.formatter.object)
        and is_same_object(&plan.style, <object>plan.style.object)
        and type_version(record_type) == plan.record_version
        and is_same_stream(plan, <object>plan.stream)
        and (plan.composer.clock is None or renew(plan.composer.clock))
        and (plan.composer.json is None or is_unchanged(plan.composer.json))
    )


cdef inline bint is_same_object(const WatchedObject *watched, object found) noexcept:
    """Whether `found` is what was read, and unchanged."""
    return watched.object == <PyObject *>found and is_object_unchanged(&logflume_handlers, watched)


cdef int visit_held(PyObject *held, void *translates) except -1:
    """Note whether `held` can be the newline of a text stream that writes another one than "\\n"."""
    if PyUnicode_CheckExact(<object>held) and <str>held in ("\r\n", "\r"):
        (<bint *>translates)[0] = True
    return 0


cdef bint keeps_newlines(object stream) except -1:
    """As keeps_newlines() in _delivery/sinks.py, which knows whether the answer is right."""
    cdef PyTypeObject *cls = Py_TYPE(stream)
    cdef bint translates = False
    if cls.tp_traverse is NULL:
        return False
    cls.tp_traverse(<PyObject *>stream, visit_held, &translates)
    return not translates


cdef bint is_same_stream(Plan plan, object stream) except -1:
    """Whether nothing was put on the stream, and it was not reconfigured."""
    return (
        stream.encoding is plan.encoding
        and stream.line_buffering is plan.line_buffering
        and (not newlines_are_known or keeps_newlines(stream))
        and count_attributes(plan.sink, stream) == plan.attributes
    )


cdef Py_ssize_t count_attributes(object sink, object stream) except -1:
    return len(instance_dict(stream)) + len(instance_dict(sink.buffer)) + len(instance_dict(sink.raw))


cdef int forget(Plan plan) except -1:
    """Have the handler be looked at again for the next batch."""
    plan.handler.object = NULL
    return 0


cdef Plan lasting_plan(object handler):
    """Return a plan that can tell whether it is current; None if there can be none."""
    cdef Plan plan = Plan.__new__(Plan)
    cdef object own = instance_dict(handler)
    cdef object formatter, style, stream
    if not HAS_GIL:  # another thread may end what is borrowed here
        return None
    plan.record_version = assign_type_version(record_type)
    # Noted first, and read then: a change in between is found the next time.
    if plan.record_version == 0 or not watch_object(&logflume_handlers, &plan.handler, handler, own):
        return None
    if way_of(handler, True) != COMPOSED:
        return None
    formatter = dict_get(own, "formatter", None)
    stream = dict_get(own, "stream", None)
    if not formatter or stream is None:  # the default formatter may be replaced
        return None
    if not watch_object(&logflume_handlers, &plan.formatter, formatter, instance_dict(formatter)):
        return None
    style = formatter if json_formatter_is_unpatched(formatter) else formatter._style  # JSON does not use it
    if type(style) is StringTemplateStyle:  # its template may change, and does not tell
        return None
    if not watch_object(&logflume_handlers, &plan.style, style, instance_dict(style)):
        return None
    try:
        plan.sink = sink_of(handler)
        if not isinstance(plan.sink, DescriptorSink) or not logflume_see_file(&plan.file, plan.sink.raw.fileno()):
            return None
        if type(plan.sink) is not FileSink:
            plan.capacity = plan.sink.capacity
        plan.encoding = plan.sink.encoding
        plan.line_buffering = plan.sink.line_buffering
        plan.attributes = plan.sink.attributes
        plan.composer = composer_of(formatter, None)
        plan.stream = <PyObject *>stream
        plan.terminator = handler.terminator
    except Exception:
        return None
    plan.may_be_due = isinstance(handler, (TimedRotatingFileHandler, WatchedFileHandler))
    plan.may_rotate = isinstance(handler, RotatingFileHandler)
    plan.is_simple = makes_simple(plan.composer) and PyUnicode_CheckExact(plan.terminator)
    # sink_of() may have run what changed the handler
    return plan if is_current(plan, handler) else None
