"""Pure twin of the compiled batch module: the state that a log call looks at, and the way out of the queue."""

from __future__ import annotations

import logging
import queue as _queue
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any

from .._shared.contexts import Contexts, take_context
from .._shared.queues import has_own_dequeue
from .._shared.state import IDLE, FlushRequest
from .record import CapturedRecord


class ListenerCore:
    """State shared by a listener and the handlers that feed it.

    state: where the listener is in its life, a number of _shared/state.py
    delivering_thread: identity of the thread that runs the handlers, or 0
    flush_at: the level, as a number, from which on a record is handled at once
    flush_wanted: whether the handlers are to be flushed, for a record of that level
    qsize: the queue's own qsize, if a log call has to ask how long it is, or None
    crowded_at: how long the queue may be then
    calls_to_brake: how many more records may be enqueued before a call looks how long the queue is
    """

    state: int = IDLE
    delivering_thread: int = 0
    flush_at: int = 0
    flush_wanted: bool = False
    calls_to_brake: int = 0
    qsize: Callable[[], int] | None = None
    crowded_at: int = 0
    queue: Any
    standard_handling: tuple[object, object]

    def delivers_here(self) -> bool:
        """Return whether the calling thread is the one that runs the handlers."""
        return self.delivering_thread == get_ident()

    @property
    def is_polled(self) -> bool:
        """Whether what is queued comes out of the queue in take(), and nowhere else."""
        return type(self.queue) is _queue.SimpleQueue and not has_own_dequeue(self)

    @property
    def handles_itself(self) -> bool:
        """Whether a subclass, or a patched instance, has a handle() or prepare() of its own to call for each record."""
        cls: Any = type(self)
        own = vars(self)
        return (cls.handle, cls.prepare) != self.standard_handling or "handle" in own or "prepare" in own

    def is_crowded(self) -> bool:
        """Whether put_crowded() has to put the next record: the queue is bounded, and has little room or none."""
        return self.qsize is not None and self.qsize() >= self.crowded_at


class Batch:
    """What was taken from the queue: some records for the same handlers, or something else, alone.

    `targets` tells whose handlers are meant, None means the listener's; `request` is None but for a flush. No
    records and no request is the sentinel. `count` is how many items of the queue these were, and `created`
    when the first record was made, or 0.0. `contexts` has the contextvars that came with records, by their id().
    """

    __slots__ = ("contexts", "count", "created", "records", "request", "targets")

    def __init__(self, item: Any) -> None:
        self.targets: object = None
        self.request = None
        self.contexts: Contexts | None = None
        self.records: list[logging.LogRecord] = []
        self.count = 1
        self.created = 0.0
        if type(item) is FlushRequest:
            self.request = item
        elif item is not None:
            if type(item) is tuple:
                self.targets = item[0]
            self._append(item)
            try:
                created = self.records[0].created
            except Exception:  # the record would be lost
                return
            if type(created) is float:
                self.created = created

    def add(self, item: Any) -> bool:
        """Take `item` in, if it is a record for the same handlers."""
        if not self.records or item is None or type(item) is FlushRequest:
            return False
        if (item[0] if type(item) is tuple else None) is not self.targets:
            return False
        self._append(item)
        self.count += 1
        return True

    def _append(self, item: Any) -> None:
        """Append a record, with the contextvars that came beside it or are kept for it."""
        record, context = item, None
        if type(item) is tuple:
            record = item[1]
            if len(item) == 3:
                context = item[2]
        else:
            context = take_context(item)
        if context is not None:
            if self.contexts is None:
                self.contexts = {}
            made = record.record if type(record) is CapturedRecord else record
            self.contexts[id(made)] = made, context
        self.records.append(record)


def _overtake(taken: deque[Batch], item: Any) -> bool:
    """Put `item` into a batch for the same handlers, if those after it in `taken` are for others; tell if it is."""
    if type(item) is not tuple or item[0] is None:
        return False
    for batch in reversed(taken):
        if batch.add(item):
            return True
        if batch.targets is None or not item[0].is_apart_from(batch.targets):
            return False
    return False


def take(queue: Any, limit: int, taken: deque[Batch], overtakes: bool = False) -> int:
    """Move up to `limit` items that are in `queue` now to `taken`, in batches, oldest first, without waiting.

    `overtakes` tells that copies of a record for some handlers need not wait for those for others. Returns how many
    items these were.
    """
    batch = None
    get = queue.get_nowait
    for count in range(limit):
        try:
            item = get()
        except _queue.Empty:
            return count
        try:
            if (batch is None or not batch.add(item)) and not (overtakes and _overtake(taken, item)):
                batch = Batch(item)
                taken.append(batch)
        except (MemoryError, RecursionError):  # better late than lost
            queue.put_nowait(item)
            raise
        except BaseException:  # of a signal handler, in a thread that takes one item
            if batch is None:  # else it may have come after append()
                taken.append(Batch(item))
            raise
    return limit
