"""What is to be known of the kinds of queues: who reads and pickles them, how they are shut down, and emptied."""

from __future__ import annotations

import logging.handlers
import queue as _queue
import sys
import threading
from typing import Any

_standard_dequeue = logging.handlers.QueueListener.dequeue
_PROCESSES = ("multiprocessing", "multiprocess", "billiard")  # packages of queues between processes
# What a queue.Queue raises after its shutdown().
SHUT_DOWN: tuple[type[Exception], ...] = ()
if sys.version_info >= (3, 13):
    SHUT_DOWN = (_queue.ShutDown,)


def has_own_dequeue(listener: Any) -> bool:
    """Return whether the class of `listener` takes records out of the queue in a way of its own."""
    return type(listener).dequeue is not _standard_dequeue


def leaves_process(queue: object) -> bool:
    """Return whether `queue` pickles the records, in a thread of its own, which prints what cannot be pickled."""
    return any(cls.__module__.split(".")[0] in _PROCESSES for cls in type(queue).__mro__)


def forget_queued(queue: Any) -> None:
    """Empty `queue`, which a fork has copied, and give back its locks, which threads that are gone may hold.

    Only the standard library's own kinds, and subclasses: any other may reach into the parent.
    """
    if isinstance(queue, _queue.Queue):
        _begin_anew(queue)
    elif isinstance(queue, _queue.SimpleQueue):
        if hasattr(queue, "_queue"):  # PyPy's, in Python
            queue.__init__()  # type: ignore[misc]
            return
        # After a fork in C a thread that is gone still waits there, from 3.13 on, and gets what is put next.
        queue.put(None)
        get = queue.get_nowait
        try:
            for _ in range(queue.qsize()):  # not what is put meanwhile, by a destructor that logs
                get()
        except _queue.Empty:
            pass


def _begin_anew(queue: Any) -> None:
    """Do what Queue.__init__() does; that of a subclass may take anything."""
    queue.mutex = threading.Lock()
    queue.not_empty = threading.Condition(queue.mutex)
    queue.not_full = threading.Condition(queue.mutex)
    queue.all_tasks_done = threading.Condition(queue.mutex)
    queue.unfinished_tasks = 0
    queue._init(queue.maxsize)  # last: the end of what is queued may log
