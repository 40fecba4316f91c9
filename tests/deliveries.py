"""deliver_batch() of both cores, for the tests that call it directly, batch by batch, and what they deliver with it.

These are the only tests that look past the public names: what a batch does to the bytes of a file, and when it is
interrupted or its disk is full, depends on where it begins and ends, which a listener's thread does not let a test say.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import cores
import logflume
from helpers import Collect, drain, stopped_clock
from logflume._py import deliver
from logflume._shared.state import IDLE, RUNNING

DELIVERIES = [pytest.param(deliver.deliver_batch, id="pure")]
deliver_compiled: Any = None
if "compiled" in cores.available():
    from logflume._c import backend as compiled

    deliver_compiled = compiled.deliver_batch
    DELIVERIES.append(pytest.param(deliver_compiled, id="compiled"))


def one_at_a_time(
    handler: logging.Handler,
    records: Iterable[logging.LogRecord],
    report: Callable[[logging.LogRecord, logging.Handler], object],
) -> None:
    """What a batch has to come to: give each record to `handler`, and report what it raises."""
    for record in records:
        try:
            handler.handle(record)
        except Exception:
            report(record, handler)


def numbered_records(count: int, text: str = "record %d") -> list[logging.LogRecord]:
    return [logging.LogRecord("name", 20, "/x.py", i, text, (i,), None) for i in range(count)]


def numbered_lines(count: int) -> str:
    """What numbered_records(count) come to in a file."""
    return "".join(f"record {i}\n" for i in range(count))


def logged(
    calls: Iterable[tuple[logging.Logger, Callable[[], object]]], formatter: logging.Formatter | None
) -> tuple[list[logging.LogRecord], list[Any]]:
    """The records that a handler on the loggers gets of these log calls, and what goes through a queue instead."""
    standard: list[logging.LogRecord] = []
    collect = Collect(function=standard.append)
    collect.emit = standard.append  # type: ignore[method-assign]
    queue_handler = logflume.LocalQueueHandler()
    behind = logging.StreamHandler()
    behind.setFormatter(formatter)
    queue_handler.listener = logflume.QueueListener(queue_handler.queue, behind)
    queue_handler.listener.state = RUNNING  # so that it takes captured records; it has no thread
    with stopped_clock(lambda: 1_700_000_000.75):
        for logger, call in calls:
            logger.setLevel(1)
            logger.propagate = False
            for handler in (collect, queue_handler):
                logger.handlers = [handler]
                call()
    queue_handler.listener.state = IDLE
    captured = drain(queue_handler.queue)
    assert not any(isinstance(record, logging.LogRecord) for record in captured)
    return standard, captured


def unexpected(record: logging.LogRecord, handler: logging.Handler) -> None:
    raise AssertionError(f"{handler} raised for {record}") from sys.exc_info()[1]


class Counting(logging.Formatter):
    """A formatter of a class of its own, to which it matters how often it is called."""

    calls = 0

    def format(self, record: logging.LogRecord) -> str:
        self.calls += 1
        return f"{self.calls} {super().format(record)}"
