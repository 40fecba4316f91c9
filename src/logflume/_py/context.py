"""The contextvars that the caller of a log call sees, for handlers that run where they are not to be seen.

A lean record carries them itself. Beside any other record they go through the queue, if the handler knows that it is
a listener of ours that takes them out; else they are kept here until a listener takes the record.
"""

from __future__ import annotations

import threading
import weakref
from contextvars import Context, copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")
    R = TypeVar("R")

_last: Context | None = None


def is_worth_carrying(context: Context) -> bool:
    """Whether it holds anything but what each thread has that ever used `decimal`."""
    return len(context) > 1 or any(variable.name != "decimal_context" for variable in context)


def current_context() -> Context | None:
    """Return the contextvars that the running code sees, or None if there are none worth carrying.

    It is one object for as long as they are the same, and must not be entered or changed: make a copy.
    """
    global _last
    context = copy_context()
    if not context or not is_worth_carrying(context):
        return None
    last = _last
    if context == last:
        return last
    _last = context
    return context


def forget_context() -> None:
    """Let go of the contextvars that were seen last."""
    global _last
    _last = None


def context_for(record: logging.LogRecord) -> Context | None:
    """Return what has to go through a queue beside `record`, or None."""
    return current_context()


# ---- records whose queue has no place for it ----


class _Key(weakref.ref):  # type: ignore[type-arg]
    """A reference that takes its entry away when the record ends."""

    __slots__ = ("record_id",)
    record_id: int


_kept: dict[int, tuple[_Key, Context]] = {}


def _drop(key: _Key, kept: dict[int, tuple[_Key, Context]] = _kept) -> None:
    kept.pop(key.record_id, None)


def keep_context(record: logging.LogRecord, context: Context) -> None:
    """Keep `context` for the listener that takes `record` out of its queue."""
    try:
        key = _Key(record, _drop)
    except TypeError:
        return
    key.record_id = id(record)
    _kept[id(record)] = key, context


def take_context(record: object) -> Context | None:
    """Return what is kept for `record`, and keep it no longer; None if there is nothing."""
    if not _kept:
        return None
    found = _kept.pop(id(record), None)
    return found[1] if found is not None and found[0]() is record else None


# ---- where the handlers run ----

_handling = threading.local()


def set_handled(contexts: dict[int, Context] | None) -> dict[int, Context] | None:
    """Tell the contexts of the records that this thread handles from now on, by their id(); return those before."""
    before = getattr(_handling, "contexts", None)
    _handling.contexts = contexts
    return before


def context_of(record: logging.LogRecord) -> Context | None:
    """Return the contextvars that came with a record that this thread handles, or None."""
    contexts = getattr(_handling, "contexts", None)
    return contexts.get(id(record)) if contexts else None


def call_in_context(context: Context | None, function: Callable[[T], R], argument: T) -> R:
    """Call `function`, in a copy of `context` if there is one: others may be in the same at this moment."""
    return function(argument) if context is None else context.copy().run(function, argument)
