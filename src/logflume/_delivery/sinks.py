"""Sinks: what the text of a batch is written to, and how many bytes of it got there.

A sink writes a text (the bytes of some records, and where each ends) with one write and one flush. When that fails it
behaves as the standard handler does: no byte is written twice, and a record that may be lost is reported. A stream of
a kind that is not known here has no sink; its records are handled one at a time.
"""

from __future__ import annotations

import codecs
import functools
import gc
import io
import logging
import logging.handlers
import os
import select
import stat
import sys
import time
import weakref
from typing import Any

from .._shared.rendered import log_record
from .batch_text import BatchText
from .caught import handle_error
from .unpatched import format_of, formatter_of

UNLIMITED = sys.maxsize
PIPE_BUF: int = getattr(select, "PIPE_BUF", 512)  # no pipe parts so many bytes of one write


class Sink:
    """A stream, and what a text for it must keep to."""

    ascii = False  # only ASCII has the same bytes here as in UTF-8
    limit = UNLIMITED  # a text that has reached this many bytes is full
    room = UNLIMITED  # a record that brings the file to this many may rotate it

    def put(self, handler: logging.Handler, records: list[logging.LogRecord], text: BatchText) -> int:
        """Write `text`, and delete its records from the front of `records`.

        Return how many of those that are left have to be handled one at a time: after a failure, all.
        """
        raise NotImplementedError


class DescriptorSink(Sink):
    """A text stream over a descriptor, which writes newlines as they are: what it gets is its text in bytes."""

    def __init__(self, stream: io.TextIOWrapper, raw: io.FileIO, ascii: bool) -> None:
        # weakly: a stream without other references closes its file
        self.stream: weakref.ref[io.TextIOWrapper] = weakref.ref(stream)
        self.encoding: str = stream.encoding
        self.line_buffering = stream.line_buffering
        self.buffer: Any = stream.buffer
        self.raw = raw
        self.ascii = ascii
        self.attributes = len(vars(stream)) + len(vars(self.buffer)) + len(vars(raw))

    def empty_buffers(self) -> None:
        """Write what is in the stream's buffers, however long the descriptor takes no more."""
        while True:
            try:
                if not os.get_blocking(self.raw.fileno()):
                    # A stream loses what a full buffer and the descriptor do not take.
                    self.buffer.flush()
                    self.wait()
                self.stream().flush()  # type: ignore[union-attr]
                return
            except BlockingIOError:
                self.wait()

    def wait(self) -> None:
        """Wait until the descriptor takes more; it does not block."""
        poll = select.poll()
        poll.register(self.raw, select.POLLOUT)
        poll.poll()


class FileSink(DescriptorSink):
    """One that holds back no other text, or that the handler opened itself: the bytes go straight to the descriptor.

    Each byte is accounted for.
    """

    def put(self, handler: logging.Handler, records: list[logging.LogRecord], text: BatchText, written: int = 0) -> int:
        """As Sink.put(); `written` bytes of the text are written already."""
        data = memoryview(text.data)
        size = len(data)
        # filled in C, so that no signal handler can raise between a write and the note of it
        counts: list[int | None] = [written]
        interrupted = True
        try:
            most = most_at_once(self.raw)
            while written < size:
                counts.extend(map(self.raw.write, (data[written : text.cut(written, most)],)))
                if counts[-1] is None:
                    self.wait()
                elif counts[-1] == 0:
                    break
                else:
                    written += counts[-1]
            interrupted = False
        except Exception:
            interrupted = False  # the next record's own write meets the same failure, and is reported
        finally:
            left = records[:]
            del records[:]  # without a call: rather lost than written twice, if a signal handler raises here, too
            if written != size:
                written = sum(filter(None, counts))
            whole = text.whole(written)
            torn = written > text.end(whole - 1)
            record = left[whole] if torn else None
            records[:] = left[whole + torn :]
            if torn:
                self._finish(handler, record, data[written : text.end(whole)], interrupted)
        return 0 if written == size else len(records)

    def _finish(self, handler: Any, record: Any, rest: memoryview, interrupted: bool) -> None:
        """Leave the rest of a half written record where the standard handler leaves it: in the buffer."""
        if interrupted and self.buffer is self.raw:
            return  # it may block again, and there is no buffer
        try:
            self.buffer.write(rest)
            if not interrupted:
                handler.flush()
        except Exception:
            handle_error(handler, log_record(record))


class PiecewiseSink(Sink):
    """One that takes a text by pieces of `piece` bytes at most, or of one record, and has each in a buffer."""

    piece = UNLIMITED

    def put(self, handler: logging.Handler, records: list[logging.LogRecord], text: BatchText, written: int = 0) -> int:
        """As Sink.put(); `written` bytes of the text, some whole records, are written already."""
        data = memoryview(text.data)
        done = text.whole(written) if written else 0
        alone = 0
        while done < text.count and not alone:
            end = text.cut(written, self.piece)
            count = text.whole(end) - done
            alone = self._put_piece(handler, records, data[written:end], count)
            written = end
            done += count
        return alone

    def _put_piece(
        self, handler: logging.Handler, records: list[logging.LogRecord], data: memoryview, count: int
    ) -> int:
        piece = records[:count]
        del records[:count]
        try:
            self.write(handler, data)
        except ValueError:  # cannot be encoded, or the stream is closed: nothing was written
            records[:0] = piece
            return len(records)
        except Exception:
            self._report(handler, piece)
            return len(records)
        return self.flush_piece(handler, records, piece)

    def flush_piece(
        self, handler: logging.Handler, records: list[logging.LogRecord], piece: list[logging.LogRecord]
    ) -> int:
        """Write the text of `piece`, which is in the buffer; return as Sink.put()."""
        try:
            self.flush(handler)
        except Exception:
            self._report(handler, piece)
            return len(records)
        return 0

    def _report(self, handler: Any, piece: list[logging.LogRecord]) -> None:
        """As the standard handler does when a flush fails: the stream may still write the text later."""
        for record in piece:
            handle_error(handler, log_record(record))

    def write(self, handler: Any, data: memoryview) -> None:
        """Put `data` into the buffer."""
        raise NotImplementedError

    def flush(self, handler: Any) -> None:
        """Write what is in the buffer."""
        raise NotImplementedError


class BufferSink(PiecewiseSink, DescriptorSink):
    """One whose buffer may hold a part of another writer's line: the bytes follow it through the buffer."""

    def __init__(self, stream: io.TextIOWrapper, raw: io.FileIO, ascii: bool) -> None:
        super().__init__(stream, raw, ascii)
        self.capacity = _buffer_size(self.buffer)

    def put(self, handler: logging.Handler, records: list[logging.LogRecord], text: BatchText, written: int = 0) -> int:
        try:
            self.piece = min(self.capacity, most_at_once(self.raw))
        except Exception:
            return len(records)
        return super().put(handler, records, text, written)

    def write(self, handler: Any, data: memoryview) -> None:
        while data:
            try:
                data = data[self.buffer.write(data) :]
            except BlockingIOError as error:
                data = data[error.characters_written :]
                self.wait()

    def flush(self, handler: Any) -> None:
        while True:
            try:
                self.buffer.flush()
                return
            except BlockingIOError:
                self.wait()


class StreamSink(PiecewiseSink):
    """A stream that takes text, and has a text below the limit in its buffer, or in memory, as a whole."""

    def __init__(self, capacity: int, ascii: bool) -> None:
        self.limit = self.piece = capacity // 2  # newlines may be written as two characters
        self.ascii = ascii

    def write(self, handler: Any, data: memoryview) -> None:
        handler.stream.write(str(data, "utf-8"))

    def flush(self, handler: Any) -> None:
        handler.flush()


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
        and (cls is io.TextIOWrapper or (cls.write is io.TextIOWrapper.write and cls.flush is io.TextIOWrapper.flush))
        and vars(stream).keys().isdisjoint(("write", "flush", "buffer"))
    )


def _buffer_size(buffer: Any) -> int:
    """What `buffer` holds before it writes; 0 where Python does not tell."""
    return buffer.__sizeof__() - _EMPTY_SIZE if _sizes_known else 0


_EMPTY_SIZE: int = getattr(io.BufferedWriter, "__basicsize__", -1)  # PyPy does not tell
_sizes_known = _EMPTY_SIZE > 0 and io.BufferedWriter(io.BytesIO(), 100).__sizeof__() - _EMPTY_SIZE == 100


def most_at_once(raw: io.FileIO) -> int:
    """How many bytes to write at once, so that those of other processes do not come between."""
    return UNLIMITED if stat.S_ISREG(os.fstat(raw.fileno()).st_mode) else PIPE_BUF


def keeps_newlines(stream: io.TextIOWrapper) -> bool:
    """Whether `stream`, whose buffers are empty, writes newlines as they are; ask only if `newlines_are_known`."""
    # No attribute tells, but the stream refers to its `newline`. Else it is None, which stands for os.linesep.
    return not any(type(held) is str and held in ("\r", "\r\n") for held in gc.get_referents(stream))


def _newlines_are_known() -> bool:
    """Whether keeps_newlines() finds out on this interpreter, which here writes newlines as they are by itself."""
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    answers = [keeps_newlines(stream)]
    for newline in ("\r\n", None, "\r", ""):
        stream.reconfigure(newline=newline)
        answers.append(keeps_newlines(stream))
    return answers == [True, False, True, False, True] and os.linesep == "\n"


newlines_are_known = _newlines_are_known()


def _opened_itself(handler: Any, raw: io.FileIO) -> bool:
    """Whether `handler` opened `raw`, so that it is known how newlines are written, and no other code prints there."""
    return (
        isinstance(handler, logging.FileHandler)
        and type(handler)._open is logging.FileHandler._open
        and "_open" not in vars(handler)
        and raw.name is handler.baseFilename
        and handler._builtin_open is io.open  # type: ignore[attr-defined]
        and os.linesep == "\n"
    )


def _descriptor_sink(handler: Any, stream: io.TextIOWrapper, raw: io.FileIO, ascii: bool) -> DescriptorSink | None:
    """A sink that writes bytes past `stream`, if it is known how that writes newlines."""
    own = _opened_itself(handler, raw)
    if type(stream) is not io.TextIOWrapper or not (keeps_newlines(stream) if newlines_are_known else own):
        return None
    if rotates_by_size(handler) and not own:
        return None
    if own or stream.buffer is raw or stream.line_buffering:
        return FileSink(stream, raw, ascii)
    sink = BufferSink(stream, raw, ascii)
    return sink if sink.capacity > 1 else None


def room_of(handler: Any, raw: io.FileIO) -> int:
    """How many bytes a RotatingFileHandler's file may grow by, at least, before it is due."""
    if not rotates_by_size(handler):
        return UNLIMITED
    if "exc_text" in format_of(formatter_of(handler)):
        return 0  # shows that such a handler formats each record twice, so it has to
    size: int = max(raw.tell(), os.fstat(raw.fileno()).st_size)
    room: int = handler.maxBytes - size
    return room


def rotates_by_size(handler: Any) -> bool:
    """Whether `handler` formats each record twice, to know its size before."""
    if not isinstance(handler, logging.handlers.RotatingFileHandler):
        return False
    return type(handler.maxBytes) is not int or handler.maxBytes > 0


def is_expired(handler: Any) -> bool:
    """Whether it is time for `handler` to rotate its file."""
    return isinstance(handler, logging.handlers.TimedRotatingFileHandler) and (int(time.time()) >= handler.rolloverAt)


def due(handler: Any) -> bool:
    """Whether the next record has to go through the handler itself, which then opens or rotates its file.

    Looks after the file of a WatchedFileHandler, as its emit does for each record.
    """
    if isinstance(handler, logging.handlers.WatchedFileHandler):
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
        raw = buffer if type(buffer) is io.FileIO else getattr(buffer, "raw", None)
        if type(raw) is not io.FileIO or not repertoire:
            return None
        if buffer is not raw and (type(buffer) is not io.BufferedWriter or vars(buffer)):
            return None
        if not vars(raw).keys() <= {"name"}:
            return None
        sink = _descriptor_sink(handler, stream, raw, repertoire == "ascii")
        if sink is not None:
            sink.empty_buffers()
            sink.room = room_of(handler, raw)
            return sink
        if buffer is raw or rotates:
            return None
        stream.flush()
        size = min(_buffer_size(buffer), most_at_once(raw))
        return StreamSink(size, repertoire == "ascii") if size > 1 else None
    except Exception:
        return None  # whatever is wrong with the stream, each record meets it on its own and is reported
