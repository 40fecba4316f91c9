"""Pure twin of the compiled listener room: the state a log call looks at, and the loops over records."""

from __future__ import annotations

import queue as _queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDLE = 0
RUNNING = 1
STOPPED = 2


class ListenerCore:
    """State shared by a listener and the handlers that feed it."""

    state: int = IDLE
    delivering_thread: int = 0


def take(queue: Any, limit: int) -> list[Any]:
    """Return up to `limit` items that are in `queue` now, oldest first, without waiting."""
    items: list[Any] = []
    get = queue.get_nowait
    append = items.append
    try:
        for _ in range(limit):
            append(get())
    except _queue.Empty:
        pass
    return items
