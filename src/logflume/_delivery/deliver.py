"""How a batch goes to a handler that needs Python for it: record by record, as a list, or text by text."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._shared.contexts import in_contexts
from .._shared.moved import Report, has_standard_handle
from .batch_text import BatchText
from .caught import intercept_errors
from .sinks import Sink

if TYPE_CHECKING:
    from .collected import Collected

# Whether the standard handle() takes the lock itself: before Python 3.13 it calls acquire(), which may be overridden.
_handle_takes_lock = "acquire" not in logging.Handler.handle.__code__.co_names


class Progress:
    """How far a delivery has come, for records that a handler logs meanwhile.

    `record` is the one that a handler in Python is at work with, or None. `formatted` is the batch
    whose lines are partly made and not written yet, or None. While `composing`, a text is under way that cannot be
    interrupted.
    `asked` tells that the handler's level and filters were asked in the log call, and are not to be asked again.
    `rest` is to be called after each record that Python code handled: other threads may want the GIL.
    """

    __slots__ = ("asked", "composing", "formatted", "record", "rest")

    def __init__(self) -> None:
        self.asked = False
        self.record: logging.LogRecord | None = None
        self.formatted: Collected | None = None
        self.composing = False
        self.rest: Callable[[], object] = go_on


def go_on() -> None:
    """Stand for a `rest` where there is none."""


# ---- ONE_BY_ONE ----


def one_by_one(
    handler: logging.Handler,
    records: list[logging.LogRecord],
    count: int,
    report: Report,
    progress: Progress,
) -> None:
    """Give the first `count` records to `handler.handle`, and take each from the list as it is given."""
    intercept_errors(handler)
    handle = in_contexts(_emitter(handler) if progress.asked else handler.handle)
    try:
        for _ in range(count):
            progress.record = record = records[0]
            del records[0]  # no signal handler can come between this and the call
            try:
                handle(record)
            except Exception:
                report(record, handler)
            progress.rest()
    finally:
        progress.record = None


def _emitter(handler: logging.Handler) -> Callable[[logging.LogRecord], object]:
    """Return what does the rest of `handler.handle` once its filters were asked."""
    if not has_standard_handle(handler):
        return handler.handle
    if handler.lock is not None and (_handle_takes_lock or type(handler).acquire is logging.Handler.acquire):

        def emit_locked(record: logging.LogRecord) -> None:
            with handler.lock:  # type: ignore[union-attr] # no signal handler comes between this and the block
                handler.emit(record)

        return emit_locked

    def emit(record: logging.LogRecord) -> None:
        handler.acquire()
        try:
            handler.emit(record)
        finally:
            handler.release()

    return emit


# ---- HANDED_OVER ----


def hand_over(handler: Any, records: list[logging.LogRecord], report: Report, progress: Progress) -> None:
    """Give the records that pass the handler's filters to its handle_batch(), with its lock held."""
    intercept_errors(handler)
    asked = progress.asked and has_standard_handle(handler)
    batch = records[:] if asked else []
    for record in () if asked else records:
        try:
            passed = in_contexts(handler.filter)(record)
        except Exception:
            report(record, handler)
        else:
            if passed:
                batch.append(passed if isinstance(passed, logging.LogRecord) else record)
    records.clear()
    if batch:
        try:
            with handler.lock or contextlib.nullcontext():
                handler.handle_batch(batch[:])
        except Exception:
            for record in batch:
                report(record, handler)


# ---- COMPOSED ----


def write_text(handler: logging.Handler, records: list[logging.LogRecord], sink: Sink, text: BatchText) -> int:
    """Write `text`, made of the first of `records`; return how many of those left have to go one at a time."""
    left = len(records)
    try:
        alone = sink.put(handler, records, text) if text.count else 0
    finally:
        if text.explained:
            _unexplain(records, text.explained, left - len(records))
    if text.interrupt is not None:
        # the ones before it may not have been written
        interrupted = text.count - (left - len(records))
        del records[interrupted : interrupted + 1]
        raise text.interrupt
    return alone or (1 if text.special else 0)


def _unexplain(records: list[logging.LogRecord], explained: list[tuple[int, Any]], gone: int) -> None:
    """Take back the exc_text that formatting gave to those records of a text that are formatted once more.

    A format may show whether it was there before. `gone` records of the text are no longer in the list.
    """
    for index, before in explained:
        if index >= gone:
            with contextlib.suppress(Exception):  # a record class may have it fixed
                records[index - gone].exc_text = before
