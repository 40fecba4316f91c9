"""What a batch does when its stream fails: nothing comes out twice, and nothing is lost without a report."""

from __future__ import annotations

import array
import contextlib
import io
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deliveries import DELIVERIES, Counting, numbered_lines, numbered_records, unexpected
from helpers import F_SETPIPE_SZ, open_stream, threads

fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="uses /dev/full, pipes and limits of Linux"),
    pytest.mark.parametrize("deliver_batch", DELIVERIES),
]


class Reports(list[Any]):
    """Calls of handleError and report, as the record's number and the exception."""

    def watch(self, handler: logging.Handler) -> Any:
        def note(record: logging.LogRecord) -> None:
            self.append((record.lineno, type(sys.exc_info()[1])))

        handler.handleError = note  # type: ignore[method-assign]
        return handler

    def __call__(self, record: logging.LogRecord, handler: logging.Handler) -> None:
        self.append((record.lineno, type(sys.exc_info()[1]), "escaped"))


@pytest.mark.parametrize("kind", ["file", "stream", "rotating", "formatter"])
def test_full_disk_reports_every_record(deliver_batch: Any, kind: str) -> None:
    reports = Reports()
    if kind in ("file", "formatter"):
        handler: Any = logging.FileHandler("/dev/full")
        handler.setFormatter(Counting() if kind == "formatter" else None)
    elif kind == "rotating":
        handler = logging.handlers.RotatingFileHandler("/dev/full", maxBytes=100)
    else:
        handler = logging.StreamHandler(open("/dev/full", "w"))  # noqa: SIM115
    reports.watch(handler)
    for _ in range(3):
        batch = numbered_records(5)
        deliver_batch(handler, batch, reports)
        assert batch == []
    assert reports == [(i, OSError) for _ in range(3) for i in range(5)]
    stream = handler.stream
    handler.stream = None
    handler.close()
    with pytest.raises(OSError, match="No space"):
        stream.close()


@pytest.mark.parametrize("limit", [0, 9, 10, 14, 20, 27, 31, 49, 50])
@pytest.mark.parametrize("kind", ["file", "rotating", "watched", "formatter", "traceback"])
def test_disk_that_fills_in_the_middle_of_a_batch(
    deliver_batch: Any, kind: str, limit: int, tmp_path: Path, file_size_limit: Any
) -> None:
    outcomes = []
    for batches in (False, True):
        reports = Reports()
        path = tmp_path / f"{batches}.log"
        if kind in ("file", "formatter"):
            handler: Any = logging.FileHandler(path)
            handler.setFormatter(Counting() if kind == "formatter" else None)
        elif kind == "watched":
            handler = logging.handlers.WatchedFileHandler(path)
        elif kind == "traceback":
            handler = logging.FileHandler(path)
            handler.setFormatter(logging.Formatter("%(exc_text)s %(message)s"))
        else:
            handler = logging.handlers.RotatingFileHandler(path, maxBytes=1000)
        reports.watch(handler)
        file_size_limit(limit)
        for some in (numbered_records(6), numbered_records(3, "later %d")):
            if kind == "traceback":
                some[1].exc_info = some[2].exc_info = (KeyError, KeyError(), None)
            if batches:
                deliver_batch(handler, some, reports)
            else:
                for record in some:
                    handler.handle(record)
        while_full = path.read_bytes()
        file_size_limit(None)
        for record in numbered_records(1, "space again %d"):
            handler.handle(record)
        handler.close()
        outcomes.append((while_full, path.read_bytes(), reports))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("limit", [0, 5, 17, 30, 100])
def test_stream_that_fills_loses_nothing_and_repeats_nothing(
    deliver_batch: Any, limit: int, tmp_path: Path, file_size_limit: Any
) -> None:
    reports = Reports()
    path = tmp_path / "app.log"
    with open(path, "w") as stream:
        handler = reports.watch(logging.StreamHandler(stream))
        file_size_limit(limit)
        deliver_batch(handler, numbered_records(6), reports)
        out = path.read_text().count("\n")
        assert {number for number, _ in reports} >= set(range(out, 6))
        file_size_limit(None)
        handler.flush()
    assert path.read_text() == numbered_lines(6)


@pytest.mark.parametrize("kind", ["block", "line", "unbuffered"])
def test_a_broken_pipe_reports_every_record(deliver_batch: Any, kind: str) -> None:
    reports = Reports()
    reader, writer = os.pipe()
    os.close(reader)
    stream = open_stream(writer, kind)
    handler = reports.watch(logging.StreamHandler(stream))
    for _ in range(3):
        deliver_batch(handler, numbered_records(4), reports)
    assert reports == 3 * [(i, BrokenPipeError) for i in range(4)]
    with pytest.raises(BrokenPipeError) if kind != "unbuffered" else contextlib.nullcontext():
        stream.close()


@pytest.mark.parametrize("kind", ["own", "block", "line", "unbuffered", "formatter"])
def test_a_pipe_that_would_block(deliver_batch: Any, kind: str, tmp_path: Path) -> None:
    """It is waited for, as for one that blocks: nothing is lost, repeated, or reported."""
    if sys.implementation.name != "cpython" and kind != "own":
        pytest.skip("its streams get one record at a time")
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, True)
    if kind == "own":
        handler: Any = logging.FileHandler(path, "w")
    else:
        handler = logging.StreamHandler(open_stream(os.open(path, os.O_WRONLY), kind))
        handler.setFormatter(Counting() if kind == "formatter" else None)
    stream = handler.stream
    os.set_blocking(stream.fileno(), False)
    received: list[bytes] = []

    def read() -> None:
        while some := os.read(reader, 1000):
            received.append(some)
            time.sleep(0.002)

    expected = ""
    thread = threading.Thread(target=read)
    thread.start()
    for text in ("short %d", "long %d " + "x" * 9000, "short again %d"):
        if kind not in ("line", "unbuffered"):  # else it would come out here
            stream.write("x" * 7000 + "\n")
            expected += "x" * 7000 + "\n"
        deliver_batch(handler, numbered_records(10, text), unexpected)
        expected += "".join(f"{text % i}\n" for i in range(10))
    stream.close()
    thread.join(30)
    os.close(reader)
    lines = b"".join(received).decode().splitlines()
    if kind == "formatter":
        lines = [line if line.startswith("x") else line.partition(" ")[2] for line in lines]
    assert [(line[:20], len(line)) for line in lines] == [(line[:20], len(line)) for line in expected.splitlines()]
    assert lines == expected.splitlines()


@pytest.mark.parametrize("kind", ["line", "unbuffered", "block"])
@pytest.mark.parametrize("limit", [0, 9, 10, 14, 20, 49])
def test_a_stream_on_a_disk_that_fills(
    deliver_batch: Any, kind: str, limit: int, tmp_path: Path, file_size_limit: Any
) -> None:
    """Each record comes out once, or is reported."""
    if sys.implementation.name != "cpython" and kind == "unbuffered":
        pytest.skip("its streams get one record at a time, of which they lose parts")
    reports = Reports()
    path = tmp_path / "log"
    stream = open_stream(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), kind)
    handler = reports.watch(logging.StreamHandler(stream))
    file_size_limit(limit)
    deliver_batch(handler, numbered_records(6), reports)
    full = path.read_text()
    assert numbered_lines(6).startswith(full)
    assert {number for number, _ in reports} >= set(range(full.count("\n"), 6))
    file_size_limit(None)
    deliver_batch(handler, numbered_records(2, "later %d"), unexpected)
    stream.close()
    lines = path.read_text().splitlines()
    assert lines[-2:] == ["later 0", "later 1"] or kind == "unbuffered"
    if kind != "unbuffered":
        assert path.read_text() == numbered_lines(6) + "later 0\nlater 1\n"
    assert len(reports) == len(set(reports))


def test_a_closed_stream_reports_every_record(deliver_batch: Any, tmp_path: Path) -> None:
    reports = Reports()
    for stream in (io.StringIO(), open(tmp_path / "x", "w")):  # noqa: SIM115
        stream.close()
        deliver_batch(reports.watch(logging.StreamHandler(stream)), numbered_records(2), reports)
    assert reports == [(0, ValueError), (1, ValueError)] * 2


@pytest.mark.parametrize("kind", ["file", "stream"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "utf-16"])
def test_text_that_cannot_be_encoded_in_the_middle(
    deliver_batch: Any, kind: str, encoding: str, tmp_path: Path
) -> None:
    reports = Reports()
    path = tmp_path / "app.log"
    if kind == "file":
        handler: Any = logging.FileHandler(path, encoding=encoding)
    else:
        handler = logging.StreamHandler(open(path, "w", encoding=encoding))  # noqa: SIM115
    batch = numbered_records(5)
    batch[2].msg = "half \ud83d %d"
    deliver_batch(reports.watch(handler), batch, reports)
    assert reports == [(2, UnicodeEncodeError)]
    handler.stream.close()
    assert path.read_text(encoding) == numbered_lines(5).replace("record 2\n", "")


@pytest.mark.parametrize("before", [None, "", "already there"])
def test_a_format_that_shows_tracebacks_when_a_batch_cannot_be_encoded(deliver_batch: Any, before: str | None) -> None:
    texts = []
    for batches in (False, True):
        reports = Reports()
        stream = io.TextIOWrapper(io.BytesIO(), "ascii")
        handler = reports.watch(logging.StreamHandler(stream))
        handler.setFormatter(logging.Formatter("%(exc_text)s %(message)s"))
        some = numbered_records(4)
        some[1].exc_info = some[3].exc_info = (KeyError, KeyError(), None)
        some[1].exc_text = before
        some[2].msg = "caf\xe9 %d"
        if batches:
            deliver_batch(handler, some, reports)
        else:
            for record in some:
                handler.handle(record)
        assert reports == [(2, UnicodeEncodeError)]
        texts.append(stream.buffer.getvalue())  # type: ignore[attr-defined]
    assert texts[0] == texts[1]


def test_escaping_exceptions_are_reported_and_the_rest_goes_on(deliver_batch: Any, tmp_path: Path) -> None:
    reports = Reports()

    class Picky(logging.StreamHandler):  # type: ignore[type-arg]
        def emit(self, record: logging.LogRecord) -> None:
            if record.lineno == 1:
                raise LookupError
            super().emit(record)

    stream = io.StringIO()
    handler = Picky(stream)
    deliver_batch(handler, numbered_records(3), reports)
    assert reports == [(1, LookupError, "escaped")]
    assert stream.getvalue() == "record 0\nrecord 2\n"


def test_file_that_cannot_be_opened(deliver_batch: Any, tmp_path: Path) -> None:
    reports = Reports()
    handler: Any = logging.FileHandler(tmp_path / "missing" / "app.log", delay=True)
    deliver_batch(reports.watch(handler), numbered_records(3), reports)
    assert [(number, error) for number, error, *_ in reports] == [(i, FileNotFoundError) for i in range(3)]


def test_file_moved_away_and_removed(deliver_batch: Any, tmp_path: Path) -> None:
    reports = Reports()
    path = tmp_path / "app.log"
    handler = reports.watch(logging.handlers.WatchedFileHandler(path))
    deliver_batch(handler, numbered_records(2), reports)
    path.rename(tmp_path / "app.1")
    deliver_batch(handler, numbered_records(3), reports)
    path.unlink()
    deliver_batch(handler, numbered_records(4), reports)
    handler.close()
    assert (tmp_path / "app.1").read_text() == numbered_lines(2)
    assert path.read_text() == numbered_lines(4)
    assert reports == []


class Interrupt(BaseException):
    pass


class Interrupts:
    def __str__(self) -> str:
        raise Interrupt


@pytest.mark.parametrize("batchable", [True, False])
def test_an_interrupt_takes_its_own_record_only(deliver_batch: Any, batchable: bool) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    if not batchable:
        handler.addFilter(lambda record: True)
    batch = numbered_records(5, "record %s")
    batch[2].args = (Interrupts(),)
    with pytest.raises(Interrupt):
        deliver_batch(handler, batch, Reports())
    assert stream.getvalue() == numbered_lines(2)
    assert [record.lineno for record in batch] == [3, 4]


def test_an_interrupt_and_a_failed_write_together(deliver_batch: Any, tmp_path: Path, file_size_limit: Any) -> None:
    """The records before the interrupted one are not written yet when the disk is full: they stay in the list."""
    handler: Any = logging.FileHandler(tmp_path / "log")
    batch = numbered_records(5, "record %s")
    batch[2].args = (Interrupts(),)
    deliver_batch(handler, numbered_records(2), Reports())
    file_size_limit(len(numbered_lines(2)))
    with pytest.raises(Interrupt):
        deliver_batch(handler, batch, Reports())
    assert [record.lineno for record in batch] == [0, 1, 3, 4]
    file_size_limit(None)
    handler.close()


def test_an_interrupted_write_is_accounted_for(deliver_batch: Any, tmp_path: Path) -> None:
    """A signal handler raises while the write of a big batch waits for a pipe."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    handler: Any = logging.FileHandler(path, "w")

    main = threading.get_ident()
    interrupted = threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise Interrupt

    def interrupt_when_full() -> None:
        # More than once: the first may come just before a write, which does not see it.
        unread = array.array("i", [0])
        while not interrupted.is_set():
            fcntl.ioctl(reader, termios.FIONREAD, unread)
            if unread[0] > 2048:  # there is no room for the next part
                signal.pthread_kill(main, signal.SIGALRM)
            time.sleep(0.01)

    before = signal.signal(signal.SIGALRM, interrupt)
    batch = numbered_records(1000)
    try:
        with threads([interrupt_when_full]), pytest.raises(Interrupt):
            deliver_batch(handler, batch, Reports())
    finally:
        signal.signal(signal.SIGALRM, before)
    received = os.read(reader, 65536)
    rest = len(batch)
    assert 0 < rest < 1000
    os.set_blocking(handler.stream.fileno(), False)
    handler.flush()
    with contextlib.suppress(BlockingIOError):  # no record was parted
        received += os.read(reader, 65536)
    assert received.decode() == numbered_lines(1000 - rest)
    assert [record.lineno for record in batch] == list(range(1000 - rest, 1000))
    os.close(reader)
    handler.close()
