"""What a listener does with an exception: calls on_error, or prints it as handlers do, a limited number of times."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from threading import get_ident
from typing import Any

from .._delivery.caught import handle_error_of_class, handle_error_of_instance
from .accounting import Accounts

OnError = Callable[[logging.LogRecord | None, logging.Handler | None, BaseException], object]

# Errors printed in full in each period of so many seconds.
REPORTS = 10
REPORT_PERIOD = 10.0

HINT = """\
Unable to print the message and arguments - possible formatting error.
Use the traceback above to help find the error.
"""


class ErrorReports:
    """Reports the exceptions of the handlers and the queue of `listener`, to its on_error if it has one.

    They are counted in `accounts`. `must_survive()` tells whether the calling thread is the listener's own, which
    nothing may end.
    """

    def __init__(self, listener: Any, accounts: Accounts, must_survive: Callable[[], bool]) -> None:
        self.listener = listener
        self.accounts = accounts
        self._must_survive = must_survive
        self._left = REPORTS
        self._unreported = 0
        self._period_end = 0.0
        self._telling: set[int] = set()  # threads that call on_error

    def report(self, record: logging.LogRecord | None, handler: logging.Handler | None) -> None:
        """Report the exception that is being handled: `handler` raised it for `record`.

        Never raises an Exception. Another one (KeyboardInterrupt) that comes while it reports is raised, but not in
        the listener's own thread.
        """
        own = None
        if handler is not None and record is not None:  # an overridden handleError() counts on a record
            own = handle_error_of_instance(handler) or handle_error_of_class(handler)
        self._report(record, handler, own)

    def report_caught(self, record: logging.LogRecord, handler: logging.Handler) -> None:
        """Report the error that is being handled, and that `handler` caught: it is for its handleError().

        An overridden one is called each time; on_error hears, too, of what the method of a class was called for.
        """
        own = handle_error_of_instance(handler)
        overridden = own or handle_error_of_class(handler)
        if overridden is not None:
            overridden(record)  # what it raises escapes from the handler
            if own is not None or self.listener.on_error is None:
                self.accounts.count_error(record, handler)
                return
        self._report(record, handler, None)

    def _report(
        self,
        record: logging.LogRecord | None,
        handler: logging.Handler | None,
        own: Callable[[logging.LogRecord], object] | None,
    ) -> None:
        self.accounts.count_error(record, handler)
        error = sys.exc_info()[1]
        assert error is not None
        thread = get_ident()
        try:
            # What on_error logs may fail for the same reason: that is printed.
            if self.listener.on_error is None or thread in self._telling:
                self._print(record, own)
                return
            self._telling.add(thread)
            try:
                self.listener.on_error(record, handler, error)
            except Exception:
                self._print(record, own)  # both: `error` is the context of this one
            finally:
                self._telling.discard(thread)
        except Exception:
            pass  # there is no other place to report to
        except BaseException:
            if not self._must_survive():
                raise

    def _print(self, record: logging.LogRecord | None, own: Callable[[logging.LogRecord], object] | None) -> None:
        """Print the exception that is being handled, at most REPORTS times in a REPORT_PERIOD."""
        now = time.monotonic()
        if now >= self._period_end:
            self.tell_rest()
            self._period_end = now + REPORT_PERIOD
            self._left = REPORTS
        if self._left <= 0:
            self._unreported += 1
            return
        self._left -= 1
        if own is not None and record is not None:
            own(record)
        elif logging.raiseExceptions and sys.stderr:
            sys.stderr.write(_text_of(record))

    # The number of those that were not reported.

    def seconds_to_tell(self) -> float | None:
        """Return in how many seconds tell_rest() has something to tell; None if nothing was left out."""
        return max(0.0, self._period_end - time.monotonic()) if self._unreported else None

    def tell_rest(self, early: bool = False) -> None:
        """Print how many errors were not reported, if their period is over, or `early`."""
        count = self._unreported
        if count == 0 or (not early and time.monotonic() < self._period_end):
            return
        self._unreported = 0
        try:
            if logging.raiseExceptions and sys.stderr:
                sys.stderr.write(f"logflume: {count} more errors in handlers were not reported\n")
        except Exception:
            pass  # as in report()

    def reset_in_child(self) -> None:
        """Forget, in a forked child, what the parent tells."""
        self._unreported = 0
        self._telling.clear()


def _text_of(record: logging.LogRecord | None) -> str:
    """Return the report of the exception that is being handled, without the frames of this package above it."""
    cls, error, frames = sys.exc_info()
    outer = frames
    while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frames = frames.tb_next
    text = ["--- Logging error ---\n", *traceback.format_exception(cls, error, frames or outer)]
    if record is not None:
        path = getattr(record, "pathname", None)
        if path:
            text.append(f"Logged at {path}:{record.lineno} in {record.funcName}\n")
        try:
            text.append(f"Message: {record.msg!r}\nArguments: {record.args}\n")
        except Exception:
            text.append(HINT)
    return "".join(text)


_PACKAGE = __name__.split(".", 1)[0] + "."
