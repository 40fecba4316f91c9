"""Pure twin of the compiled deliver module: makes the text of a batch, and hands batches to the handlers."""

from __future__ import annotations

import logging

from .._delivery.deliver import ALONE, SEEN, UNSEEN, BatchText, deliver
from .._delivery.sinks import rotates_by_size
from .._delivery.unpatched import formatter_is_unpatched, formatter_of, handler_is_unpatched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._delivery.deliver import Report
    from .._delivery.sinks import Sink


def compose(
    handler: logging.Handler, records: list[logging.LogRecord], sink: Sink, holders: int
) -> BatchText:
    """The text of as many of `records`, from the first, as may be written to `sink` in one piece.

    It ends before a record that cannot be formatted or encoded here, or that may rotate the file.
    """
    encoding = "ascii" if sink.ascii else "utf-8"
    limit, room = sink.limit, sink.room
    lines: list[bytes] = []
    ends: list[int] = []
    explained: list[tuple[int, Any]] = []
    size = 0
    special = False
    interrupt = None
    for record in records:
        if size >= limit:
            break
        before = getattr(record, "exc_text", None)
        try:
            text = handler.format(record)
            line = (text + handler.terminator).encode(encoding)  # type: ignore[attr-defined]
            special = size + len(text) + 1 >= room
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


def deliver_batch(
    handler: logging.Handler,
    records: list[logging.LogRecord],
    report: Report,
    holders: int = 0,
    unseen: bool = False,
) -> None:
    """Deliver `records`, in order, to `handler`, and empty the list.

    The bytes, the rotated files and the calls of `handler.handleError` are those of
    `handler.handle(record)` for each record. The handlers of the standard library that write to a stream or
    a file, as long as nothing on them is patched and they have no filter, get one write and one flush for
    many records. A record that they cannot format is formatted again by the handler itself, so that it
    reports the failure in its own way. Formatters that are not stock are called for each record, once, and
    before the first of a batch is written.

    A handler whose class has a method `handle_batch(records)` gets a list of all that pass its filters, with its
    lock held, as emit() gets one. Errors are its own business, as they are emit()'s.

    `report(record, handler)` is called, while the exception is being handled, for each record whose
    `handle` raised, and for each record of a batch whose `handle_batch` raised. It must not raise.

    `holders` is how many of the caller's lists hold each record, this one among them. Where nothing else
    refers to a record the compiled core need not set its `message` and `asctime`, which nobody can see; 0
    has it set them always. `unseen` spares a look at the handler: `batching(handler)` said UNSEEN just now.

    No `Exception` leaves this function. If another one does (`KeyboardInterrupt`), the records that are
    still in the list have not been delivered, and those that are no longer there must not be delivered
    again. As with `handle`, the one that was being formatted or written is gone.
    """
    deliver(handler, records, report, recognised, compose, holders, unseen, 2)


def recognised(handler: logging.Handler) -> int:
    """UNSEEN if `handler` and its formatter are stock, SEEN if the formatter is not, or ALONE."""
    if not handler_is_unpatched(handler):
        return ALONE
    if formatter_is_unpatched(formatter_of(handler)):
        return UNSEEN
    return ALONE if rotates_by_size(handler) else SEEN


def batching(handler: logging.Handler) -> int:
    """How `deliver_batch` now delivers to `handler`: ALONE, SEEN or UNSEEN."""
    return recognised(handler) or (SEEN if hasattr(type(handler), "handle_batch") else ALONE)


def at_level(records: list[logging.LogRecord], level: int) -> list[logging.LogRecord]:
    """Return the records at or above `level`."""
    return [record for record in records if record.levelno >= level]
