"""The contextvars that the caller of a log call sees."""

cdef extern from "interpreter/contextvars.h":
    bint has_contextvars "logflume_has_contextvars" () noexcept
    bint is_current_context "logflume_is_current_context" (PyObject *context) noexcept

# The copy that was made last, which stands for every context with the same variables.
cdef object last_context = None
cdef bint last_is_worth_carrying = False


cdef object current_context():
    """Return the contextvars that the running code sees, or None if there are none worth carrying.

    It is one object for as long as they are the same, and must not be entered or changed: make a copy.
    """
    cdef object context
    cdef bint worth
    if not has_contextvars():
        return None
    if last_context is not None and is_current_context(<PyObject *>last_context):
        return last_context if last_is_worth_carrying else None
    context = copy_context()
    worth = is_worth_carrying(context)
    if HAS_GIL:
        remember_context(context, worth)
    return context if worth else None


cdef void remember_context(object context, bint worth):
    global last_context, last_is_worth_carrying
    last_is_worth_carrying = worth  # first: the end of the old context can run code that logs
    last_context = context


def forget_context():
    """Release the contextvars of the last call."""
    remember_context(None, False)
