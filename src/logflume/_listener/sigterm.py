"""SIGTERM: where nobody handles it, what is queued is delivered before it ends the process.

Not in children by fork, nor in multiprocessing's: these are ended by SIGTERM as a matter of course, and who waits for
that must not wait for a handler. One in Python can come late: a thread that is about to wait in C sees it afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import weakref

from ..listener import QueueListener, _is_multiprocessing_child, _living

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

__all__ = ["deliver_at_sigterm", "leave_sigterm_alone"]

_users: weakref.WeakSet[QueueListener] = weakref.WeakSet()


def deliver_at_sigterm(user: QueueListener) -> None:
    """Handle SIGTERM for `user`, if this thread may and the process would just end by it."""
    if not _is_multiprocessing_child():
        _users.add(user)
        _change(signal.SIG_DFL, _deliver_and_end)


def leave_sigterm_alone(user: QueueListener) -> None:
    """Undo that, once it is called for the last user."""
    _users.discard(user)
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
    for listener in _living():
        try:
            listener.flush(listener.exit_timeout)
        except Exception as error:  # from its queue: the others have their records still to deliver
            listener._report_error(None, None, error)
    signal.raise_signal(number)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
