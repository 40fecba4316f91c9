"""What several test files need: handlers, threads, programs, and the same calls with and without a queue."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import logging
import os
import queue as _queue
import re
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import cores

needs_compiled = pytest.mark.skipif("compiled" not in cores.available(), reason="is about the compiled core")
needs_gil = pytest.mark.skipif(not cores.HAS_GIL, reason="the compiled core keeps nothing without the GIL")
F_SETPIPE_SZ = 1031  # Linux; PyPy has no name for it
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
needs_nested_records = pytest.mark.skipif(
    cores.IGNORES_NESTED, reason="this Python ignores what a thread logs while it handles a record"
)
not_in_debug_builds = pytest.mark.skipif(
    hasattr(sys, "gettotalrefcount"), reason="the interpreter asserts that instance dictionaries are plain"
)
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def is_gone(reference: Callable[[], object]) -> bool:
    """Whether nothing holds what the weak `reference` is to: where objects are not counted, after a collection."""
    if sys.implementation.name != "cpython":
        gc.collect()
    return reference() is None


# Handlers.


class Collect(logging.Handler):
    """Keeps the messages that it handles, and calls `function` with each record."""

    def __init__(
        self, level: int = logging.NOTSET, function: Callable[[logging.LogRecord], object] | None = None
    ) -> None:
        super().__init__(level)
        self.messages: list[str] = []
        self.function = function

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        if self.function is not None:
            self.function(record)


class Gate(Collect):
    """Handles nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.entered = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.entered.set()
        assert self.open.wait(30)
        super().emit(record)


def raising(method: str) -> logging.Handler:
    """A handler whose `method` raises: "filter", "format", "emit" or "handle"."""

    class Broken(Collect):
        pass

    def fail(*args: object) -> Any:
        raise ZeroDivisionError(method)

    if method == "filter":
        handler = Broken()
        handler.addFilter(fail)
        return handler
    setattr(Broken, method, fail)
    if method == "format":
        Broken.emit = lambda self, record: self.format(record)  # type: ignore[assignment,method-assign,return-value]
    return Broken()


def is_quick(call: Callable[[], object]) -> bool:
    """Tell whether `call`, which logs, leaves out Logger._log(): an accelerated logger does all of it."""
    standard = vars(logging.Logger)["_log"].__code__
    called = []

    def profile(frame: Any, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is standard:
            called.append(frame)

    before = sys.getprofile()
    gc.disable()  # what it ends may log
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
        gc.enable()
    return not called


def drain(queue: Any) -> list[Any]:
    """Take all that is in `queue` now; while producers are faster than this, it would never be empty."""
    return [queue.get_nowait() for _ in range(queue.qsize())]


def open_stream(descriptor: int, kind: str, encoding: str = "utf-8", newline: str | None = "\n") -> io.TextIOWrapper:
    """A stream as the interpreter opens them: `block` and `line` buffered, or `unbuffered` by `python -u`."""
    raw = io.FileIO(descriptor, "w")
    buffer: Any = raw if kind == "unbuffered" else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer, encoding, newline=newline, line_buffering=kind == "line", write_through=kind == "unbuffered"
    )


# Threads and time.


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Tell whether `condition()` became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.0005)
    return True


@contextlib.contextmanager
def threads(functions: Iterable[Callable[[], object]]) -> Iterator[None]:
    """Run each function in a thread beside the block; wait for their end, and raise what one of them raised."""
    errors: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    started = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in started:
        thread.start()
    try:
        yield
    finally:
        for thread in started:
            thread.join(60)
    assert not any(thread.is_alive() for thread in started)
    if errors:
        raise errors[0]


def run_in_threads(*functions: Callable[[], object]) -> None:
    """Run each function in a thread of its own, at the same time."""
    with threads(functions):
        pass


@contextlib.contextmanager
def repeated_in_threads(*functions: Callable[[], object]) -> Iterator[None]:
    """Have each function called again and again, each by a thread of its own, while the block runs."""
    end = threading.Event()

    def repeat(function: Callable[[], object]) -> None:
        while not end.is_set():
            function()

    with threads(functools.partial(repeat, function) for function in functions):
        try:
            yield
        finally:
            end.set()


def listener_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "logflume"]


def forget_thread(ident: int) -> None:
    """Have threading forget a thread that it did not start and has met; before 3.13 it would stay there for ever."""
    if sys.version_info < (3, 13):
        threading._active.pop(ident, None)  # type: ignore[attr-defined]


def state_of(listener: Any) -> str:
    """One of idle, running, stopping, stopped."""
    state: str = repr(listener).split()[1]
    return state.rstrip(",")


# Programs.


def environment(**more: str) -> dict[str, str]:
    """What a new interpreter needs to find what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **more}


def run_python(*arguments: str, timeout: float = 60.0, **given: Any) -> subprocess.CompletedProcess[str]:
    """Run an interpreter with `arguments`; with the core of `lf` where the test has that."""
    given.setdefault("env", environment())
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=timeout, check=False, **given
    )


def not_delivered(stderr: str) -> list[tuple[int, float]]:
    """Return what stderr tells of records that were left: how many, and after how many seconds; a line each."""
    found = re.findall(r"^logflume: (\d+) records were not delivered within (\d+\.\d) s ", stderr, re.MULTILINE)
    return [(int(left), float(seconds)) for left, seconds in found]


def run_code(code: str, *arguments: str, **given: Any) -> subprocess.CompletedProcess[str]:
    return run_python("-c", code, *arguments, **given)


@contextlib.contextmanager
def started(command: Sequence[str | Path], **given: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a program beside the block, whose end kills it."""
    process = subprocess.Popen(command, **given)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


NUMBERS = [str(i) for i in range(500)]
LOG_500 = "for i in range(500): logging.info('%d', i)\n"


def messages_in(lines: list[tuple[str, ...]]) -> list[str]:
    """The messages of what the fixture `run` returns."""
    return [message for _, message in lines]


# The same calls with a handler on the logger and behind a queue.


def in_order_of_definition() -> tuple[list[Any], Callable[..., Any]]:
    """A list of parameters for a test, and a decorator that puts functions into it; for a lambda, with a name."""
    functions: list[Any] = []

    def add(function: Any, name: str | None = None) -> Any:
        functions.append(pytest.param(function, id=name or function.__name__))
        return function

    return functions, add


@contextlib.contextmanager
def stopped_clock(now: Callable[[], float]) -> Iterator[None]:
    """Have `now()` tell the time, to both ways in which logging asks for it."""

    def in_ns() -> int:
        return int(now() * 1e9)

    with mock.patch("time.time", now), mock.patch("time.time_ns", in_ns):
        yield


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextlib.contextmanager
def directly(handler: logging.Handler, logger: logging.Logger) -> Iterator[Callable[[], None]]:
    """Have `logger` give its records to `handler`; gives what flushes it."""
    logger.addHandler(handler)
    yield lambda: handler.flush()


@contextlib.contextmanager
def through_a_queue(
    package: ModuleType, handler: logging.Handler, logger: logging.Logger
) -> Iterator[Callable[[], None]]:
    """Have `logger`, accelerated if that is possible, give its records to `handler` through a queue."""
    records: _queue.SimpleQueue[Any] = _queue.SimpleQueue()
    logger.addHandler(package.LocalQueueHandler(records))
    package.accelerate_loggers()

    def flush() -> None:
        # A flush request that comes in between would take the last batch another way.
        assert wait_until(lambda: not listener.stats().pending)
        assert listener.flush(10)

    with package.QueueListener(records, handler, respect_handler_level=True) as listener:
        yield flush


def both_ways(
    package: ModuleType,
    folder: Path,
    make: Callable[[Path], logging.Handler],
    act: Callable[[logging.Logger, Callable[[], None]], None],
    now: float = 1_700_000_000.25,
) -> list[tuple[dict[str, bytes], list[tuple[str, str]]]]:
    """The files after act(logger, flush), and what was reported: with a handler on the logger, and behind a queue.

    make(folder) makes the handler.
    """
    outcomes = []
    for name, around in (
        ("stock", directly),
        ("queue", lambda *given: through_a_queue(package, *given)),
    ):
        own = folder / name
        own.mkdir()
        handler = make(own)
        reported: list[tuple[str, str]] = []

        def report(record: logging.LogRecord, reported: list[tuple[str, str]] = reported) -> None:
            error = str(sys.exc_info()[1])
            try:
                message = record.getMessage()
            except Exception:
                message = "no message"
            reported.append((message, error))

        handler.handleError = report  # type: ignore[method-assign]
        with contextlib.closing(handler), stopped_clock(lambda: now):
            logger = logging.Logger("files")
            with around(handler, logger) as flush:
                act(logger, flush)
        outcomes.append((files_in(own), reported))
    return outcomes


@contextlib.contextmanager
def nothing_delivered(listener: Any) -> Iterator[None]:
    """Keeps `listener` from delivering anything, so that what is logged meanwhile is one batch."""
    hold = listener._dispatcher.lock.take()
    try:
        yield
    finally:
        hold.give_back()
