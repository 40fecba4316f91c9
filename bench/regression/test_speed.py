"""Benchmarks for comparing two versions of logflume, on both cores: `make regression`.

make regression ARGS=--benchmark-save=before
make regression ARGS=--benchmark-compare
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CALLS = 500
log = logging.getLogger("bench.regression")


def plain() -> None:
    for number in range(CALLS):
        log.info("order %d of %s", number, "x")


def with_extra() -> None:
    for number in range(CALLS):
        log.info("order %d of %s", number, "x", extra={"user": "abc"})


def with_list() -> None:
    for number in range(CALLS):
        log.info("order %d of %s", number, ["x"])


def disabled() -> None:
    for number in range(CALLS):
        log.debug("order %d of %s", number, "x")


def with_exception() -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        for number in range(CALLS):
            log.exception("order %d", number)


@pytest.fixture
def queue_handler(lf: ModuleType) -> logging.Handler:
    """A queue handler of the root logger, with nothing that reads its queue; the loggers are accelerated."""
    handler = lf.LocalQueueHandler()
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.INFO)
    lf.accelerate_loggers()
    return handler


@pytest.mark.parametrize("calls", [plain, with_extra, with_list, disabled, with_exception])
def test_500_calls(benchmark: BenchmarkFixture, queue_handler: logging.Handler, calls: Callable[[], None]) -> None:
    def empty_queue() -> None:
        while queue_handler.queue.qsize():  # type: ignore[attr-defined]
            queue_handler.queue.get()  # type: ignore[attr-defined]

    benchmark.pedantic(calls, setup=empty_queue, rounds=100, warmup_rounds=5)
    assert queue_handler.queue.qsize() == (0 if calls is disabled else CALLS)  # type: ignore[attr-defined]


def text(lf: ModuleType) -> logging.Formatter:
    return logging.Formatter(FORMAT)


def as_json(lf: ModuleType) -> logging.Formatter:
    return lf.JsonFormatter(FORMAT)  # type: ignore[no-any-return]


@pytest.mark.parametrize("formatter", [text, as_json])
@pytest.mark.parametrize("calls", [plain, with_exception])
def test_500_records_into_a_file(
    benchmark: BenchmarkFixture,
    lf: ModuleType,
    tmp_path: Path,
    calls: Callable[[], None],
    formatter: Callable[[ModuleType], logging.Formatter],
) -> None:
    file = logging.FileHandler(tmp_path / "log")
    file.setFormatter(formatter(lf))
    logging.root.handlers = [file]
    logging.root.setLevel(logging.INFO)
    with lf.setup_logging_queue(accelerate=True) as listener:

        def calls_and_flush() -> None:
            calls()
            listener.flush()

        benchmark.pedantic(calls_and_flush, rounds=30, warmup_rounds=2)
    file.close()
    messages = (tmp_path / "log").read_text().count("order ")
    assert messages == 32 * CALLS
