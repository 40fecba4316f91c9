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
from logflume._py import deliver

DELIVERIES = [pytest.param(deliver.deliver_batch, id="pure")]
deliver_compiled: Any = None
if "compiled" in cores.available():
    from logflume._c.backend import deliver as compiled

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


def unexpected(record: logging.LogRecord, handler: logging.Handler) -> None:
    raise AssertionError(f"{handler} raised for {record}") from sys.exc_info()[1]


class Counting(logging.Formatter):
    """A formatter of a class of its own, to which it matters how often it is called."""

    calls = 0

    def format(self, record: logging.LogRecord) -> str:
        self.calls += 1
        return f"{self.calls} {super().format(record)}"
