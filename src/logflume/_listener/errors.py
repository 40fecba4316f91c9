"""What a listener does with an exception: calls on_error, or prints it as handlers do, a limited number of times."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    OnError = Callable[[logging.LogRecord | None, logging.Handler | None, BaseException], object]

__all__ = ["ErrorReports"]

# Errors printed in full in each period of so many seconds.
REPORTS = 10
REPORT_PERIOD = 10.0


class ErrorReports:
    """Reports the exceptions of one listener's handlers and queue, and counts them.

    `on_error` is called as on_error(record, handler, exception), or is None. `must_survive()` tells whether the calling
    thread is the listener's own, which nothing may end.
    """

    def __init__(self, on_error: OnError | None, must_survive: Callable[[], bool]) -> None:
        self.on_error = on_error
        self.count = 0
        self.count_error: Callable[[logging.LogRecord | None, logging.Handler | None], object] | None = None
        self._must_survive = must_survive
        self._left = REPORTS
        self._unreported = 0
        self._period_end = 0.0

    def report(
        self, record: logging.LogRecord | None, handler: logging.Handler | None, error: BaseException
    ) -> None:
        """Report `error`, which is being handled: `handler` raised it for `record`.

        Never raises an Exception. Another one (KeyboardInterrupt) that comes while it reports is raised, but not in
        the listener's own thread.
        """
        self.count += 1
        if self.count_error is not None:
            self.count_error(record, handler)
        try:
            if self.on_error is None:
                self._print(record, handler)
                return
            try:
                self.on_error(record, handler, error)
            except Exception:
                self._print(record, handler)  # both: `error` is the context of this one
        except Exception:
            pass  # there is no other place to report to
        except BaseException:
            if not self._must_survive():
                raise

    def _print(self, record: logging.LogRecord | None, handler: logging.Handler | None) -> None:
        """Print the exception that is being handled, at most REPORTS times in a REPORT_PERIOD."""
        now = time.monotonic()
        if now >= self._period_end:
            self._period_end = now + REPORT_PERIOD
            self._left = REPORTS
            if self._unreported and logging.raiseExceptions and sys.stderr is not None:
                sys.stderr.write(f"logflume: {self._unreported} more errors in handlers were not reported\n")
            self._unreported = 0
        if self._left <= 0:
            self._unreported += 1
            return
        self._left -= 1
        if handler is not None and record is not None:
            handler.handleError(record)
        else:  # an overridden handleError() counts on a record
            logging.Handler.handleError(_any_handler, record)  # type: ignore[arg-type]


_any_handler = object.__new__(
    logging.NullHandler
)  # handleError() reads nothing of it; not made, not closed at exit
