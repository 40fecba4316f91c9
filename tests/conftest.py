"""What every test gets: a clean slate of logging, and a check that no thread outlives it."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

import cores
import logflume
from helpers import drain, run_python

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# The random tests try the same examples each time, so that a red run is the change's own; `make fuzz` tries others.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("fuzz", derandomize=False)
hypothesis.settings.load_profile("same")

PATIENCE = 5.0  # seconds that a stopped thread may take to be gone


def switched_on(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def pytest_report_header() -> str:
    return f"logflume {logflume.__version__}: {logflume.IMPLEMENTATION}, from {os.path.dirname(logflume.__file__)}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    Path(tempfile.gettempdir(), f"logflume-tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID')}").unlink(missing_ok=True)


def pytest_sessionstart() -> None:
    # The import refuses too; asked again here because a wrong answer would test the pure core twice.
    wanted = None
    if switched_on("LOGFLUME_REQUIRE_EXTENSIONS"):
        wanted = "compiled"
    elif switched_on("LOGFLUME_NO_EXTENSIONS"):
        wanted = "pure"
    if wanted not in (None, logflume.IMPLEMENTATION):
        pytest.exit(
            f"the environment asks for the {wanted} core; {logflume.__file__} runs the {logflume.IMPLEMENTATION} one",
            returncode=pytest.ExitCode.USAGE_ERROR,
        )


# The tests that need quick calls. From 3.13 on a class gets a thousand version tags and no more, each
# accelerate_loggers() and restore_loggers() takes one of logging.Logger's, and on free-threaded builds every call goes
# the standard way without one: so these come before the others.
WANT_QUICK_CALLS = (
    "test_records.py",
    "test_accelerated_",
    "test_delivery_random_",
    "test_platforms.py",
)
# These take long, and wait most of the time: so a parallel run begins with them.
WAIT = ("test_cpython_logging.py", "test_packaging.py")


def place(item: pytest.Item) -> int:
    if item.get_closest_marker("alone"):
        return 3
    return 0 if item.path.name.startswith(WAIT) else 1 if item.path.name.startswith(WANT_QUICK_CALLS) else 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)


# Parallel runs, with pytest-xdist: `pytest -n auto --maxschedchunk 1`.


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes for each processor: the tests wait half of their time for other threads and processes."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Have a test that measures time run while the other processes wait."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None or fcntl is None:
        return (yield)
    with open(Path(tempfile.gettempdir(), f"logflume-tests-{run}"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        try:
            return (yield)
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # by name: a forked child may have the file open still


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    # A dummy stands for the thread of a parallel run, if the collector runs there code of a test that logs.
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]
    for thread in left:
        while thread.ident is None and thread in threading.enumerate() and time.monotonic() < deadline:
            time.sleep(0.001)  # it was launched, and has not begun: join() would raise
        if thread.ident is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread for thread in left if thread.is_alive()]
    assert not left, f"the test left threads behind: {left}"


@pytest.fixture(autouse=True)
def clean_logging(no_thread_left: None) -> Iterator[None]:
    """Gives the test logging as a fresh interpreter has it, and undoes after it what the test changed."""
    root = logging.root
    manager = root.manager
    methods = dict(vars(logging.Logger))
    kept = {
        "loggers": dict(manager.loggerDict),
        "handlers": root.handlers,
        "filters": list(root.filters),
        "level": root.level,
        "disable": manager.disable,
        "logger_class": manager.loggerClass,
        "manager_factory": manager.logRecordFactory,
        "default_class": logging.getLoggerClass(),
        "factory": logging.getLogRecordFactory(),
        "raise_exceptions": logging.raiseExceptions,
        "last_resort": logging.lastResort,
        "names": (dict(logging._levelToName), dict(logging._nameToLevel)),
        "map": dict(logging._handlers),
        "list": list(logging._handlerList),
    }
    manager.loggerDict.clear()
    root.handlers = []
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        if getattr(logflume, "loggers_accelerated", bool)():
            logflume.restore_loggers()
        for name, value in list(vars(logging.Logger).items()):
            if name not in methods:
                delattr(logging.Logger, name)
            elif value is not methods[name]:
                setattr(logging.Logger, name, methods[name])
        for handler in [ref() for ref in logging._handlerList[::-1] if ref not in kept["list"]]:
            if handler is not None:
                # As logging.shutdown(): its stream may be closed.
                with contextlib.suppress(OSError, ValueError):
                    handler.close()
        manager.loggerDict.clear()
        manager.loggerDict.update(kept["loggers"])
        root.handlers = kept["handlers"]
        root.filters[:] = kept["filters"]
        manager.disable = kept["disable"]
        manager.loggerClass = kept["logger_class"]
        manager.logRecordFactory = kept["manager_factory"]
        logging.setLoggerClass(kept["default_class"])
        logging.setLogRecordFactory(kept["factory"])
        logging.raiseExceptions = kept["raise_exceptions"]
        logging.lastResort = kept["last_resort"]
        for names, before in zip((logging._levelToName, logging._nameToLevel), kept["names"], strict=True):
            names.clear()
            names.update(before)
        logging._handlers.clear()
        logging._handlers.update(kept["map"])
        logging._handlerList[:] = kept["list"]
        root.setLevel(kept["level"])  # last: it also clears the levels that loggers remember


@pytest.fixture(params=cores.available())
def lf(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The package with either core; what the test imports or starts in a subprocess has the same one."""
    with cores.imported(request.param) as package:
        yield package


@pytest.fixture
def wired(lf: ModuleType) -> Iterator[Callable[..., Any]]:
    """wired(*handlers) makes a logger whose queue handler has a listener with these handlers; returns both."""
    made = []

    def wire(*handlers: logging.Handler, queue: Any = None, **options: Any) -> tuple[logging.Logger, Any]:
        handler = lf.LocalQueueHandler(queue)
        handler.listener = lf.QueueListener(handler.queue, *handlers, **options)
        logger = logging.getLogger("wired")
        logger.setLevel(1)
        logger.propagate = False
        logger.handlers = [handler]
        made.append(handler.listener)
        return logger, handler.listener

    yield wire
    for listener in made:
        listener.stop(10)


@pytest.fixture
def package() -> Iterator[ModuleType]:
    """The package with the compiled core, which accelerates loggers."""
    if "compiled" not in cores.available():
        pytest.skip("the pure core accelerates nothing")
    with cores.imported("compiled") as package:
        yield package
        package.restore_loggers()


@pytest.fixture
def accelerated() -> Iterator[None]:
    """Has the loggers accelerated, by the core that this process runs; for tests with random examples.

    Not for each example: from 3.13 a class that was changed a thousand times gets no version tag any more.
    """
    import logflume

    logflume.accelerate_loggers()
    yield
    logflume.restore_loggers()


@pytest.fixture(params=["standard calls", "accelerated"])
def accelerate(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "accelerated")


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger("test.loggers")


@pytest.fixture
def records(package: ModuleType) -> Iterator[Callable[[], list[logging.LogRecord]]]:
    """With accelerated loggers: records() takes what a queue handler on the root logger got."""
    handler = package.LocalQueueHandler(queue.SimpleQueue())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    assert package.accelerate_loggers()
    yield lambda: drain(handler.queue)
    logging.root.removeHandler(handler)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """pass_time(seconds) has time.monotonic() be so much later."""
    ahead = 0.0
    monotonic = time.monotonic

    def pass_time(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + ahead)
    return pass_time


PROGRAM = """
import atexit, logging, multiprocessing, os, signal, sys, threading, time
{first}
import logflume

PATH = {path!r}
PATIENCE = 90  # seconds of exit_timeout: on a loaded machine 500 naps of Slow take more than the default

class Slow(logging.FileHandler):
    def emit(self, record):
        time.sleep(0.001)
        super().emit(record)

def set_up(path, cls=logging.FileHandler):
    handler = cls(path)
    handler.setFormatter(logging.Formatter("%(process)d %(message)s"))
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.DEBUG)
    return logflume.setup_logging_queue(exit_timeout=PATIENCE)
"""


@pytest.fixture
def run(lf: ModuleType, tmp_path: Path) -> Callable[..., tuple[int, list[tuple[str, ...]], str]]:
    """run(program) runs a program, and returns its exit code, the lines of the log as (pid, message), and stderr.

    `first` is run before logflume is imported.
    """

    def run(program: str, timeout: float = 120, first: str = "") -> tuple[int, list[tuple[str, ...]], str]:
        script, log = tmp_path / "program.py", tmp_path / "log"
        script.write_text(PROGRAM.format(first=textwrap.dedent(first), path=str(log)) + textwrap.dedent(program))
        done = run_python(str(script), timeout=timeout)
        lines = log.read_text().splitlines() if log.exists() else []
        return done.returncode, [tuple(line.split(" ", 1)) for line in lines], done.stderr

    return run


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int | None], None]]:
    """Makes this process's writes fail where a file would grow beyond a size, as on a full disk. Linux only."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (before[0] if size is None else size, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
