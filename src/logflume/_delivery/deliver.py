"""Hands batches of records to the real handlers: one write and one flush where that cannot be told from many.

`deliver` is the way of a batch in both cores. A core brings two things: `recognised(handler)`, whether the
handler and its formatter are the standard library's own, and `compose`, which makes the text if both are.
"""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import BaseRotatingHandler

from .._shared.contexts import call_in_context, context_of
from .sinks import due, is_expired, sink_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .sinks import BatchText, Sink

    Report = Callable[[logging.LogRecord, logging.Handler], object]
    Recognised = Callable[[logging.Handler], int]
    Compose = Callable[[logging.Handler, list[logging.LogRecord], Sink, int], BatchText]


# How a handler takes a batch.
ALONE = 0  # one record at a time
SEEN = 1  # many at a time, by code that may look at what others' formatting left on them
UNSEEN = 2  # many at a time, and nobody looks


class BatchText:
    """What `compose` made of some records."""

    __slots__ = ("_ends", "count", "data", "explained", "interrupt", "special")

    def __init__(
        self,
        data: bytes,
        ends: list[int],
        special: bool = False,
        interrupt: BaseException | None = None,
        explained: list[tuple[int, Any]] | None = None,
    ) -> None:
        self.data = data
        self.count = len(ends)
        self.special = special
        self.interrupt = interrupt
        self.explained = explained
        self._ends = ends

    def whole(self, size: int) -> int:
        return sum(end <= size for end in self._ends)

    def end(self, index: int) -> int:
        return self._ends[index] if index >= 0 else 0


def one_by_one(
    handler: logging.Handler, records: list[logging.LogRecord], count: int, report: Report
) -> None:
    """Give the first `count` records to `handler.handle`, and take each from the list as it is given."""
    done = 0
    try:
        while done < count:
            record = records[done]
            done += 1
            try:
                call_in_context(context_of(record), handler.handle, record)
            except Exception:
                report(record, handler)
    finally:
        del records[:done]


def _segment(
    handler: logging.Handler, records: list[logging.LogRecord], compose: Compose, holders: int
) -> int:
    """Write the records that go together; return how many of those left have to go one at a time."""
    with handler.lock:  # type: ignore[union-attr]
        try:
            if due(handler):
                return 1
            sink = sink_of(handler)
            if sink is None:
                return len(records)
            segment = compose(handler, records, sink, holders)
        except Exception:
            return 1  # whatever is wrong, the handler meets it on its own, and reports it
        return put_segment(handler, records, sink, segment)


def put_segment(
    handler: logging.Handler, records: list[logging.LogRecord], sink: Sink, segment: BatchText
) -> int:
    """Write `segment`, made of the first of `records`; return how many of those left have to go one at a time."""
    left = len(records)
    try:
        alone = sink.put(handler, records, segment) if segment.count else 0
    finally:
        if segment.explained:
            unexplain(records, segment.explained, left - len(records))
    if segment.interrupt is not None:
        # the ones before it may not have been written
        interrupted = segment.count - (left - len(records))
        del records[interrupted : interrupted + 1]
        raise segment.interrupt
    return alone or (1 if segment.special else 0)


def unexplain(records: list[logging.LogRecord], explained: list[tuple[int, Any]], gone: int) -> None:
    """Take back the exc_text that formatting gave to those records of a segment that are formatted once more.

    A format may show whether it was there before. `gone` records of the segment are no longer in the list.
    """
    for index, before in explained:
        if index >= gone:
            with contextlib.suppress(Exception):  # somebody's record that has it fixed
                records[index - gone].exc_text = before


class Raised:
    """What a formatter raised instead of giving a text."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _emit_text(handler: Any, record: logging.LogRecord, text: Any, report: Report) -> None:
    """Do what is left of `handler.handle(record)` once its formatter gave `text`."""
    try:
        try:
            if type(text) is Raised:
                raise text.error
            handler.stream.write(text + handler.terminator)
            handler.flush()
        except Exception as error:
            # as the standard emit(), which lets this one out, but not where a file may rotate
            if isinstance(error, RecursionError) and not isinstance(handler, BaseRotatingHandler):
                raise
            handler.handleError(record)
    except Exception:
        report(record, handler)


def _own_texts(handler: Any, records: list[logging.LogRecord], report: Report) -> int:
    """Write the records that go together with a formatter that is not stock; return as `_segment` does.

    Such a formatter may count its calls, say: each record is formatted once, whatever becomes of its text.
    """
    with handler.lock:
        if due(handler):
            return 1
        sink = sink_of(handler)
        if sink is None or type(handler.terminator) is not str:
            return len(records)
        texts: list[Any] = []
        try:
            segment = _format_each(handler, records, sink, texts)
            count = len(records)
            if segment.count:
                sink.put(handler, records, segment)
            for text in texts[count - len(records) :]:
                _emit_text(handler, records.pop(0), text, report)
        finally:
            text = None
            texts.clear()  # an exception in it refers to this frame
        return 0


def _format_each(handler: Any, records: list[logging.LogRecord], sink: Sink, texts: list[Any]) -> BatchText:
    """Put what the formatter makes of some records, from the first, into `texts`, one record at least.

    Return those that can be written to `sink`: all, or all but the last.
    """
    encoding = "ascii" if sink.ascii else "utf-8"
    stream, formatter, terminator = handler.stream, handler.formatter, handler.terminator
    attributes = len(vars(handler))
    lines: list[bytes] = []
    ends: list[int] = []
    size = 0
    for record in records:
        if size >= sink.limit or (lines and is_expired(handler)):
            break
        try:
            text = call_in_context(context_of(record), handler.format, record)
        except BaseException as error:  # it counts once the records before it are written
            texts.append(Raised(error))
            break
        texts.append(text)
        # What the formatter changed counts from this record's write on.
        if (
            type(text) is not str
            or handler.stream is not stream
            or handler.formatter is not formatter
            or handler.terminator is not terminator
            or handler.filters
            or len(vars(handler)) != attributes
        ):
            break
        try:
            line = (text + terminator).encode(encoding)
        except UnicodeEncodeError:
            break
        size += len(line)
        lines.append(line)
        ends.append(size)
    return BatchText(b"".join(lines), ends)


def _hand_over(handler: Any, records: list[logging.LogRecord], report: Report) -> None:
    """Give the records that pass the handler's filters to its handle_batch(), with its lock held."""
    batch = []
    for record in records:
        try:
            passed = call_in_context(context_of(record), handler.filter, record)
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


def deliver(
    handler: logging.Handler,
    records: list[logging.LogRecord],
    report: Report,
    recognised: Recognised,
    compose: Compose,
    holders: int,
    unseen: bool,
    least: int,
) -> None:
    """Do what `deliver_batch` says, with what a core brings; fewer than `least` records are no batch."""
    while records:
        # Asked again after each record that went alone: what ran for it may have changed the handler
        way = ALONE if len(records) < least else UNSEEN if unseen else recognised(handler)
        unseen = False
        if way == UNSEEN:
            alone = _segment(handler, records, compose, holders)
        elif way == SEEN and len(records) > 1:
            alone = _own_texts(handler, records, report)
        elif hasattr(type(handler), "handle_batch"):
            _hand_over(handler, records, report)
            return
        else:
            alone = len(records)
        if alone:
            one_by_one(handler, records, alone, report)
