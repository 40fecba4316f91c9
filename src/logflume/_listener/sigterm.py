"""SIGTERM: a process that would just end by it delivers what is queued first.

The handler stands where the default action stood when the listener came into use. So a server that handles SIGTERM
itself, and restores what it found, restores this one.

Not in a child of multiprocessing: Process.terminate() ends these as a matter of course. A signal handler in Python can
run late, as a thread that is about to wait in C runs it afterwards: a worker that waits for the lock that
Pool.terminate() holds would never end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import weakref

from .process import deliver_now, is_multiprocessing_child

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
    """Leave the signal to its default action until the child logs."""
    _users.clear()
    _change(_deliver_and_end, signal.SIG_DFL)


def _deliver_and_end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # so that another one ends the process at once
    deliver_now()
    signal.raise_signal(number)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
