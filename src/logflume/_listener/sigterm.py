"""SIGTERM: a process that would just end by it delivers what is queued first.

The handler stands where the default action stood when the listener came into use. So a server that handles SIGTERM
itself, and restores what it found, restores this one.

Not in a child of multiprocessing: a signal handler in Python can run late, as a thread that is about to wait in C runs
it afterwards. Pool.terminate() and Process.terminate() leave a child with nothing that would end this wait.

While a thread waits for the delivery, in any process, SIGTERM is put off: supervisors send it more than once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from .._shared.fork import is_multiprocessing_child

_users: weakref.WeakSet[Any] = weakref.WeakSet()
_deliver: Callable[[], None]
_came = False  # while it was put off


def set_delivery(deliver: Callable[[], None]) -> None:
    """Have `deliver()` called at SIGTERM; it takes as long as the listeners may."""
    global _deliver
    _deliver = deliver


def deliver_at_sigterm(listener: Any) -> None:
    """Handle SIGTERM as long as `listener` wants it, if this thread may and the process would just end by it.

    Done once for each listener: what the program sets afterwards counts.
    """
    if listener in _users or is_multiprocessing_child():
        return
    if _change(signal.SIG_DFL, _deliver_and_end) or signal.getsignal(signal.SIGTERM) is _deliver_and_end:
        _users.add(listener)


def leave_sigterm_alone(listener: Any) -> None:
    """Undo deliver_at_sigterm(listener); the last listener takes the signal handler away."""
    _users.discard(listener)
    if not _users:
        _change(_deliver_and_end, signal.SIG_DFL)


@contextlib.contextmanager
def put_off_sigterm() -> Iterator[None]:
    """Put off SIGTERM to the end of the block, if this thread may and the process would just end by it.

    The block waits for deliveries, which has a limit. hypercorn, for one, ends all its workers by SIGTERM when the
    first has come to its end.
    """
    global _came
    before = signal.getsignal(signal.SIGTERM)
    if before not in (signal.SIG_DFL, _deliver_and_end) or not _change(before, _note):
        yield
        return
    _came = False
    try:
        yield
    finally:
        _change(_note, before)
        if _came:
            signal.raise_signal(signal.SIGTERM)


def _note(number: int, frame: FrameType | None) -> None:
    global _came
    _came = True


def _change(before: Any, after: Any) -> bool:
    """Set the handler to `after` if it is `before`, and if this thread and interpreter may; return whether it was."""
    if signal.getsignal(signal.SIGTERM) is before:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGTERM, after)
            return True
    return False


def _reset_in_child() -> None:
    """Leave the signal to its default action until the child logs."""
    _users.clear()
    _change(_deliver_and_end, signal.SIG_DFL)
    _change(_note, signal.SIG_DFL)


def _deliver_and_end(number: int, frame: FrameType | None) -> None:
    try:
        _deliver()
    finally:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
