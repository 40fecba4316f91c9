"""What every test gets: a clean slate of logging, and a check that no thread outlives it."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import hypothesis
import pytest

import cores
import logflume

# The random tests try the same examples each time, so that a red run is the change's own; `make fuzz` tries others.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("fuzz", derandomize=False)
hypothesis.settings.load_profile("same")

PATIENCE = 5.0  # seconds that a stopped thread may take to be gone


def switched_on(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def pytest_report_header() -> str:
    return f"logflume {logflume.__version__}: {logflume.IMPLEMENTATION}, from {os.path.dirname(logflume.__file__)}"


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


FIRST = (
    "test_lazy_records.py",
    "test_accelerated_calls.py",
    "test_accelerated_after_changes.py",
    "test_delivery_random_turns.py",
    "test_delivery_random_batches.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests first that look for lean records.

    From 3.13 on a class gets a thousand version tags and no more, each accelerate_loggers() and restore_loggers()
    takes one of logging.Logger's, and on free-threaded builds every call goes the standard way without one.
    """
    items.sort(key=lambda item: item.path.name not in FIRST)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
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
def file_size_limit() -> Iterator[Callable[[int | None], None]]:
    """Makes this process's writes fail where a file would grow beyond a size, as on a full disk. Linux only."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield lambda size: resource.setrlimit(
            resource.RLIMIT_FSIZE, (before[0] if size is None else size, before[1])
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
