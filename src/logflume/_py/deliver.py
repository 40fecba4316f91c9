"""Pure twin of the compiled deliver module: makes the text of a batch, and hands batches to the handlers."""

from __future__ import annotations

import logging
from typing import Any

from .._delivery.batch_text import BatchText
from .._delivery.collected import MakeLine, write_filtered, write_formatted
from .._delivery.deliver import Progress, hand_over, one_by_one, write_text
from .._delivery.plan import COMPOSED, FORMATTED, HANDED_OVER, ONE_BY_ONE, way_of
from .._delivery.sinks import Sink, due, sink_of
from .._delivery.unpatched import only_standard
from .._shared.moved import Report, has_standard_filter
from .record import make_log_records

__all__ = ["deliver_batch", "drop_below", "way_of", "write_together"]


def deliver_batch(
    handler: logging.Handler,
    records: list[logging.LogRecord],
    report: Report,
    progress: Progress | None = None,
) -> None:
    """Deliver `records`, in order, to `handler`, and empty the list.

    The bytes, the rotated files and the calls of `handler.handleError` are those of `handler.handle(record)` for each
    record. `_delivery.plan` has the ways that a batch can go. A record that a batch cannot have goes to the handler
    alone, so that it reports the failure in its own way.

    `report(record, handler)` is called, while the exception is being handled, for each record whose `handle` raised,
    and for each record of a batch whose `handle_batch` raised. It must not raise.

    A captured record gets its LogRecord where other code than ours may see it. `progress` is kept up to date meanwhile.

    No `Exception` leaves this function. If another one does (`KeyboardInterrupt`), the records that are still in the
    list have not been delivered, and those that are no longer there must not be delivered again. As with `handle`, the
    one that was being formatted or written is gone.
    """
    if progress is None:
        progress = Progress()
    make_log_records(records)
    passed: list[Any] = []  # the filters that all of the records passed
    while records:
        # Asked again after each record that went alone: what ran for it may have changed the handler.
        way = ONE_BY_ONE
        calls = not progress.asked and _calls_filters(handler)
        if len(records) > 1 or hasattr(type(handler), "handle_batch"):
            way = way_of(handler, progress.asked)
            if way in (COMPOSED, FORMATTED) and not progress.asked and handler.filters not in ([], passed):
                passed[:] = handler.filters
                records[:] = [record for record in records if all(each.filter(record) for each in passed)]
                if not records:
                    return
        if calls and len(records) > 1 and way_of(handler, True) == COMPOSED:
            alone = write_filtered(handler, records, report, progress, _line_maker)
        elif way == COMPOSED:
            alone = _write_composed(handler, records, progress)
        elif way == FORMATTED:
            alone = write_formatted(handler, records, report, progress)
        elif way == HANDED_OVER:
            hand_over(handler, records, report, progress)
            return
        else:
            alone = len(records)
        if alone:
            one_by_one(handler, records, alone, report, progress)


def write_together(taken: Any, only_handler: Any) -> Any:
    """Write batches for several handlers at once, and return what was written; here each goes alone."""
    return None


def _calls_filters(handler: logging.Handler) -> bool:
    """Return whether `handler` has filters, or a filter() of its own, that have to be called."""
    return not has_standard_filter(handler) or (bool(handler.filters) and not only_standard(handler.filters))


def _line_maker(handler: Any, sink: Sink) -> MakeLine:
    encoding = "ascii" if sink.ascii else "utf-8"

    def make_line(record: logging.LogRecord, room: int) -> bytes | None:
        try:
            text = handler.format(record)
            line: bytes = (text + handler.terminator).encode(encoding)
        except Exception:  # the handler meets it again, and reports it
            return None
        return None if len(text) + 1 >= room else line

    return make_line


def _write_composed(handler: logging.Handler, records: list[logging.LogRecord], progress: Progress) -> int:
    """Write the records that go together; return how many of those left have to go one at a time."""
    with handler.lock:  # type: ignore[union-attr]
        try:
            if due(handler):
                return 1
            sink = sink_of(handler)
            if sink is None:
                return len(records)
            progress.composing = True
            text = _compose(handler, records, sink)
        except Exception:
            return 1  # whatever is wrong, the handler meets it on its own, and reports it
        finally:
            progress.composing = False
        return write_text(handler, records, sink, text)


def _compose(handler: Any, records: list[logging.LogRecord], sink: Sink) -> BatchText:
    """Return the text of as many of `records`, from the first, as may be written to `sink` in one piece.

    It ends before a record that cannot be formatted or encoded here, or that may rotate the file.
    """
    encoding = "ascii" if sink.ascii else "utf-8"
    lines: list[bytes] = []
    ends: list[int] = []
    explained: list[tuple[int, Any]] = []
    size = 0
    special = False
    interrupt = None
    for record in records:
        if size >= sink.limit:
            break
        before = getattr(record, "exc_text", None)
        try:
            text = handler.format(record)
            line = (text + handler.terminator).encode(encoding)
            special = size + len(text) + 1 >= sink.room
        except Exception:  # the handler meets it again, and reports it
            special = True
        except BaseException as error:
            special, interrupt = True, error
        if getattr(record, "exc_text", None) is not before:
            explained.append((len(ends), before))
        if special:
            break
        size += len(line)
        lines.append(line)
        ends.append(size)
    return BatchText(b"".join(lines), ends, special, interrupt, explained)


def drop_below(records: list[logging.LogRecord], level: int) -> None:
    """Delete the records below `level` from the list."""
    if not all(record.levelno >= level for record in records):
        records[:] = [record for record in records if record.levelno >= level]
