"""Batches whose lines are written together, although each record needs Python code: a formatter, or filters."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from logging.handlers import BaseRotatingHandler, TimedRotatingFileHandler
from typing import Any

from .._shared.contexts import in_contexts
from .._shared.moved import Report
from .batch_text import BatchText
from .caught import handle_error
from .deliver import Progress, one_by_one
from .sinks import UNLIMITED, Sink, due, is_expired, sink_of

# The bytes of a record, or None if it has to go to the handler alone: if it cannot be formatted or encoded, or has
# so many characters.
MakeLine = Callable[[logging.LogRecord, int], bytes | None]


DROPPED: Any = object()  # what ask() returns for a record that does not pass the filters


def write_formatted(handler: Any, records: list[logging.LogRecord], report: Report, progress: Progress) -> int:
    """Write the records that go together; return how many of those left have to go one at a time.

    The formatter is called once for each record, whatever becomes of its text: it may count its calls, say.
    """
    return _write(Formatted(handler, records, report, progress))


def write_filtered(
    handler: Any,
    records: list[logging.LogRecord],
    report: Report,
    progress: Progress,
    make_line: Callable[[Any, Sink], MakeLine],
) -> int:
    """Write the records that go together; return how many of those left have to go one at a time, filters and all.

    The filters are called on this thread, before each record's text is made.
    """
    batch = Filtered(handler, records, report, progress)
    batch.line_maker = make_line
    return _write(batch)


def _write(batch: Collected) -> int:
    handler, progress = batch.handler, batch.progress
    with handler.lock:
        try:
            if due(handler):
                return 1
            sink = sink_of(handler)
            if sink is None or type(handler.terminator) is not str:
                return len(batch.records)
            batch.begin(sink)
        except Exception:
            return 1  # whatever is wrong, the handler meets it on its own, and reports it
        progress.formatted = batch
        try:
            batch.fill()
        finally:
            progress.formatted = None
        batch.write()
    return 0


class _Raised:
    """What Python code raised for a record."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Collected:
    """The lines of the first of `records`, until they are written to `sink`.

    It is closed by a record that has to go to the handler alone, and by Python code that raises, logs or changes the
    handler.
    """

    sink: Sink
    # Runs the Python code for a record; returns what line() and finish() need.
    ask: Callable[[logging.LogRecord], Any]
    # Returns the bytes of a record, or None if it has to go to the handler alone.
    line: Callable[[Any], bytes | None]

    def __init__(self, handler: Any, records: list[logging.LogRecord], report: Report, progress: Progress) -> None:
        self.handler = handler
        self.records = records
        self.report = report
        self.progress = progress
        self.is_closed = False
        self.made: list[Any] = []  # what ask() returned or raised; of the last one there may be no line
        self.lines: list[bytes] = []
        self.ends: list[int] = [0]

    def begin(self, sink: Sink) -> None:
        """Set what is asked for each record, with the handler's lock held."""
        self.sink = sink

    def finish(self, record: logging.LogRecord, made: Any) -> None:
        """Have the handler do what is left to do for a record that was not written."""
        raise NotImplementedError

    def fill(self) -> None:
        """Take the next records, as many as go together."""
        handler, sink, rest = self.handler, self.sink, self.progress.rest
        stream, formatter, terminator = handler.stream, handler.formatter, handler.terminator
        attributes, count, has_filters = vars(handler), len(vars(handler)), bool(handler.filters)
        has_limits = sink.limit != UNLIMITED or isinstance(handler, TimedRotatingFileHandler)
        ask, line_of, made, lines, ends = self.ask, self.line, self.made, self.lines, self.ends
        for record in self.records[:]:  # what the code logs has some written
            try:
                found = ask(record)
                if found is DROPPED:
                    del self.records[len(self.made)]
                elif (
                    # What the code changed, wrote or logged counts from this record on.
                    self.is_closed
                    or handler.stream is not stream
                    or handler.formatter is not formatter
                    or handler.terminator is not terminator
                    or bool(handler.filters) is not has_filters
                    or len(attributes) != count
                    or (line := line_of(found)) is None
                ):
                    self.close(found)
                else:
                    made.append(found)
                    lines.append(line)
                    ends.append(ends[-1] + len(line))
            except BaseException as error:  # it counts once the records before it are written
                self.close(_Raised(error))
                return
            rest()
            if self.is_closed or (has_limits and (ends[-1] >= sink.limit or is_expired(handler))):
                return

    def close(self, made: Any) -> None:
        """Take a record that has to go to the handler alone, as the last one."""
        self.made.append(made)
        self.is_closed = True

    def write(self) -> None:
        """Write the lines that are there, and take their records from the list.

        Called before the batch is complete if Python code logs: that record comes after these.
        """
        made, self.made = self.made, []
        text = BatchText(b"".join(self.lines), self.ends[1:])
        self.lines, self.ends = [], [0]
        self.is_closed = True
        count = len(self.records)
        try:
            if text.count:
                self.sink.put(self.handler, self.records, text)
            for each in made[count - len(self.records) :]:
                self.finish(self.records.pop(0), each)
        finally:
            each = None
            made.clear()  # an exception in it refers to this frame


class Formatted(Collected):
    """Of a handler whose own formatter makes the texts."""

    def begin(self, sink: Sink) -> None:
        super().begin(sink)
        terminator, encoding = self.handler.terminator, "ascii" if sink.ascii else "utf-8"

        def line(text: Any) -> bytes | None:
            try:
                return (text + terminator).encode(encoding) if type(text) is str else None
            except UnicodeEncodeError:
                return None

        self.ask, self.line = in_contexts(self.handler.format), line

    def finish(self, record: logging.LogRecord, made: Any) -> None:
        handler = self.handler
        try:
            try:
                if type(made) is _Raised:
                    raise made.error
                handler.stream.write(made + handler.terminator)
                handler.flush()
            except Exception as error:
                # as the standard emit(), which lets this one out, but not where a file may rotate
                if isinstance(error, RecursionError) and not isinstance(handler, BaseRotatingHandler):
                    raise
                handle_error(handler, record)
        except Exception:
            self.report(record, handler)


class Filtered(Collected):
    """Of a handler whose filters are asked about each record; those that pass get their lines from `line_maker`."""

    line_maker: Callable[[Any, Sink], MakeLine]

    def begin(self, sink: Sink) -> None:
        super().begin(sink)
        passes, make_line = in_contexts(self.handler.filter), self.line_maker(self.handler, sink)
        progress = self.progress

        def ask(record: logging.LogRecord) -> Any:
            passed = passes(record)
            if not passed:
                return DROPPED
            if isinstance(passed, logging.LogRecord):
                record = self.records[len(self.made)] = passed
            return record

        def line(record: Any) -> bytes | None:
            before = getattr(record, "exc_text", None)
            progress.composing = True
            try:
                made = make_line(record, sink.room - self.ends[-1])
            finally:
                progress.composing = False
            if made is None and getattr(record, "exc_text", None) is not before:
                with contextlib.suppress(Exception):  # a record class may have it fixed
                    record.exc_text = before
            return made

        self.ask, self.line = ask, line

    def finish(self, record: logging.LogRecord, made: Any) -> None:
        progress = self.progress
        progress.asked, asked = True, progress.asked
        try:
            if type(made) is _Raised:
                raise made.error
            one_by_one(self.handler, [record], 1, self.report, progress)
        except Exception:
            self.report(record, self.handler)
        finally:
            progress.asked = asked
