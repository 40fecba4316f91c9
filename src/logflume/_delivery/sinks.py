"""Sinks: what the text of a batch is written to, and how many bytes of it got there.

A sink writes a text (the bytes of some records, and where each ends) with one write and one flush. When that fails it
behaves as the standard handler does: no byte is written twice, and a record that may be lost is reported. A stream of
a kind that is not known here has no sink; its records are handled one at a time.
"""

from __future__ import annotations

import codecs
import functools
import io
import logging
import logging.handlers
import os
import sys
import time
import weakref

from .._shared.rendered import log_record
from .unpatched import formatter_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .batch_text import Text


UNLIMITED = sys.maxsize


class Sink:
    """A stream, and what a text for it must keep to."""

    ascii = False  # only ASCII has the same bytes here as in UTF-8
    limit = UNLIMITED  # a text that has reached this many bytes is full
    room = UNLIMITED  # a record that brings the file to this many may rotate it

    def put(self, handler: logging.Handler, records: list[logging.LogRecord], text: Text) -> int:
        """Write `text`, and delete its records from the front of `records`.

        Return how many of those that are left have to be handled one at a time: after a failure, all.
        """
        raise NotImplementedError


class FileSink(Sink):
    """A file that the handler opened itself: the bytes go straight to it, and each one is accounted for."""

    def __init__(
        self, handler: logging.Handler, stream: io.TextIOWrapper, raw: io.FileIO, ascii: bool
    ) -> None:
        key = id(handler)
        self.handler = weakref.ref(handler, lambda _: _file_sinks.pop(key, None))
        # weakly: a stream that nobody else has any more closes its file
        self.stream: weakref.ref[io.TextIOWrapper] = weakref.ref(stream)
        self.encoding: str = stream.encoding
        self.attributes = len(vars(stream))
        self.buffer = stream.buffer
        self.raw = raw
        self.ascii = ascii

    def fits(self, stream: Any) -> bool:
        """Whether this was made for `stream`, and nothing was put on it and its encoding not changed since.

        Nothing tells whether it was reconfigured to other newlines.
        """
        known = self.stream()
        return (
            known is not None
            and known is stream
            and known.encoding is self.encoding
            and len(vars(known)) == self.attributes
        )

    def put(
        self,
        handler: logging.Handler,
        records: list[logging.LogRecord],
        text: Text,
        begun: int | None = None,
    ) -> int:
        """As Sink.put(); `begun` is what a first write of the text returned, if one was made already."""
        data = text.data
        size = len(data)
        # filled in C, so that no signal handler can raise between a write and the note of it
        counts: list[int | None] = [] if begun is None else [begun]
        written = 0
        interrupted = True
        try:
            if not counts:
                counts.extend(map(self.raw.write, (data,)))
            while counts[-1] and (written := sum(counts)) < size:  # type: ignore[arg-type]
                counts.extend(map(self.raw.write, (memoryview(data)[written:],)))
            interrupted = False
        except Exception:
            interrupted = False  # the next record's own write meets the same failure, and is reported
        finally:
            if written != size:
                written = sum(filter(None, counts))  # None: the file would block
            whole = text.whole(written)
            torn = written > text.end(whole - 1)
            record = records[whole] if torn else None
            del records[: whole + torn]
            if torn:
                self._finish(handler, record, data[written : text.end(whole)], interrupted)
        return 0 if written == size else len(records)

    def _finish(self, handler: Any, record: Any, rest: bytes, interrupted: bool) -> None:
        """Leave the rest of a half written record where the standard handler leaves it: in the buffer."""
        try:
            self.buffer.write(rest)
            if not interrupted:  # it may block again
                handler.flush()
        except Exception:
            handler.handleError(log_record(record))


class StreamSink(Sink):
    """A stream that has a text below the limit in its buffer, or in memory, as a whole."""

    def __init__(self, capacity: int, ascii: bool) -> None:
        self.capacity = capacity
        self.limit = capacity // 2  # newlines may be written as two characters
        self.ascii = ascii

    def put(self, handler: Any, records: list[logging.LogRecord], text: Text) -> int:
        data = text.data
        count = text.count
        if len(data) > self.limit and count > 1:  # the last one made it too long
            cut = text.end(count - 2)
            alone = self._write(handler, records, data[:cut], count - 1)
            if alone:
                return alone
            data, count = data[cut:], 1
        return self._write(handler, records, data, count)

    def _write(self, handler: Any, records: list[logging.LogRecord], data: bytes, count: int) -> int:
        batch = records[:count]
        del records[:count]
        try:
            handler.stream.write(data.decode())
        except ValueError:  # cannot be encoded, or the stream is closed: nothing was written
            records[:0] = batch
            return len(records)
        except Exception:
            self._report(handler, batch)
            return len(records)
        try:
            handler.flush()
        except Exception:
            self._report(handler, batch)
            return len(records)
        return 0

    def _report(self, handler: Any, batch: list[logging.LogRecord]) -> None:
        """As the standard handler does when a flush fails: the stream may still write the text later."""
        for record in batch:
            handler.handleError(log_record(record))


_file_sinks: dict[int, FileSink] = {}  # by the handler's id()
_memory = StreamSink(UNLIMITED, ascii=False)


@functools.cache
def _repertoire(encoding: str) -> str:
    """`utf-8` if text has those bytes in `encoding`, `ascii` if only ASCII has, else nothing."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return ""
    if name == "utf-8":
        return name
    return "ascii" if name == "ascii" or name.startswith(("iso8859-", "cp125")) else ""


def _is_text_file(stream: Any) -> bool:
    """Whether `stream` writes and flushes as `io.TextIOWrapper` does."""
    cls = type(stream)
    return (
        isinstance(stream, io.TextIOWrapper)
        and (
            cls is io.TextIOWrapper
            or (cls.write is io.TextIOWrapper.write and cls.flush is io.TextIOWrapper.flush)
        )
        and vars(stream).keys().isdisjoint(("write", "flush", "buffer"))
    )


def _buffer_size(buffer: io.BufferedWriter) -> int:
    """What `buffer` holds before it writes; 0 where Python does not tell."""
    return buffer.__sizeof__() - _EMPTY_SIZE if _sizes_known else 0


_EMPTY_SIZE: int = getattr(io.BufferedWriter, "__basicsize__", -1)  # PyPy does not tell
_sizes_known = _EMPTY_SIZE > 0 and io.BufferedWriter(io.BytesIO(), 100).__sizeof__() - _EMPTY_SIZE == 100


def _opened_itself(handler: Any, raw: io.FileIO) -> bool:
    """Whether `handler` opened `raw`, so that it is known how newlines are written: as they are."""
    return (
        isinstance(handler, logging.FileHandler)
        and raw.name is handler.baseFilename
        and handler._builtin_open is io.open  # type: ignore[attr-defined]
        and os.linesep == "\n"
    )


def room_of(handler: Any, raw: io.FileIO) -> int:
    """How many bytes a RotatingFileHandler's file may grow by, at least, before it is due."""
    if not rotates_by_size(handler):
        return UNLIMITED
    if "exc_text" in formatter_of(handler)._style._fmt:
        return 0  # shows that such a handler formats each record twice, so it has to
    size: int = max(raw.tell(), os.fstat(raw.fileno()).st_size)
    room: int = handler.maxBytes - size
    return room


def rotates_by_size(handler: Any) -> bool:
    """Whether `handler` formats each record twice, to know its size before."""
    if type(handler) is not logging.handlers.RotatingFileHandler:
        return False
    return type(handler.maxBytes) is not int or handler.maxBytes > 0


def is_expired(handler: Any) -> bool:
    """Whether it is time for `handler` to rotate its file."""
    return (
        type(handler) is logging.handlers.TimedRotatingFileHandler and int(time.time()) >= handler.rolloverAt
    )


def due(handler: Any) -> bool:
    """Whether the next record has to go through the handler itself, which then opens or rotates its file.

    Looks after the file of a WatchedFileHandler, as its emit does for each record.
    """
    if type(handler) is logging.handlers.WatchedFileHandler:
        try:
            handler.reopenIfNeeded()
        except Exception:
            return True  # the handler meets that failure again, and reports it
    return is_expired(handler) or handler.stream is None


def sink_of(handler: Any) -> Sink | None:
    """The sink for what `handler` now writes to, its stream's buffers empty; None if none fits.

    Call it with the handler's lock held.
    """
    stream = handler.stream
    known = _file_sinks.get(id(handler))
    if known is not None and known.handler() is handler and known.fits(stream):
        try:
            stream.flush()
            known.room = room_of(handler, known.raw)
        except Exception:
            return None
        return known
    rotates = rotates_by_size(handler)
    try:
        if type(stream) is io.StringIO and not vars(stream) and not rotates:
            # a "\r" that ends a record would be joined to a "\n" that begins the next
            return _memory if handler.terminator == "\n" else None
        if not _is_text_file(stream) or stream.closed:
            return None
        buffer = stream.buffer
        if type(buffer) is io.BytesIO:
            return None if rotates else _memory
        repertoire = _repertoire(stream.encoding)
        if type(buffer) is not io.BufferedWriter or type(buffer.raw) is not io.FileIO or not repertoire:
            return None
        raw = buffer.raw
        if vars(buffer) or not vars(raw).keys() <= {"name"}:
            return None
        stream.flush()
        if type(stream) is io.TextIOWrapper and _opened_itself(handler, raw):
            sink = FileSink(handler, stream, raw, repertoire == "ascii")
            sink.room = room_of(handler, raw)
            _file_sinks[id(handler)] = sink
            return sink
        size = _buffer_size(buffer)
        return StreamSink(size, repertoire == "ascii") if size > 1 and not rotates else None
    except Exception:
        return None  # whatever is wrong with the stream, each record meets it on its own and is reported
