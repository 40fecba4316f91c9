"""The contextvars of a record's caller, on their way to the handlers that run on the listener's thread.

A captured record carries them itself. Beside any other record they go through the queue, if it is known that a
logflume.QueueListener takes them out; else they are kept here until a listener takes the record.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from contextvars import Context
from typing import TypeVar

R = TypeVar("R")
Contexts = dict[int, tuple[logging.LogRecord, Context]]  # by the id() of the record


def is_worth_carrying(context: Context) -> bool:
    """Tell whether it holds anything but what each thread has that ever used `decimal`."""
    return len(context) > 1 or any(variable.name != "decimal_context" for variable in context)


# ---- records whose queue has no place for it ----


# By the id() of the record: the context, and one mark for each queue that the record is in.
kept_contexts: dict[int, tuple[weakref.ref[logging.LogRecord], Context, list[None]]] = {}
_listened: weakref.WeakSet[object] = weakref.WeakSet()


def expect_contexts(queue: object) -> None:
    """Keep contexts for the records in `queue` from now on, because a listener takes them."""
    try:
        _listened.add(queue)
    except TypeError:
        pass


def keep_context(record: logging.LogRecord, queue: object, context: Context) -> None:
    """Keep `context` for the listener that takes `record` out of `queue`, if expect_contexts() was called for it."""
    try:
        if queue not in _listened:
            return
        found = kept_contexts.get(id(record))
        if found is None:
            key, pop = id(record), kept_contexts.pop
            found = weakref.ref(record, lambda _: pop(key, None)), context, []
    except TypeError:
        return
    found[2].append(None)
    kept_contexts[id(record)] = found  # again, as another listener may have taken the last one just now


def take_context(record: object) -> Context | None:
    """Return what is kept for `record`, or None; call it once for each queue that the record was in."""
    found = kept_contexts.get(id(record)) if kept_contexts else None
    if found is None or found[0]() is not record:
        return None
    _, context, marks = found
    if marks:
        marks.pop()
    if not marks:
        kept_contexts.pop(id(record), None)
    return context


# ---- where the handlers run ----


class _Handling(threading.local):
    """The contexts of the records that this thread handles, if there are any."""

    contexts: Contexts | None = None


handling = _Handling()


def handled_contexts() -> Contexts:
    """Return the contexts of the records that this thread handles."""
    contexts = handling.contexts
    if contexts is None:
        contexts = handling.contexts = {}
    return contexts


def in_contexts(function: Callable[[logging.LogRecord], R]) -> Callable[[logging.LogRecord], R]:
    """Return a function that calls `function` for records that this thread handles, in what contextvars came with each.

    That is in a copy: others may be in the same context at this moment.
    """
    contexts = handling.contexts
    if not contexts:
        return function

    def call(record: logging.LogRecord) -> R:
        found = contexts.get(id(record))
        return function(record) if found is None or found[0] is not record else found[1].copy().run(function, record)

    return call
