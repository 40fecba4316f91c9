"""SIGTERM: a process that would just end by it delivers what is queued first.

Not a child by fork or of multiprocessing: SIGTERM ends these as a matter of course, and a parent that waits for that
must not wait for a handler. A signal handler in Python can run late: a thread that is about to wait in C runs it
afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import weakref

from .process import is_multiprocessing_child, living

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

__all__ = ["deliver_at_sigterm", "leave_sigterm_alone"]

_users: weakref.WeakSet[Any] = weakref.WeakSet()


def deliver_at_sigterm(listener: Any) -> None:
    """Handle SIGTERM as long as `listener` wants it, if this thread may and the process would just end by it."""
    if not is_multiprocessing_child():
        _users.add(listener)
        _change(signal.SIG_DFL, _deliver_and_end)


def leave_sigterm_alone(listener: Any) -> None:
    """Undo deliver_at_sigterm(listener); the last listener takes the signal handler away."""
    _users.discard(listener)
    if not _users:
        _change(_deliver_and_end, signal.SIG_DFL)


def _change(before: Any, after: Any) -> None:
    """Set the handler to `after` if it is `before`, and if this thread and interpreter may."""
    if signal.getsignal(signal.SIGTERM) is before:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGTERM, after)


def _reset_in_child() -> None:
    _users.clear()
    _change(_deliver_and_end, signal.SIG_DFL)


def _deliver_and_end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # so that another one ends the process at once
    for listener in living():
        try:
            listener.flush(listener.exit_timeout)
        except Exception as error:  # from its queue: the others have their records still to deliver
            listener.report_error(None, None, error)
    signal.raise_signal(number)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
