"""Signals stay with the program's own threads.

The kernel gives a signal to any thread that does not block it. If a program blocks one in its threads, to take it with
signal.sigwait(), then a listener's thread must not get it: the default action may be to end the process.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
from threading import get_ident
from types import BuiltinFunctionType
from typing import Any

# What the code that a thread runs brings on itself: faulthandler has to see it.
_OWN_FAULTS = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS")

_before: dict[int, Any] = {}  # by thread


def block_signals() -> None:
    """Block all signals in the calling thread; not in a greenlet that gevent or eventlet made of it."""
    if not hasattr(signal, "pthread_sigmask") or not isinstance(_thread.start_new_thread, BuiltinFunctionType):
        return
    faults = {getattr(signal, name, None) for name in _OWN_FAULTS}
    with contextlib.suppress(OSError, ValueError):
        _before[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - faults)


def forget_mask() -> None:
    """Note that the calling thread ends."""
    _before.pop(get_ident(), None)


def restore_mask_in_child() -> None:
    """Undo block_signals() in a child that a handler forked on the listener's thread."""
    mask = _before.get(get_ident())
    _before.clear()
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
