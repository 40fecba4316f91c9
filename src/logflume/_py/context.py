"""Pure twin of the compiled context module: the contextvars that the caller of a log call sees."""

from __future__ import annotations

from contextvars import Context, copy_context
from operator import is_

from .._shared.contexts import is_worth_carrying

_last: Context | None = None


def current_context() -> Context | None:
    """Return the contextvars that the running code sees, or None if there are none worth carrying.

    It is one object for as long as they are the same, and must not be entered or changed: make a copy.
    """
    global _last
    context = copy_context()
    if not context or not is_worth_carrying(context):
        return None
    last = _last
    # By identity: comparing values may run arbitrary code, and equal ones are not the same.
    if (
        last is not None
        and len(context) == len(last)
        and all(map(is_, context.values(), last.values()))
        and all(map(is_, context, last))
    ):
        return last
    _last = context
    return context


def forget_context() -> None:
    """Release the contextvars of the last call."""
    global _last
    _last = None
