"""The states of a listener, and the request that its flush() puts into the queue."""

from __future__ import annotations

import os
import weakref
from typing import Any

from .latch import Latch

# What a log call sees. RUNNING is the one that counts: only the worker of a run sets it, and takes it back before it
# leaves the queue to others. From any other state the call asks ensure_delivery(), which asks _listener/life.py.
IDLE = 0
RUNNING = 1
STOPPED = 2
STOPPING = 3  # running, and told to end

# A queue handler without a listener looks whether other code reads its queue after so many records.
MOST_UNREAD = 1000


class FlushRequest:
    """Goes through the queue behind the records that flush() waits for.

    `flushes` tells whether the handlers are to be flushed then. From a queue that pickles (multiprocessing's) the same
    object comes out again.
    """

    __slots__ = ("__weakref__", "_key", "done", "flushes")

    def __init__(self, key: bytes = b"", flushes: bool = True) -> None:
        self._key = key
        self.flushes = flushes
        self.done = Latch()

    def __reduce__(self) -> Any:
        self._key = self._key or os.urandom(16)
        _pickled[self._key] = self
        return _unpickle, (self._key,)


_pickled: weakref.WeakValueDictionary[bytes, FlushRequest] = weakref.WeakValueDictionary()


def _unpickle(key: bytes) -> FlushRequest:
    return _pickled.get(key) or FlushRequest(key)  # another process, or flush() waits no longer
