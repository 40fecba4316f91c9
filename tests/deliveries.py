"""Both cores' deliver_batch, for tests to be run with each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import pytest

import cores
from logflume._py import deliver

DELIVERIES = [pytest.param(deliver.deliver_batch, id="pure")]
if "compiled" in cores.available():
    from logflume._c.backend import deliver as compiled

    DELIVERIES.append(pytest.param(compiled.deliver_batch, id="compiled"))


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
