"""The life of the process: what its listeners do at exit and in a fork.

A listener tells of itself by `add_listener()`. What is asked of it: is_running, delivering_thread, stats(), flush(),
stop(), exit_timeout, report_error() and leave_alone() at exit; deliver_before_fork(), hold_for_fork() and
reset_in_child() in a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from threading import get_ident
from typing import Any

from .._shared.fork import call_in_unknown_child, is_multiprocessing_child, note_child, settle
from .handler_locks import free_stream, give_lock_back, handlers_at_work
from .hard_exits import expect_hard_exits
from .signal_mask import restore_mask_in_child
from .sigterm import put_off_sigterm, set_delivery

# How long a fork waits for the listeners to come to the end of a batch (seconds).
FORK_PATIENCE = 1.0

_listeners: dict[int, weakref.ref[Any]] = {}
_exit_began: float | None = None  # time.monotonic()
_delivers_now = False  # a thread is in _deliver_now()
_exit_finalizer: Any = None
_callbacks = -1  # that atexit knew when ours was the youngest
_ours_at_threads_end: Any = None  # in the list of threading
_waited: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()  # seconds of its exit_timeout, used up
_told: weakref.WeakSet[Any] = weakref.WeakSet()  # those of which it was said that records are left
_held_for_fork: dict[int, list[Any]] = {}  # by the thread that forks


def add_listener(listener: Any) -> None:
    """Have `listener` delivered at exit and held in a fork, as long as it lives."""
    # It registers functions for exit and fork, which have to be there before ours. Not later, in the thread that starts
    # the listener's: another thread may fork meanwhile, and would call half of them.
    import concurrent.futures.thread  # noqa: F401

    key = id(listener)
    _listeners[key] = weakref.ref(listener, lambda _: _listeners.pop(key, None))


def living() -> list[Any]:
    """Return the listeners of this process."""
    return [listener for ref in list(_listeners.values()) if (listener := ref()) is not None]


def exit_has_come() -> bool:
    """Return whether the interpreter exits: no listener may start a thread any more."""
    return _exit_began is not None


def threads_run() -> bool:
    """Return whether a thread may be started now, and runs beside the one that logs.

    Without --enable-threads uWSGI keeps the GIL while it waits. Its master forks in C while a thread may have the GIL,
    which no thread gives back then in the child: so there is no thread before the fork.
    """
    uwsgi = sys.modules.get("uwsgi")
    options = getattr(uwsgi, "opt", None)
    if uwsgi is None or not isinstance(options, dict):
        return True
    if not any(name in options or name.encode() in options for name in ("enable-threads", "threads")):
        return False
    return any(getattr(uwsgi, name, int)() for name in ("worker_id", "mule_id"))


def expect_exit(listener: Any) -> None:
    """Have what is queued delivered at exit, before the end of whatever was made before this call.

    `listener` is about to start its thread: it has the whole of its exit_timeout before it.

    An interpreter that exits runs the functions that threading knows, joins the threads, and runs the functions that
    atexit knows, the youngest first each time. concurrent.futures ends its threads by one of the first kind; a handler
    may end its transport by one of either kind.
    """
    global _callbacks, _ours_at_threads_end
    _waited.pop(listener, None)
    _told.discard(listener)
    expect_hard_exits(_deliver_now)
    if is_multiprocessing_child():  # which runs no atexit functions
        _register_finalizer()
    # Whatever was registered since has to come after ours. Registering for nothing would take memory each time.
    callbacks = getattr(atexit, "_ncallbacks", lambda: -1)()
    if callbacks != _callbacks:
        atexit.unregister(_deliver_at_exit)
        atexit.register(_deliver_at_exit)
        _callbacks = getattr(atexit, "_ncallbacks", lambda: 0)()
    register = getattr(threading, "_register_atexit", None)
    known: list[Any] = getattr(threading, "_threading_atexits", [])
    if register is not None and not (known and known[-1] is _ours_at_threads_end):
        # It wraps the function: what it appends is how ours is known.
        known[:] = [call for call in known if call is not _ours_at_threads_end]
        with contextlib.suppress(RuntimeError):  # they run already
            register(_deliver_before_threads_end)
            _ours_at_threads_end = known[-1] if known else None


def _register_finalizer() -> None:
    global _exit_finalizer
    util = sys.modules["multiprocessing.util"]
    if _exit_finalizer is None or not _exit_finalizer.still_active():
        _exit_finalizer = util.Finalize(None, _deliver_at_exit, exitpriority=-100)


def _deliver_now() -> None:
    """Deliver what is queued, as the process ends without exit functions; at once while a first call waits for that."""
    global _delivers_now
    settle()
    if _delivers_now:
        return
    _delivers_now = True
    try:
        with put_off_sigterm():
            for listener in _flush_all(_exit_began or time.monotonic()):
                _tell(listener, listener.stats().pending, "at exit")
    finally:
        _delivers_now = False


def _deliver_before_threads_end() -> None:
    """Deliver what is queued; threads that are not daemons may go on for long, and keep their listeners."""
    current = threading.current_thread()
    if any(not thread.daemon and thread is not current for thread in threading.enumerate()):
        with put_off_sigterm():
            _flush_all(time.monotonic())
    else:
        _deliver_at_exit()


def _deliver_at_exit() -> None:
    """Stop all listeners; runs before logging.shutdown() closes the handlers, being registered after it.

    Runs twice, if no thread was left the first time.
    """
    global _exit_began
    _exit_began = began = time.monotonic()
    with put_off_sigterm():
        for listener in living():
            with _reporting(listener):
                left = _stop(listener, began)
                if left:
                    _tell(listener, left, "at exit")
                    with contextlib.suppress(Exception):
                        _keep_from_shutdown(listener.leave_alone())


@contextlib.contextmanager
def _reporting(listener: Any) -> Iterator[None]:
    """Report an error, which is from the listener's queue: the others have their records still to deliver."""
    try:
        yield
    except Exception:
        listener.report_error(None, None)


def stop_in_time(listener: Any) -> None:
    """Stop `listener` at the end of a block, within its exit_timeout; tell if records are left."""
    left = _stop(listener, time.monotonic())
    if left and listener.is_running:  # else the calls that enqueue them now handle them
        _tell(listener, left, "at the end of a with block")


# The listeners deliver at the same time: the exit_timeout of each begins with the first wait, `began`
# (time.monotonic()), and what one wait used up is missing in the next.


def _flush_all(began: float) -> list[Any]:
    """Flush all listeners that are at work; return those that did not get to the end in time."""
    late = []
    for listener in living():
        if listener.delivering_thread == get_ident():
            continue  # one of its handlers ends the process, and cannot wait for itself
        if not listener.is_running and not listener.stats().pending:
            continue  # pending records may wait for a thread that has yet to begin
        with _reporting(listener):
            if not listener.flush(_time_left(listener, began)):
                late.append(listener)
        _note_waited(listener, began)
    return late


def _stop(listener: Any, began: float) -> int:
    """Stop `listener` in time, and return how many records are left."""
    left: int = listener.stop(_time_left(listener, began))
    if left:
        _note_waited(listener, began)
    return left


def _time_left(listener: Any, began: float) -> float:
    limit: float = listener.exit_timeout
    return max(0.0, limit - _waited.get(listener, 0.0) - (time.monotonic() - began))


def _note_waited(listener: Any, began: float) -> None:
    _waited[listener] = _waited.get(listener, 0.0) + time.monotonic() - began


def _tell(listener: Any, left: int, when: str) -> None:
    if sys.stderr is not None and listener not in _told:
        _told.add(listener)
        waited = _waited.get(listener, 0.0)
        # It may be closed, or a signal handler may have come in the middle of a write.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            sys.stderr.write(f"logflume: {left} records were not delivered within {waited:.1f} s {when}\n")


def _keep_from_shutdown(handlers: Iterable[logging.Handler]) -> None:
    """Keep logging.shutdown() from `handlers`: it would wait for their locks."""
    references = logging._handlerList  # type: ignore[attr-defined]
    references[:] = [ref for ref in references if not any(ref() is handler for handler in handlers)]


def _before_fork() -> None:
    """Deliver what is queued, as the parent may leave by os._exit(), and keep the listeners between two batches.

    So no handler is copied with a half-written one.
    """
    deadline = time.monotonic() + FORK_PATIENCE
    listeners = living()
    for listener in listeners:
        with _reporting(listener):
            listener.deliver_before_fork(max(0.0, deadline - time.monotonic()))
    holds = _held_for_fork[get_ident()] = []
    for listener in listeners:
        holds.append(listener.hold_for_fork(max(0.0, deadline - time.monotonic())))


def _after_fork_in_parent() -> None:
    for hold in _held_for_fork.pop(get_ident(), ()):
        if hold is not None:
            hold.give_back()


def _after_fork_in_child() -> None:
    global _exit_began, _delivers_now
    _exit_began = None
    _delivers_now = False
    note_child()
    restore_mask_in_child()
    _waited.clear()
    _told.clear()
    for listener in living():
        listener.reset_in_child()
    _held_for_fork.clear()


def _after_unknown_fork() -> None:
    """Do so in a child of a fork in C, and what logging does for the handlers, whose locks may be held for ever."""
    for listener in living():
        for handler in handlers_at_work(listener.handlers):
            give_lock_back(handler)
            free_stream(handler)
    _after_fork_in_child()


set_delivery(_deliver_now)
call_in_unknown_child(_after_unknown_fork)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
