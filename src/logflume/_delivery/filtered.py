"""A batch for a handler whose filters have to be called on the listener's thread, before each record's text is made."""

from __future__ import annotations

import contextlib
import logging

from .._shared.contexts import context_of
from .batch_text import BatchText
from .deliver import one_by_one
from .sinks import due, is_expired, sink_of
from .unpatched import only_standard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .deliver import Progress, Report
    from .sinks import Sink

    # The bytes of a record, or None if it has to go to the handler alone: if it cannot be formatted or encoded, or has
    # so many characters.
    MakeLine = Callable[[logging.LogRecord, int], bytes | None]

__all__ = ["calls_filters", "drop_by_name", "write_filtered"]


_standard_filter = logging.Filterer.filter


def calls_filters(handler: logging.Handler) -> bool:
    """Return whether `handler` has filters, or a filter() of its own, that have to be called."""
    if type(handler).filter is not _standard_filter or "filter" in vars(handler):
        return True
    return bool(handler.filters) and not only_standard(handler.filters)


def drop_by_name(filters: list[Any], records: list[logging.LogRecord]) -> None:
    """Delete the records that one of `filters`, which are logging's own, does not let pass."""
    records[:] = [record for record in records if all(each.filter(record) for each in filters)]


def write_filtered(
    handler: Any,
    records: list[logging.LogRecord],
    report: Report,
    progress: Progress,
    make_line: Callable[[Any, Sink], MakeLine],
) -> int:
    """Write the records that go together; return how many of those left have to go one at a time, filters and all."""
    with handler.lock:
        try:
            if due(handler):
                return 1
            sink = sink_of(handler)
            if sink is None or type(handler.terminator) is not str:
                return len(records)
            batch = FilteredBatch(handler, records, report, progress, sink)
            make = make_line(handler, sink)
        except Exception:
            return 1  # whatever is wrong, the handler meets it on its own, and reports it
        progress.formatted = batch  # type: ignore[assignment] # of which a nested record needs write()
        try:
            batch.fill(make)
        finally:
            progress.formatted = progress.record = None
        batch.finish()
    return 0


class FilteredBatch:
    """The lines of the first of `records`, which passed the filters, until they are written."""

    def __init__(
        self, handler: Any, records: list[logging.LogRecord], report: Report, progress: Progress, sink: Sink
    ) -> None:
        self.handler = handler
        self.records = records
        self.report = report
        self.progress = progress
        self.sink = sink
        self.is_closed = False
        self._lines: list[bytes] = []
        self._ends: list[int] = []
        # Of the record that comes next, and closed the batch: whether it passed the filters, and what was raised.
        self._has_passed = False
        self._error: BaseException | None = None
        self._state = self._state_now()

    def _state_now(self) -> tuple[object, ...]:
        handler = self.handler
        return id(handler.stream), id(handler.formatter), id(handler.terminator), len(vars(handler))

    def fill(self, make: MakeLine) -> None:
        """Ask about the records, each before its line is made, until one has to go to the handler alone."""
        while len(self._lines) < len(self.records) and not self.is_closed:
            if self._lines and (self._ends[-1] >= self.sink.limit or is_expired(self.handler)):
                return
            record = self.records[len(self._lines)]
            try:
                passed = self._ask(record)
                if passed is not None:
                    self.records[len(self._lines)] = passed
                    self._add(passed, make)
                else:
                    del self.records[len(self._lines)]
            except BaseException as error:  # it counts once the records before it are written
                self._error = error
                return
            self.progress.rest()

    def _ask(self, record: logging.LogRecord) -> logging.LogRecord | None:
        """Return the record that passed, which a filter may have put in the place of `record`; or None."""
        self.progress.record = record
        context = context_of(record)
        ask = self.handler.filter
        passed = ask(record) if context is None else context.copy().run(ask, record)
        if isinstance(passed, logging.LogRecord):
            return passed
        return record if passed else None

    def _add(self, record: logging.LogRecord, make: MakeLine) -> None:
        # What the filter changed of the handler counts from this record on, and so does what it logged.
        if self.is_closed or self._state_now() != self._state:
            self.is_closed = self._has_passed = True
            return
        size = self._ends[-1] if self._ends else 0
        before = getattr(record, "exc_text", None)
        self.progress.composing = True
        try:
            line = make(record, self.sink.room - size)
        finally:
            self.progress.composing = False
        if line is None:
            if getattr(record, "exc_text", None) is not before:
                with contextlib.suppress(Exception):  # a record class may have it fixed
                    record.exc_text = before
            self.is_closed = self._has_passed = True
            return
        self._lines.append(line)
        self._ends.append(size + len(line))

    def write(self) -> None:
        """Write the lines that are there, and take their records from the list.

        Called before the batch is complete if a filter logs: that record comes after these.
        """
        self.is_closed = True
        count = len(self.records)
        text = BatchText(b"".join(self._lines), self._ends)
        self._lines, self._ends = [], []
        if text.count:
            self.sink.put(self.handler, self.records, text)
            self._emit(text.count - (count - len(self.records)))

    def finish(self) -> None:
        """Write what is left, and have the handler emit the record that closed the batch, or report it."""
        self.write()
        if self._has_passed:
            self._emit(1)
        if self._error is not None:
            record = self.records.pop(0)
            try:
                raise self._error
            except Exception:
                self.report(record, self.handler)
            finally:
                self._error = None  # its traceback refers to this frame

    def _emit(self, count: int) -> None:
        """Give the first records to the handler alone, but not to its filters."""
        progress = self.progress
        progress.asked, asked = True, progress.asked
        record = progress.record
        try:
            one_by_one(self.handler, self.records, count, self.report, progress)
        finally:
            progress.asked = asked
            progress.record = record
