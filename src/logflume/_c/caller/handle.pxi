"""From a captured record to the queue handlers: what Logger.handle() does."""


cdef int put(object logger, object handler, CapturedRecord record, object way) except -1:
    """Have a record enqueued by what find_handler() returned, as way_in() said."""
    if way is FILTERED:
        return (<HandlerCore>handler).put_filtered(record)
    if way is not AS_LOG_RECORD:
        return (<HandlerCore>handler).put_captured(record, way)
    record.context = None
    if handler is SEVERAL:
        return put_into_each(logger, made_of(record))
    return (<HandlerCore>handler).put(made_of(record))


cdef int ask_logger(object logger, object name, CapturedRecord record) except -1:
    """Do what Logger.handle() does, for a logger whose filters have to be called."""
    cdef object handler = None, way = AS_LOG_RECORD, passed
    record.context = None
    passed = logger.filter(made_of(record))
    if not passed:
        take_back(record)
        return 0
    if returns_record and passed is not record.made and isinstance(passed, LogRecord):
        return put_into_each(logger, passed)
    passed = None  # take_back() needs the only reference
    if take_back(record):
        # Filters can do anything: look at all of it now.
        handler = find_handler(logger, instance_dict(logger), record.levelno)
        if handler is NO_HANDLER:
            return 0
        if isinstance(handler, HandlerCore):
            way = (<HandlerCore>handler).way_in(record.levelno, name)
            if way is NOT_AT_ALL:
                return 0
    if handler is None or way is AS_LOG_RECORD or way is CALLS_PYTHON:
        return put_into_each(logger, made_of(record))
    return put(logger, handler, record, way)


cdef int put_into_each(object logger, object record) except -1:
    """As Logger.callHandlers, when the handlers are queue handlers."""
    cdef Py_ssize_t i
    cdef object attributes
    cdef HandlerCore queue_handler
    while logger is not None:
        attributes = instance_dict(logger)
        handlers = dict_get(attributes, "handlers", MISSING)
        if not is_handler_list(handlers):  # replaced since find_handler() looked
            handlers = list(logger.handlers)
        i = 0
        while True:
            handler = list_get(handlers, i, MISSING)
            if handler is MISSING:
                break
            if isinstance(handler, HandlerCore) and (<HandlerCore>handler).only_enqueues():
                queue_handler = <HandlerCore>handler
                if record.levelno >= queue_handler.level_value:
                    queue_handler.put(record)
            elif record.levelno >= handler.level:
                handler.handle(record)
            i += 1
        if not dict_get(attributes, "propagate", False):
            return 0
        logger = dict_get(attributes, "parent", None)
    return 0
