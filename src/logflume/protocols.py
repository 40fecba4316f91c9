"""BatchHandler: what type checkers know of a handler with a handle_batch()."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ["BatchHandler"]


class BatchHandler(Protocol):
    """A handler that takes many records at once, if it is behind a logflume.QueueListener."""

    def handle_batch(self, records: list[logging.LogRecord]) -> object:
        """Handle records that passed the handler's filters, oldest first; called with the handler's lock held.

        What it raises is reported for each of them.
        """
