"""Gives records to a handler."""

from __future__ import annotations

import logging
from collections.abc import Callable


def deliver_batch(
    handler: logging.Handler,
    records: list[logging.LogRecord],
    report: Callable[[logging.LogRecord, logging.Handler], None],
) -> None:
    """Let `handler` handle each record; an exception that escapes from it goes to `report`."""
    for record in records:
        try:
            handler.handle(record)
        except Exception:
            report(record, handler)
