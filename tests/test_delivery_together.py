"""Batches for several handlers in turn: what they write together is what each writes on its own, in the same order."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import (
    files_in,
    needs_compiled,
    needs_gil,
    needs_nested_records,
    nothing_delivered,
    open_stream,
    stopped_clock,
    wait_until,
)

NAMES = ("a", "b", "c")
KINDS = ["block", "line", "unbuffered"]
Reports = list[tuple[str, int, str]]
Loggers = dict[str, logging.Logger]

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="uses pipes and limits of Linux")


class Loud(logging.Formatter):
    """A formatter in Python."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).upper()


class Refuses:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def drop_odd(record: logging.LogRecord) -> bool:
    return record.lineno % 2 == 0


@contextlib.contextmanager
def watched(handlers: dict[str, logging.Handler]) -> Iterator[tuple[Loggers, Reports]]:
    """Loggers with these handlers, and a list of what the handlers report."""
    reports: Reports = []
    loggers = {name: logging.Logger(name, logging.DEBUG) for name in handlers}
    for name, handler in handlers.items():
        if handler.formatter is None:
            handler.setFormatter(logging.Formatter())

        def note(record: logging.LogRecord, name: str = name) -> None:
            reports.append((name, record.args[0], type(sys.exc_info()[1]).__name__))  # type: ignore[index, arg-type]

        handler.handleError = note  # type: ignore[method-assign]
        loggers[name].addHandler(handler)
    yield loggers, reports


@contextlib.contextmanager
def behind_a_queue(lf: ModuleType, loggers: Loggers) -> Iterator[Any]:
    """Have one turn of the listener deliver what is logged."""
    with lf.setup_logging_queue(*loggers.values(), accelerate=True) as listener:
        with nothing_delivered(listener):
            yield listener
        assert wait_until(lambda: not listener.stats().pending)


def log(loggers: Loggers, calls: list[tuple[str, str, int]]) -> None:
    for number, (name, what, level) in enumerate(calls):
        logger = loggers[name]
        if what == "exception":
            try:
                raise KeyError(number)
            except KeyError:
                logger.log(level, "record %d of %s", number, name, exc_info=True)
        elif what == "odd":
            logger.log(level, "record %d of %s", number, ["list"])
        elif what == "wrong":
            logger.log(level, "record %d of %d", number, name)
        elif what == "refuses":
            logger.log(level, "record %d of %s", number, Refuses())
        elif what == "wide":
            logger.log(level, "record %d of %s", number, "\N{SNAKE}")
        else:
            logger.log(level, "record %d of %s", number, name)


def streams_for(outputs: str, kind: str, folder: Path) -> tuple[list[Any], list[Any]]:
    """The streams of the handlers, and what has to be closed."""

    def opened(name: str) -> Any:
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return open_stream(descriptor, kind)

    if outputs == "one":
        stream = opened("all")
        return [stream] * 3, [stream]
    if outputs == "two":  # as stderr and stdout
        streams = [opened("err"), opened("out")]
        return [streams[0], streams[1], streams[1]], streams
    if outputs == "same file":  # as stderr and stdout, of which one goes where the other does
        streams = [opened("all"), opened("all")]
        return [*streams, io.StringIO()], streams
    streams = [opened(name) for name in NAMES]
    return streams, streams


formatters = st.sampled_from(
    [
        *[
            lambda: logging.Formatter("%(name)s %(message)s"),
            lambda: logging.Formatter("%(asctime)s %(message)s"),
        ]
        * 3,
        lambda: logging.Formatter("%(levelname)s"),
        lambda: Loud("%(message)s"),
        lambda: logging.Formatter("%(missing)s"),
    ]
)
set_ups = st.fixed_dictionaries(
    {
        "formatters": st.tuples(formatters, formatters, formatters),
        "levels": st.tuples(*[st.sampled_from([0, 0, 30])] * 3),
        "filtered": st.sampled_from([None, None, *NAMES]),
        "terminators": st.tuples(*[st.sampled_from(["\n", "\n", "|"])] * 3),
    }
)
many_calls = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([*["plain"] * 12, "exception", "odd", "wrong", "refuses", "wide"]),
        st.sampled_from([20, 40]),
    ),
    min_size=2,
    max_size=30,
)


@pytest.mark.parametrize("outputs", ["one", "two", "same file", "each"])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(set_up=set_ups, calls=many_calls)
def test_bytes_and_reports(lf: ModuleType, outputs: str, kind: str, set_up: Any, calls: Any) -> None:
    outcomes = []
    for queued in (False, True):
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            streams, to_close = streams_for(outputs, kind, Path(name))
            handlers: dict[str, logging.Handler] = {}
            for index, each in enumerate(NAMES):
                handler = handlers[each] = logging.StreamHandler(streams[index])
                handler.terminator = set_up["terminators"][index]
                handler.setFormatter(set_up["formatters"][index]())
                handler.setLevel(set_up["levels"][index])
                if set_up["filtered"] == each:
                    handler.addFilter(drop_odd)
            for stream in to_close:
                stack.callback(stream.close)
            with watched(handlers) as (loggers, reports), stopped_clock(lambda: 1_700_000_000.25):
                if queued:
                    with behind_a_queue(lf, loggers):
                        log(loggers, calls)
                else:
                    log(loggers, calls)
            for stream in to_close:
                stream.flush()
            texts = files_in(Path(name))
            # The order between files is not kept, as little as that between handlers.
            outcomes.append((texts, sorted(reports), [s.getvalue() for s in streams if isinstance(s, io.StringIO)]))
    assert outcomes[0] == outcomes[1]


def writes_in(reader: int) -> list[list[str]]:
    """The lines of each write to a pipe with O_DIRECT, whose other end is closed."""
    found = []
    while text := os.read(reader, 65536):
        found.append(text.decode().splitlines())
    os.close(reader)
    return found


ALTERNATING = [(name, "plain", 20) for _ in range(6) for name in ("a", "a", "b")]


@linux_only
@needs_compiled
@needs_gil
@pytest.mark.parametrize("kind", KINDS)
def test_one_write_for_all(package: ModuleType, kind: str) -> None:
    reader, writer = os.pipe2(os.O_DIRECT)  # each read gives what one write gave
    handlers: dict[str, logging.Handler] = {}
    with open_stream(writer, kind) as stream:
        for name in ("a", "b"):
            handlers[name] = logging.StreamHandler(stream)
        with watched(handlers) as (loggers, _):
            for _ in range(2):  # the first makes the plans, and may end those of handlers that are gone
                with behind_a_queue(package, loggers) as listener:
                    log(loggers, ALTERNATING)
            stats = listener.stats()
    assert writes_in(reader)[-1:] == [[f"record {n} of {name}" for n, (name, *_) in enumerate(ALTERNATING)]]
    assert (stats.handled, stats.failed, stats.accepted) == (18, 0, 18)
    assert {h.handler: h.records for h in stats.handlers} == {handlers["a"]: 12, handlers["b"]: 6}


@linux_only
@needs_compiled
@needs_gil
def test_files_do_not_wait_for_each_other(package: ModuleType) -> None:
    pipes = [os.pipe2(os.O_DIRECT) for _ in range(2)]
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(open_stream(writer, "block")) for _, writer in pipes]
        handlers = {name: logging.StreamHandler(stream) for name, stream in zip(("a", "b"), streams, strict=True)}
        with watched(handlers) as (loggers, _):  # type: ignore[arg-type]
            for _ in range(2):  # as above
                with behind_a_queue(package, loggers):
                    log(loggers, ALTERNATING)
    for (reader, _), name in zip(pipes, ("a", "b"), strict=True):
        lines = [f"record {n} of {each}" for n, (each, *_) in enumerate(ALTERNATING) if each == name]
        assert writes_in(reader)[-1:] == [lines]


@linux_only
@pytest.mark.parametrize("limit", [0, 7, 14, 15, 30, 75, 100, 250])
@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk(
    lf: ModuleType, kind: str, limit: int, tmp_path: Path, file_size_limit: Callable[[int | None], None]
) -> None:
    with open_stream(os.open(tmp_path / "all", os.O_WRONLY | os.O_CREAT), kind) as stream:
        handlers: dict[str, logging.Handler] = {name: logging.StreamHandler(stream) for name in ("a", "b")}
        with watched(handlers) as (loggers, reports):
            with behind_a_queue(lf, loggers) as listener:
                file_size_limit(limit)
                log(loggers, ALTERNATING)
            out = (tmp_path / "all").read_text().count("\n")
            file_size_limit(None)
            with contextlib.suppress(OSError):
                stream.flush()
            stats = listener.stats()
    text = (tmp_path / "all").read_text()
    wanted = [f"record {n} of {name}" for n, (name, *_) in enumerate(ALTERNATING)]
    if kind != "unbuffered":
        assert text.splitlines() == wanted
    elif limit % len("record 0 of a\n"):
        out += 1  # without a buffer nothing keeps the rest of a record, or tells
    unique = {number: name for name, number, _ in reports}
    assert unique.keys() >= set(range(out, len(wanted)))
    assert all(name == ALTERNATING[number][0] for number, name in unique.items())
    assert stats.handled + stats.failed == len(wanted)


@linux_only
def test_a_broken_pipe(lf: ModuleType) -> None:
    for kind in KINDS:
        reader, writer = os.pipe()
        os.close(reader)
        stream = open_stream(writer, kind)
        handlers: dict[str, logging.Handler] = {name: logging.StreamHandler(stream) for name in ("a", "b")}
        with watched(handlers) as (loggers, reports), behind_a_queue(lf, loggers):
            log(loggers, ALTERNATING)
        with contextlib.suppress(OSError):
            stream.close()
        assert reports == [(name, n, "BrokenPipeError") for n, (name, *_) in enumerate(ALTERNATING)]


@needs_nested_records
def test_a_handler_that_rotates_or_logs(lf: ModuleType, tmp_path: Path) -> None:
    """These are no part of it, and records for them stay between those of the others."""

    class Logs(logging.StreamHandler):  # type: ignore[type-arg]
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            if record.name == "c":
                loggers["a"].info("record %d of nested", record.args[0])  # type: ignore[index]

    outcomes = []
    for queued in (False, True):
        folder = tmp_path / str(queued)
        folder.mkdir()
        with open(folder / "all", "w", encoding="utf-8") as stream:
            handlers: dict[str, logging.Handler] = {
                "a": logging.StreamHandler(stream),
                "b": logging.handlers.RotatingFileHandler(folder / "b", maxBytes=60, backupCount=9),
                "c": Logs(stream),
            }
            calls = [(name, "plain", 20) for _ in range(5) for name in ("a", "b", "a", "c")]
            with watched(handlers) as (loggers, reports):
                if queued:
                    with behind_a_queue(lf, loggers):
                        log(loggers, calls)
                else:
                    log(loggers, calls)
            handlers["b"].close()
        outcomes.append((files_in(folder), reports))
    assert outcomes[0] == outcomes[1]
