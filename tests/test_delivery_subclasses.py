"""Subclasses of the standard handlers and formatters write behind a queue what they write without one.

Those that override nothing that matters go the way of their base, and what a subclass overrides is called: for each
record, in the same order and with the same record.
"""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliveries import DELIVERIES, numbered_lines, numbered_records, one_at_a_time, unexpected
from helpers import both_ways, files_in, stopped_clock
from logflume._delivery.deliver import Progress

NOW = 1_700_000_000.25
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
each_core = pytest.mark.parametrize("deliver_batch", DELIVERIES)

KINDS: dict[type[logging.Handler], dict[str, Any]] = {
    logging.FileHandler: {},
    logging.handlers.RotatingFileHandler: {"maxBytes": 300, "backupCount": 5},
    logging.handlers.TimedRotatingFileHandler: {"when": "S", "backupCount": 5},
    logging.handlers.WatchedFileHandler: {},
}
HANDLER_METHODS = [
    *(
        "handle",
        "filter",
        "emit",
        "format",
        "flush",
        "acquire",
        "release",
        "handleError",
        "createLock",
        "close",
    ),
    *("shouldRollover", "doRollover", "rotate", "rotation_filename", "getFilesToDelete", "computeRollover"),
    *("reopenIfNeeded", "_open", "setStream", "setFormatter", "setLevel", "get_name"),
]
FORMATTER_METHODS = ["format", "formatTime", "formatException", "formatMessage", "formatStack", "usesTime"]


def noting(base: type, names: list[str], calls: list[tuple[Any, ...]]) -> type:
    """A subclass of `base` that notes the calls of those of `names` that `base` has."""

    def override(name: str) -> Any:
        method = getattr(base, name)

        def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append((name, *(given.msg for given in args if isinstance(given, logging.LogRecord))))
            value = method(self, *args, **kwargs)
            return f"{name}:{value}" if name.startswith("format") else value

        return noted

    return type("Noting", (base,), {name: override(name) for name in names if hasattr(base, name)})


def some_records() -> list[logging.LogRecord]:
    records = numbered_records(12)
    try:
        raise KeyError("k")
    except KeyError:
        records.append(logging.LogRecord("name", 40, "/x.py", 1, "failed", (), sys.exc_info()))
    for message in ("cannot be encoded: \udc80", "ä", "cannot %d be rendered", "line 1\nline 2"):
        args = ("x",) if "%" in message else ()
        records.append(logging.LogRecord("name", 30, "/x.py", 1, message, args, None))
    records.append(logging.LogRecord("name", 20, "/x.py", 1, "with a stack", (), None, sinfo="Stack"))
    return [*records, *numbered_records(3)]


def outcome(deliver: Any, kind: type, overridden: list[str], by_formatter: list[str]) -> tuple[Any, ...]:
    """What becomes of some records with subclasses that override these methods: files, calls, reports."""
    calls: list[tuple[Any, ...]] = []
    reported: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        stopped_clock(lambda: NOW),
        contextlib.redirect_stderr(io.StringIO()) as errors,
    ):
        handler = noting(kind, overridden, calls)(Path(folder) / "log", encoding="utf-8", **KINDS[kind])
        handler.setFormatter(noting(logging.Formatter, by_formatter, calls)(FORMAT))
        handler.rolloverAt = int(NOW)
        deliver(handler, some_records(), lambda record, handler: reported.append(repr(sys.exc_info()[1])))
        noted = calls[:]
        handler.close()
        return files_in(Path(folder)), noted, reported, errors.getvalue().count("Logging error")


@each_core
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(list(KINDS)),
    st.lists(st.sampled_from(HANDLER_METHODS), unique=True, max_size=2),
    st.lists(st.sampled_from(FORMATTER_METHODS), unique=True, max_size=2),
)
def test_what_is_overridden_is_called(
    deliver_batch: Any, kind: type, overridden: list[str], by_formatter: list[str]
) -> None:
    expected = outcome(one_at_a_time, kind, overridden, by_formatter)
    assert outcome(deliver_batch, kind, overridden, by_formatter) == expected


@each_core
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", *HANDLER_METHODS])
def test_each_method_of_handlers(deliver_batch: Any, kind: type, name: str) -> None:
    expected = outcome(one_at_a_time, kind, [name], [])
    assert outcome(deliver_batch, kind, [name], []) == expected


@each_core
@pytest.mark.parametrize("name", FORMATTER_METHODS)
def test_each_method_of_formatters(deliver_batch: Any, name: str) -> None:
    for overridden in ([], ["format"]):
        expected = outcome(one_at_a_time, logging.FileHandler, overridden, [name])
        assert outcome(deliver_batch, logging.FileHandler, overridden, [name]) == expected


# ---- which subclasses get batches ----


def locks_taken(deliver_batch: Any, handler: logging.Handler) -> int:
    class Counted:
        def __init__(self, lock: Any) -> None:
            self.lock = lock
            self.taken = 0

        def acquire(self) -> None:
            self.taken += 1
            self.lock.acquire()

        def release(self) -> None:
            self.lock.release()

        def __enter__(self) -> None:
            self.acquire()

        def __exit__(self, *error: object) -> None:
            self.release()

    handler.lock = counted = Counted(handler.lock)  # type: ignore[assignment]
    deliver_batch(handler, numbered_records(20), unexpected)
    return counted.taken


class Mixin:
    def close_soon(self) -> None: ...


class Harmless(Mixin, logging.StreamHandler):  # type: ignore[type-arg]
    """Overrides nothing that matters."""

    terminator = "\n"
    more: Any = None

    def __init__(self, stream: Any, more: int = 1) -> None:
        super().__init__(stream)
        self.more = more

    @property
    def path(self) -> str:
        return "path"

    def __repr__(self) -> str:
        return "harmless"

    def close(self) -> None:
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        super().handleError(record)


class SameFunction(Harmless):
    emit = logging.StreamHandler.emit


class OwnStream(Harmless):
    other: Any = None

    @property
    def stream(self) -> Any:
        return self.other

    @stream.setter
    def stream(self, stream: Any) -> None:
        self.other = stream


class Terminating(Harmless):
    @property
    def terminator(self) -> str:  # type: ignore[override]
        return "!\n"


class Getting(Harmless):
    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name)


class Locking(Harmless):
    def createLock(self) -> None:
        super().createLock()


class After(logging.StreamHandler, Mixin):  # type: ignore[type-arg]
    pass


@each_core
@pytest.mark.parametrize(
    ("cls", "at_once"),
    [
        *((Harmless, True), (SameFunction, True), (After, True)),
        *((OwnStream, False), (Terminating, False), (Getting, False), (Locking, False)),
    ],
)
def test_which_subclasses_get_a_batch_at_once(deliver_batch: Any, cls: Any, at_once: bool) -> None:
    handler, stock = cls(io.StringIO()), cls(io.StringIO())
    assert (locks_taken(deliver_batch, handler) <= 2) == at_once
    one_at_a_time(stock, numbered_records(20), unexpected)
    assert handler.stream.getvalue() == stock.stream.getvalue()


@each_core
def test_classes_that_change(deliver_batch: Any) -> None:
    """An override counts from the next record on, on the class, a base, or the handler itself; and so does its end."""

    class Base(logging.StreamHandler):  # type: ignore[type-arg]
        pass

    class Derived(Base):
        pass

    handler = Derived(io.StringIO())
    shout: Any = lambda self, record: "!"  # noqa: E731
    write: Any = lambda self, record: self.stream.write("emitted\n")  # noqa: E731

    def lines() -> list[str]:
        handler.stream.seek(0)
        handler.stream.truncate()
        deliver_batch(handler, numbered_records(3), unexpected)
        return handler.stream.getvalue().splitlines()  # type: ignore[no-any-return]

    plain = numbered_lines(3).splitlines()
    for _ in range(2):
        assert lines() == plain
        Base.format = shout  # type: ignore[method-assign]
        assert lines() == ["!"] * 3
        del Base.format
        assert lines() == plain
        Derived.emit = write  # type: ignore[method-assign]
        assert lines() == ["emitted"] * 3
        del Derived.emit
        assert lines() == plain
        handler.format = lambda record: "own"  # type: ignore[method-assign]
        assert lines() == ["own"] * 3
        del handler.format
        handler.emit = lambda record: write(handler, record)  # type: ignore[method-assign]
        assert lines() == ["emitted"] * 3
        del handler.emit


class Filtering(logging.StreamHandler):  # type: ignore[type-arg]
    def filter(self, record: logging.LogRecord) -> bool:
        return record.lineno % 2 == 0


@each_core
def test_filter_that_was_asked_in_the_call_for_some(deliver_batch: Any, tmp_path: Path) -> None:
    """A plan that was made for records that the filter has let pass is not for others."""
    with (tmp_path / "log").open("w", encoding="utf-8", newline="\n") as stream:
        handler = Filtering(stream)
        asked = Progress()
        asked.asked = True
        for progress in (asked, None, asked, None):
            deliver_batch(handler, numbered_records(4), unexpected, progress)
    every, even = numbered_lines(4), "record 0\nrecord 2\n"
    assert (tmp_path / "log").read_text() == every + even + every + even


class WithTerminator(logging.FileHandler):
    terminator = "!\r\n"


def test_terminator_of_a_class(lf: ModuleType, tmp_path: Path) -> None:
    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        for terminator in ("!\r\n", "", "é", "!\r\n"):
            WithTerminator.terminator = terminator
            for number in range(5):
                logger.info("record %d", number)
            flush()

    stock, queued = both_ways(lf, tmp_path, lambda folder: WithTerminator(folder / "log", encoding="utf-8"), act)
    assert stock == queued


class Times(logging.Formatter):
    """Overrides nothing that matters."""

    default_time_format = "%H:%M"
    default_msec_format = "%s.%03d"
    converter = time.gmtime

    def __init__(self, fmt: str, more: int = 1) -> None:
        super().__init__(fmt)
        self.more = more

    def helper(self) -> None: ...


class ConvertsByMethod(logging.Formatter):
    def converter(self, seconds: float | None) -> time.struct_time:  # type: ignore[override]
        return time.gmtime(0)


class Computed(logging.Formatter):
    @property
    def default_time_format(self) -> str:  # type: ignore[override]
        return "%H"


class Falsy(logging.Formatter):
    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("cls", [Times, ConvertsByMethod, Computed, Falsy])
def test_formatters(lf: ModuleType, tmp_path: Path, cls: Any) -> None:
    def make(folder: Path) -> logging.Handler:
        handler = logging.FileHandler(folder / "log", encoding="utf-8")
        handler.setFormatter(cls(FORMAT))
        return handler

    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        for number in range(5):
            logger.info("record %d", number)
        flush()
        with mock.patch.object(cls, "default_time_format", "%M"):
            for number in range(5):
                logger.info("record %d %s", number, [number])
            flush()

    stock, queued = both_ways(lf, tmp_path, make, act)
    assert stock == queued


class Upper(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        self.kept.append(record)
        return super().format(record).upper()

    def __init__(self) -> None:
        super().__init__(FORMAT)
        self.kept: list[logging.LogRecord] = []


def test_records_that_a_formatter_keeps(lf: ModuleType, tmp_path: Path) -> None:
    """Each is a record of its own, with the attributes in the standard order and those that formatting sets."""
    formatters: list[Upper] = []

    def make(folder: Path) -> logging.Handler:
        handler = logging.FileHandler(folder / "log", encoding="utf-8")
        formatters.append(Upper())
        handler.setFormatter(formatters[-1])
        return handler

    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        for number in range(5):
            logger.info("record %d", number, extra={"more": number})
        logger.info("record", extra={"more": [1]})
        flush()

    stock, queued = both_ways(lf, tmp_path, make, act)
    assert stock == queued
    kept, made = formatters[0].kept, formatters[1].kept
    assert len({id(record) for record in made}) == len(made) == len(kept)
    for record, other in zip(kept, made, strict=True):
        assert list(vars(record)) == list(vars(other))
        skipped = {"relativeCreated", "lineno"}
        mine, its = ({k: v for k, v in vars(r).items() if k not in skipped} for r in (record, other))
        assert mine == its


class Messages(logging.Formatter):
    """Looks at record.msg, as structlog's and python-json-logger's do."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{type(record.msg).__name__} {record.msg!r} {record.args!r} {record.getMessage()}"


class Event(dict[str, Any]):
    def __repr__(self) -> str:
        return f"Event({super().__repr__()})"


@pytest.mark.parametrize("make_formatter", [Messages, lambda: logging.Formatter(FORMAT)])
def test_dictionaries_as_messages(lf: ModuleType, tmp_path: Path, make_formatter: Any) -> None:
    """They reach a formatter as they were in the call."""

    def make(folder: Path) -> logging.Handler:
        handler = logging.FileHandler(folder / "log", encoding="utf-8")
        handler.setFormatter(make_formatter())
        return handler

    def act(logger: logging.Logger, flush: Callable[[], None]) -> None:
        for message in ({"event": "e", "list": [1]}, Event(event="e"), {}):
            logger.info(message)
            message["later"] = 1
            logger.info(message, extra={"more": 1})
            logger.info({"event": "%s"}, "argument")
        flush()

    stock, queued = both_ways(lf, tmp_path, make, act)
    assert stock == queued
