"""How a batch goes to a handler that needs Python for it: record by record, as a list, or text by text."""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import BaseRotatingHandler, TimedRotatingFileHandler

from .._shared.contexts import call_in_context, context_of, handled_contexts
from .._shared.moved import filters_in_call
from .batch_text import BatchText
from .caught import hear, listen_for_errors
from .sinks import UNLIMITED, due, is_expired, sink_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .sinks import Sink

    Report = Callable[[logging.LogRecord, logging.Handler], object]

__all__ = ["Progress", "go_on", "hand_over", "one_by_one", "write_formatted", "write_text"]


class Progress:
    """How far a delivery has come, for records that a handler logs meanwhile.

    `record` is the one that a handler or formatter in Python is at work with, or None. `formatted` is the batch whose
    texts are partly made and not written yet, or None. While `composing`, a text is under way that cannot be
    interrupted.
    `asked` tells that the handler's level and filters were asked in the log call, and are not to be asked again.
    `rest` is to be called after each record that Python code handled: other threads may want the GIL.
    """

    __slots__ = ("asked", "composing", "formatted", "record", "rest")

    def __init__(self) -> None:
        self.asked = False
        self.record: logging.LogRecord | None = None
        self.formatted: FormattedBatch | None = None
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
    listen_for_errors(handler)
    handle = _emitter(handler) if progress.asked else handler.handle
    contexts = handled_contexts()
    try:
        for _ in range(count):
            progress.record = record = records.pop(0)
            try:
                if contexts:
                    call_in_context(context_of(record, contexts), handle, record)
                else:
                    handle(record)
            except Exception:
                report(record, handler)
            progress.rest()
    finally:
        progress.record = None


def _emitter(handler: logging.Handler) -> Callable[[logging.LogRecord], object]:
    """Return what does the rest of `handler.handle` once its filters were asked."""
    if not filters_in_call(handler):
        return handler.handle

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
    listen_for_errors(handler)
    asked = progress.asked and filters_in_call(handler)
    batch = records[:] if asked else []
    for record in () if asked else records:
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


# ---- COMPOSED ----


def write_text(
    handler: logging.Handler, records: list[logging.LogRecord], sink: Sink, text: BatchText
) -> int:
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


# ---- FORMATTED ----


class _Raised:
    """What a formatter raised instead of giving a text."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def write_formatted(
    handler: Any, records: list[logging.LogRecord], report: Report, progress: Progress
) -> int:
    """Write the records that go together; return how many of those left have to go one at a time.

    The formatter is called once for each record, whatever becomes of its text: it may count its calls, say.
    """
    with handler.lock:
        if due(handler):
            return 1
        sink = sink_of(handler)
        if sink is None or type(handler.terminator) is not str:
            return len(records)
        progress.formatted = batch = FormattedBatch(handler, records, sink, report)
        try:
            batch.format(progress.rest)
            batch.write()
        finally:
            progress.formatted = None
            batch.texts.clear()  # an exception in it refers to this frame
        return 0


class FormattedBatch:
    """The texts that a handler's own formatter made of the first of `records`, until they are written."""

    def __init__(self, handler: Any, records: list[logging.LogRecord], sink: Sink, report: Report) -> None:
        self.handler = handler
        self.records = records
        self.sink = sink
        self.report = report
        self.texts: list[Any] = []
        # Those of them that the sink can write, in bytes.
        self.lines: list[bytes] = []
        self.ends: list[int] = [0]
        self.is_closed = False

    def _is_full(self) -> bool:
        return self.ends[-1] >= self.sink.limit or is_expired(self.handler)

    def format(self, rest: Callable[[], object]) -> None:
        """Add the texts of the next records, as many as go together, and call `rest()` after each."""
        handler, records = self.handler, self.records
        stream, formatter, terminator = handler.stream, handler.formatter, handler.terminator
        attributes, count, filters = vars(handler), len(vars(handler)), bool(handler.filters)
        has_limits = self.sink.limit != UNLIMITED or isinstance(handler, TimedRotatingFileHandler)
        encoding = "ascii" if self.sink.ascii else "utf-8"
        contexts = handled_contexts()
        form = handler.format
        for record in records[:]:  # what the formatter logs has some written
            try:
                text = (
                    call_in_context(context_of(record, contexts), form, record) if contexts else form(record)
                )
            except BaseException as error:  # it counts once the records before it are written
                self.texts.append(_Raised(error))
                self.is_closed = True
                return
            self.texts.append(text)
            # What the formatter changed counts from this record's write on, and so does what it wrote itself.
            if (
                self.is_closed
                or type(text) is not str
                or handler.stream is not stream
                or handler.formatter is not formatter
                or handler.terminator is not terminator
                or bool(handler.filters) is not filters
                or len(attributes) != count
            ):
                self.is_closed = True
                return
            try:
                line = (text + terminator).encode(encoding)
            except UnicodeEncodeError:
                self.is_closed = True
                return
            self.lines.append(line)
            self.ends.append(self.ends[-1] + len(line))
            rest()
            if has_limits and self._is_full():
                return

    def write(self) -> None:
        """Write the texts that are there, and take their records from the list.

        Called before the batch is complete if the formatter logs: that record comes after these. The rest is then
        written record by record, because the handler may have changed.
        """
        count = len(self.records)
        texts, self.texts = self.texts, []
        text = BatchText(b"".join(self.lines), self.ends[1:])
        self.lines, self.ends = [], [0]
        self.is_closed = True
        if text.count:
            self.sink.put(self.handler, self.records, text)
        try:
            for made in texts[count - len(self.records) :]:
                _emit(self.handler, self.records.pop(0), made, self.report)
        finally:
            made = None
            texts.clear()


def _emit(handler: Any, record: logging.LogRecord, text: Any, report: Report) -> None:
    """Do what is left of `handler.handle(record)` once its formatter gave `text`."""
    try:
        try:
            if type(text) is _Raised:
                raise text.error
            handler.stream.write(text + handler.terminator)
            handler.flush()
        except Exception as error:
            # as the standard emit(), which lets this one out, but not where a file may rotate
            if isinstance(error, RecursionError) and not isinstance(handler, BaseRotatingHandler):
                raise
            hear(handler, record)
    except Exception:
        report(record, handler)
