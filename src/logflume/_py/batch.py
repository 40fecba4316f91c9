"""Pure twin of the compiled listener room: the state a log call looks at, and the way out of the queue."""

from __future__ import annotations

import queue as _queue
import time

from .._listener.state import IDLE, FlushRequest
from .._shared.contexts import take_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections import deque
    from typing import Any

    from .._shared.contexts import Contexts


class ListenerCore:
    """State shared by a listener and the handlers that feed it."""

    state: int = IDLE
    delivering_thread: int = 0
    flush_level: int = 0
    # What was done so far, and how long it took (seconds): see ListenerStats.
    _handled: int
    _delay: float
    _longest_delay: float

    def _count(self, run: Batch) -> None:
        """Count the records of `run`, which were handled, and how late that was."""
        self._handled += run.count
        if run.created:
            self._delay = time.time() - run.created
            self._longest_delay = max(self._longest_delay, self._delay)


class Batch:
    """What was taken from the queue: some records for the same handlers, or something else, alone.

    `route` tells whose handlers are meant, None means the listener's; `request` is None but for a flush. No
    records and no request is the sentinel. `count` is how many items of the queue these were, and `created`
    when the first record was made, or 0.0. `contexts` has the contextvars that came with records, by their id().
    """

    __slots__ = ("contexts", "count", "created", "records", "request", "route")

    def __init__(self, item: Any) -> None:
        self.route = None
        self.request = None
        self.contexts: Contexts | None = None
        self.records: list[logging.LogRecord] = []
        self.count = 1
        self.created = 0.0
        if type(item) is FlushRequest:
            self.request = item
        elif type(item) is tuple:
            self.route = item[0]
            self.records.append(item[1])
        elif item is not None:
            self.records.append(item)
        if self.records:
            self._note_context(item, self.records[0])
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
        record = item
        if type(item) is tuple:
            if item[0] is not self.route:
                return False
            record = item[1]
        elif self.route is not None:
            return False
        self._note_context(item, record)
        self.records.append(record)
        self.count += 1
        return True

    def _note_context(self, item: Any, record: logging.LogRecord) -> None:
        """Note what came beside `record`."""
        if type(item) is not tuple:
            context = take_context(item)
        elif len(item) == 3:
            context = item[2]
        else:
            return
        if context is not None:
            if self.contexts is None:
                self.contexts = {}
            self.contexts[id(record)] = record, context


def take(queue: Any, limit: int, taken: deque[Batch]) -> None:
    """Move up to `limit` items that are in `queue` now to `taken`, in runs, oldest first, without waiting."""
    run = None
    get = queue.get_nowait
    for _ in range(limit):
        try:
            item = get()
        except _queue.Empty:
            return
        try:
            if run is None or not run.add(item):
                run = Batch(item)
                taken.append(run)
        except BaseException:  # there is no memory: better late than lost
            queue.put_nowait(item)
            raise
