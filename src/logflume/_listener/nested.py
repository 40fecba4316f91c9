"""Nested records: what a handler logs while it handles a record."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from .._delivery.caught import intercept_errors
from .._delivery.deliver import Progress
from .accounting import Accounts
from .errors import ErrorReports

# How many records that cannot be handled at once may come from one batch.
MOST_DEFERRED = 1000
NESTED = "nested too deep"  # why the others are dropped


class NestedRecords:
    """Handles what the handlers of `listener` log; `progress` tells what is at work meanwhile."""

    def __init__(self, listener: Any, accounts: Accounts, errors: ErrorReports, progress: Progress) -> None:
        self.listener = listener
        self.accounts = accounts
        self.errors = errors
        self.progress = progress
        self.came = False  # whether there were some
        self.deferred: deque[tuple[logging.LogRecord, tuple[logging.Handler, ...] | None]] = deque()

    def handle(self, record: logging.LogRecord, handlers: tuple[logging.Handler, ...] | None) -> None:
        """Handle a record that a handler logs on this thread, inside the log call, as without a queue.

        `handlers` is None for all. What they raise is raised. From now on each record reaches all handlers before the
        next one does, so that the new record comes between the same two for all of them. A record that is logged while
        a text is composed, by a destructor say, waits for the end of the batch.
        """
        progress = self.progress
        if progress.composing:
            self._defer(record, handlers)
            return
        if progress.formatted is not None:
            progress.formatted.write()
        self.came = True
        self._handle_one(record, handlers)

    def handle_deferred(self) -> None:
        """Handle the records that waited for the end of the batch."""
        for _ in range(MOST_DEFERRED):
            if not self.deferred:
                return
            record, handlers = self.deferred.popleft()
            try:
                self._handle_one(record, handlers)
            except Exception:
                self.errors.report(record, None)

    def _handle_one(self, record: logging.LogRecord, handlers: tuple[logging.Handler, ...] | None) -> None:
        listener = self.listener
        outer = self.accounts.begin_nested()
        raised = True
        try:
            if handlers is None and listener.handles_itself:
                listener.handle(record)
            else:
                for handler in listener.handlers if handlers is None else handlers:
                    if not listener.respect_handler_level or record.levelno >= handler.level:
                        self.accounts.of(handler).records += 1
                        intercept_errors(handler)
                        handler.handle(record)
            raised = False
        finally:
            self.accounts.end_nested(outer, raised)

    def _defer(self, record: logging.LogRecord, handlers: tuple[logging.Handler, ...] | None) -> None:
        if len(self.deferred) < MOST_DEFERRED:
            self.deferred.append((record, handlers))
            return
        self.accounts.drops.count(NESTED, record.levelno, announced=False)
        try:
            raise RecursionError(
                f"more than {MOST_DEFERRED} records were logged while one batch was formatted; dropped the rest"
            )
        except RecursionError:
            self.errors.report(record, None)
