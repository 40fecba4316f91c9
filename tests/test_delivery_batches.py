"""Delivery, batch by batch: what deliver_batch() does with each kind of handler, on both cores."""

from __future__ import annotations

import collections
import copy
import functools
import io
import logging
import logging.handlers
import os
import queue
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from deliveries import DELIVERIES, Counting, numbered_lines, numbered_records, one_at_a_time, unexpected
from helpers import not_in_debug_builds, run_in_threads

each_core = pytest.mark.parametrize("deliver_batch", DELIVERIES)


FEW = 5  # one for the batch, and some to find out how it goes; twenty records alone take it twenty times


def locks_taken(deliver_batch: Any, handler: Any, batch: list[logging.LogRecord]) -> int:
    """How often the batch took the handler's lock."""
    lock, handler.lock = handler.lock, mock.MagicMock()
    try:
        deliver_batch(handler, batch, unexpected)
        return int(handler.lock.__enter__.call_count + handler.lock.acquire.call_count)
    finally:
        handler.lock = lock


@each_core
def test_files_and_memory_get_the_batch_at_once(deliver_batch: Any, tmp_path: Path) -> None:
    stream = io.StringIO()
    memory = io.BytesIO()
    wrapped = io.TextIOWrapper(memory, "utf-16", newline="\n")
    path = tmp_path / "app.log"
    for handler, content in (
        (logging.StreamHandler(stream), stream.getvalue),
        (logging.StreamHandler(wrapped), lambda: memory.getvalue().decode("utf-16")),
        (logging.FileHandler(path, "w"), path.read_text),
        (logging.handlers.WatchedFileHandler(path, "w"), path.read_text),
        (
            logging.handlers.TimedRotatingFileHandler(tmp_path / "timed.log"),
            (tmp_path / "timed.log").read_text,
        ),
        (
            logging.handlers.RotatingFileHandler(tmp_path / "r.log", maxBytes=999),
            (tmp_path / "r.log").read_text,
        ),
    ):
        if os.linesep != "\n" and isinstance(handler, logging.handlers.RotatingFileHandler):
            handler.maxBytes = 0  # where newlines grow, one that rotates by size gets one record at a time
        handler.setFormatter(logging.Formatter("%(message)s"))
        batch = numbered_records(20)
        assert locks_taken(deliver_batch, handler, batch) <= FEW
        assert batch == []
        assert content() == numbered_lines(20)
        handler.close()


@each_core
@pytest.mark.parametrize("text", ["gr\u00fcn %d", "\u4e2d\u6587 %d", "\U0001f600 %d"])
def test_texts_in_any_script_go_in_batches(deliver_batch: Any, text: str, tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "app.log", "w", encoding="utf-8")
    assert locks_taken(deliver_batch, handler, numbered_records(20, text)) <= FEW
    handler.close()
    assert (tmp_path / "app.log").read_text("utf-8") == "".join(f"{text % i}\n" for i in range(20))


@each_core
@pytest.mark.parametrize("kind", ["file", "timed", "watched", "string"])
def test_a_formatter_of_another_class_gets_a_batch_too(deliver_batch: Any, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    handler: Any = {
        "file": lambda: logging.FileHandler(path),
        "timed": lambda: logging.handlers.TimedRotatingFileHandler(path),
        "watched": lambda: logging.handlers.WatchedFileHandler(path),
        "string": lambda: logging.StreamHandler(io.StringIO()),
    }[kind]()
    handler.setFormatter(Counting("%(asctime)s|%(message)s"))
    batch = numbered_records(20)
    kept = batch[:]
    assert locks_taken(deliver_batch, handler, batch) <= FEW
    assert batch == []
    assert [record.message for record in kept] == [f"record {i}" for i in range(20)]
    written = handler.stream.getvalue() if kind == "string" else path.read_text()
    assert written == "".join(f"{i + 1} {record.asctime}|record {i}\n" for i, record in enumerate(kept))
    handler.close()


@each_core
def test_a_formatter_is_called_as_often_as_the_handler_calls_it(deliver_batch: Any, tmp_path: Path) -> None:
    contents = []
    for batches in (False, True):
        path = tmp_path / f"{batches}.log"
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=100, backupCount=9)
        handler.setFormatter(Counting("%(message)s"))
        some = numbered_records(20)
        deliver = deliver_batch if batches else one_at_a_time
        deliver(handler, some, unexpected)
        handler.close()
        contents.append([path.read_bytes() for path in sorted(tmp_path.glob(f"{batches}*"))])
    assert contents[0] == contents[1]


@each_core
def test_an_interrupt_in_a_formatter_of_another_class(deliver_batch: Any) -> None:
    class Interrupted(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            if record.lineno == 2:
                raise KeyboardInterrupt
            return super().format(record)

    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(Interrupted())
    batch = numbered_records(5)
    with pytest.raises(KeyboardInterrupt):
        deliver_batch(handler, batch, unexpected)
    assert handler.stream.getvalue() == numbered_lines(2)
    assert [record.lineno for record in batch] == [3, 4]


@each_core
def test_a_buffer_of_one_byte(deliver_batch: Any, tmp_path: Path) -> None:
    with open(tmp_path / "a.log", "wb", buffering=0) as raw:
        stream = io.TextIOWrapper(io.BufferedWriter(raw, 1), "utf-8")
        deliver_batch(logging.StreamHandler(stream), numbered_records(3), unexpected)
        assert (tmp_path / "a.log").read_text() == numbered_lines(3)
        stream.detach().detach()


@each_core
def test_an_empty_batch(deliver_batch: Any) -> None:
    deliver_batch(logging.NullHandler(), [], unexpected)
    deliver_batch(logging.StreamHandler(io.StringIO()), [], unexpected)


@each_core
def test_handle_batch_gets_all_records(deliver_batch: Any) -> None:
    class Sender(logging.Handler):
        def __init__(self) -> None:
            super().__init__()
            self.batches: list[list[int]] = []

        def handle_batch(self, batch: list[logging.LogRecord]) -> None:
            self.batches.append([record.lineno for record in batch])
            if len(batch) == 3:
                raise ConnectionError

    handler = Sender()
    reports = []
    deliver_batch(handler, numbered_records(2), unexpected)
    batch = numbered_records(3)
    deliver_batch(handler, batch, lambda record, handler: reports.append((record.lineno, sys.exc_info()[0])))
    assert handler.batches == [[0, 1], [0, 1, 2]]
    assert reports == [(i, ConnectionError) for i in range(3)]
    assert batch == []


def shout(self: Any, record: logging.LogRecord, *more: Any) -> str:
    return "patched"


PATCHES = [
    (logging.Formatter, "format", shout),
    (logging.Formatter, "formatMessage", shout),
    (logging.Formatter, "formatTime", shout),
    (logging.Formatter, "formatException", shout),
    (logging.Formatter, "usesTime", lambda self: False),
    (logging.Formatter, "converter", lambda self, seconds: time.gmtime(0)),
    (logging.Formatter, "default_time_format", "%H"),
    (logging.Formatter, "default_msec_format", "%s.%03d"),
    (logging.PercentStyle, "_format", shout),
    (logging.PercentStyle, "asctime_search", "nothing like it"),
    (logging.LogRecord, "getMessage", lambda self: "patched"),
    (logging.StreamHandler, "terminator", "|\n"),
    (logging.StreamHandler, "format", shout),
    (logging.Handler, "format", shout),
    (logging.Handler, "filter", lambda self, record: False),
    (logging.Filterer, "filter", lambda self, record: record.lineno != 1),
    (logging.StreamHandler, "emit", lambda self, record: self.stream.write("emitted\n")),
    (logging.StreamHandler, "flush", lambda self: self.stream.write("flushed\n")),
    (logging.FileHandler, "emit", lambda self, record: self.stream.write("emitted\n")),
    (time, "strftime", lambda *given: "time"),
    (logging, "time", mock.Mock(wraps=time, strftime=lambda *given: "other time")),
    (logging, "_defaultFormatter", logging.Formatter("default %(message)s")),
]


@each_core
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: f"{patch[0].__name__}.{patch[1]}")
@pytest.mark.parametrize("fmt", ["%(asctime)s %(message)s", None])
def test_what_is_patched_counts_from_the_next_batch(deliver_batch: Any, patch: Any, fmt: Any, tmp_path: Path) -> None:
    outcomes = []
    exc_info = (ValueError, ValueError("wrong"), None)
    for batches in (False, True):
        path = tmp_path / f"{batches}.log"
        handler = logging.FileHandler(path)
        if fmt:
            handler.setFormatter(logging.Formatter(fmt))

        def deliver(some: list[logging.LogRecord]) -> None:
            for record in some:
                record.created, record.msecs, record.exc_info = 1700000000.5, 500.0, exc_info
            way = deliver_batch if batches else one_at_a_time  # noqa: B023
            way(handler, some, unexpected)  # noqa: B023

        deliver(numbered_records(3))
        with mock.patch.object(*patch, create=True):
            deliver(numbered_records(3))
        deliver(numbered_records(3))
        handler.close()
        outcomes.append(path.read_text())
    assert outcomes[0] == outcomes[1]


@each_core
@pytest.mark.parametrize("name", ["emit", "format", "flush", "handle", "filter", "formatter.format", "stream.write"])
def test_what_hides_a_method_on_the_instance(deliver_batch: Any, name: str, tmp_path: Path) -> None:
    handler: Any = logging.FileHandler(tmp_path / "app.log")
    handler.setFormatter(logging.Formatter())
    deliver_batch(handler, numbered_records(3), unexpected)
    target = handler
    *path, name = name.split(".")
    for step in path:
        target = getattr(target, step)
    original = getattr(target, name)
    calls = []

    def note(*given: Any) -> Any:
        calls.append(given)
        return original(*given)

    setattr(target, name, note)
    deliver_batch(handler, numbered_records(3), unexpected)
    assert len(calls) == 3
    handler.close()


@each_core
def test_formatters_may_be_changed_at_any_time(deliver_batch: Any) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = logging.Formatter("%(name)s", "%Y")
    handler.setFormatter(formatter)
    deliver_batch(handler, numbered_records(1), unexpected)
    formatter._style._fmt = "%(levelname)s %(asctime)s"
    formatter.converter = lambda seconds: time.gmtime(0)  # type: ignore[method-assign,assignment]
    deliver_batch(handler, numbered_records(1), unexpected)
    formatter._style = logging.StrFormatStyle("{lineno} {extra}", defaults={"extra": "!"})
    deliver_batch(handler, numbered_records(1), unexpected)
    handler.setFormatter(None)
    deliver_batch(handler, numbered_records(1), unexpected)
    assert stream.getvalue() == "name\nINFO 1970\n0 !\nrecord 0\n"


@each_core
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs time.tzset")
def test_the_time_zone_may_change(deliver_batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s"))
    try:
        for zone in ("UTC", "JST-9", "UTC"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            batch = numbered_records(1)
            batch[0].created, batch[0].msecs = 0.25, 250.0
            deliver_batch(handler, batch, unexpected)
    finally:
        monkeypatch.undo()
        time.tzset()
    hours = [line[11:13] for line in stream.getvalue().splitlines()]
    assert hours == ["00", "09", "00"]


@each_core
def test_streams_may_be_replaced(deliver_batch: Any, tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "a.log")
    deliver_batch(handler, numbered_records(2), unexpected)
    with open(tmp_path / "b.log", "w", newline="\r\n") as stream:
        first = handler.setStream(stream)
        deliver_batch(handler, numbered_records(3), unexpected)
        handler.setStream(first)
        deliver_batch(handler, numbered_records(1), unexpected)
    handler.close()
    assert (tmp_path / "a.log").read_text() == numbered_lines(2) + numbered_lines(1)
    assert (tmp_path / "b.log").read_bytes() == numbered_lines(3).replace("\n", "\r\n").encode()


@each_core
def test_encodings_may_be_reconfigured(deliver_batch: Any, tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "a.log", encoding="utf-8")
    deliver_batch(handler, numbered_records(1, "\xe9"), lambda *given: None)
    handler.handleError = unexpected  # type: ignore[method-assign]
    batch = numbered_records(2, "\xe9%d")
    deliver_batch(handler, batch, unexpected)
    handler.stream.reconfigure(encoding="latin-1")
    deliver_batch(handler, numbered_records(2, "\xe9%d"), unexpected)
    handler.close()
    written = (tmp_path / "a.log").read_bytes().replace(os.linesep.encode(), b"\n")
    assert written.endswith(b"\xc3\xa90\n\xc3\xa91\n\xe90\n\xe91\n")


@each_core
def test_pytest_captures_what_goes_to_stderr(deliver_batch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    deliver_batch(logging.StreamHandler(), numbered_records(3), unexpected)
    assert capsys.readouterr().err == numbered_lines(3)


@each_core
def test_records_show_what_formatting_leaves_on_them(deliver_batch: Any) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(asctime)s"))
    one = numbered_records(1)[0]
    one.exc_info = (ValueError, ValueError("wrong"), None)
    deliver_batch(handler, [one], unexpected)
    assert one.message == "record 0"
    assert one.asctime in handler.stream.getvalue()
    assert one.exc_text == "ValueError: wrong"


@each_core
def test_rotation_where_the_standard_handler_rotates(deliver_batch: Any, tmp_path: Path) -> None:
    contents = []
    for batches in (False, True):
        folder = tmp_path / str(batches)
        folder.mkdir()
        handler = logging.handlers.RotatingFileHandler(
            folder / "app.log", maxBytes=200, backupCount=50, encoding="utf-8"
        )
        handler.namer = lambda name: name + ".old"
        some = [r for width in range(60) for r in numbered_records(1, "\xe9" * width + "%d")]
        deliver = deliver_batch if batches else one_at_a_time
        deliver(handler, some, unexpected)
        handler.close()
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) > 5


@each_core
def test_one_writer_at_a_time(deliver_batch: Any, tmp_path: Path) -> None:
    """Batches and single records from several threads: every line is whole, and in its thread's order."""
    path = tmp_path / "app.log"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=1 << 20)
    handler.setFormatter(logging.Formatter("%(name)s %(asctime)s %(message)s"))

    def work(number: int) -> None:
        for at in range(0, 300, 10):
            some = numbered_records(10, f"thread{number} {at + 10**6} %d")
            deliver = deliver_batch if number % 2 else one_at_a_time
            deliver(handler, some, unexpected)

    run_in_threads(*[functools.partial(work, number) for number in range(4)])
    handler.close()
    seen: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, _, _, thread, at, number = line.split()
        assert name == "name"
        seen.setdefault(thread, []).append(f"{at} {number}")
    assert {thread: len(order) for thread, order in seen.items()} == {f"thread{i}": 300 for i in range(4)}
    assert all(order == sorted(order) for order in seen.values())


@each_core
@pytest.mark.parametrize(
    ("make", "at_once"),
    [
        (lambda: logging.StreamHandler(io.StringIO()), True),
        (lambda: with_formatter(logging.StreamHandler(io.StringIO()), Counting()), True),
        (lambda: with_filter(logging.StreamHandler(io.StringIO()), logging.Filter("name")), True),
        (lambda: with_filter(logging.StreamHandler(io.StringIO()), lambda record: True), True),
        (lambda: Upper(io.StringIO()), True),
        (lambda: Twice(io.StringIO()), False),
        (lambda: Sender(), True),
        (lambda: logging.lastResort, False),
    ],
    ids=[
        "stock",
        "own formatter",
        "filter",
        "own filter",
        "own format()",
        "own emit()",
        "handle_batch()",
        "lastResort",
    ],
)
def test_which_handlers_get_a_batch_at_once(deliver_batch: Any, make: Any, at_once: bool) -> None:
    handler = make()
    assert (locks_taken(deliver_batch, handler, numbered_records(20)) <= FEW) == at_once


def with_formatter(handler: logging.Handler, formatter: logging.Formatter) -> logging.Handler:
    handler.setFormatter(formatter)
    return handler


def with_filter(handler: logging.Handler, added: Any) -> logging.Handler:
    handler.addFilter(added)
    return handler


class Upper(logging.StreamHandler):  # type: ignore[type-arg]
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()


class Twice(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        super().emit(record)


class Sender(logging.Handler):
    def handle_batch(self, batch: list[logging.LogRecord]) -> None: ...


@each_core
def test_classes_stay_unpatched_when_they_are_copied(deliver_batch: Any) -> None:
    """As the standard QueueHandler copies records: what that leaves on their class must not make batches slow."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter())
    for thing in (logging.makeLogRecord({}), logging.Formatter(), logging.NullHandler()):
        copy.copy(thing)
        assert "__slotnames__" in vars(type(thing))
    assert locks_taken(deliver_batch, handler, numbered_records(20)) <= FEW
    assert handler.stream.getvalue() == numbered_lines(20)


def test_records_at_a_level(lf: Any) -> None:
    """As the standard listener compares them, whatever the level is."""
    levels = (-5, 0, 10, 20, 30)
    for level in (-10, 0, 10, 15, 31, 1 << 70, 19.5, True):
        seen: list[int] = []
        handler = logging.Handler()
        handler.emit = lambda record: seen.append(record.levelno)  # type: ignore[method-assign] # noqa: B023
        handler.level = level  # type: ignore[assignment]
        records: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for number in levels:
            records.put(logging.LogRecord("name", number, "/x.py", 1, "", (), None))
        with lf.QueueListener(records, handler, respect_handler_level=True) as listener:
            assert listener.flush(10)
        assert seen == [number for number in levels if number >= level]


def test_a_level_that_is_no_number_is_reported(lf: Any) -> None:
    errors: list[Any] = []
    handler = logging.Handler()
    handler.level = "INFO"  # type: ignore[assignment]
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    records.put(logging.makeLogRecord({"levelno": 20}))
    with lf.QueueListener(
        records, handler, respect_handler_level=True, on_error=lambda *given: errors.append(given)
    ) as listener:
        assert listener.flush(10)
    assert [type(error) for _, _, error in errors] == [TypeError]


def test_without_memory_no_record_is_lost_between_the_queue_and_the_handlers(lf: Any) -> None:
    class Full(collections.deque):  # type: ignore[type-arg]
        def append(self, item: Any) -> None:
            if len(self) == 1:
                raise MemoryError
            super().append(item)

    take = sys.modules[f"{lf.__name__}._backend"].take
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    taken = Full()
    for name in ("a", "b", None, "c"):
        records.put(None if name is None else logging.makeLogRecord({"msg": name}))
    with pytest.raises(MemoryError):
        take(records, 10, taken)
    assert [record.msg for record in taken[0].records] == ["a", "b"]
    left = [records.get(), records.get()]
    assert left[0].msg == "c"
    assert left[1] is None


class Lazy:
    """A text to be, as translations have them."""

    def __add__(self, other: str) -> str:
        return "lazy" + other


class LazyFormat(str):
    __slots__ = ()

    def __mod__(self, values: Any) -> Any:
        return Lazy()


@each_core
def test_a_format_that_makes_no_string(deliver_batch: Any) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter(LazyFormat("%(message)s")))
    deliver_batch(handler, numbered_records(2), unexpected)
    assert handler.stream.getvalue() == "lazy\nlazy\n"


@not_in_debug_builds
@each_core
def test_handlers_with_a_dictionary_of_another_class(deliver_batch: Any) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.__dict__ = collections.OrderedDict(vars(handler))
    deliver_batch(handler, batch := numbered_records(2), unexpected)
    assert handler.stream.getvalue() == numbered_lines(2)
    assert batch == []


@not_in_debug_builds
@each_core
def test_records_with_a_dictionary_of_another_class(deliver_batch: Any) -> None:
    handler = logging.StreamHandler(io.StringIO())
    batch = numbered_records(2)
    for record in batch:
        record.__dict__ = collections.OrderedDict(vars(record))
    deliver_batch(handler, batch, unexpected)
    assert handler.stream.getvalue() == numbered_lines(2)
