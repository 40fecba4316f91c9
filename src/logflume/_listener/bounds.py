"""The options that bound a queue, checked: how long it may become, and what happens then."""

from __future__ import annotations

import logging
import queue as _queue
from typing import Literal, get_args

from . import settings

OverflowPolicy = Literal["block", "drop_newest", "drop_oldest", "direct"]


class Bounds:
    """What QueueListener takes as `capacity`, `overflow`, `block_timeout`, `keep_level` and `warn_at`.

    A TypeError or ValueError names the option and what it takes.
    """

    def __init__(
        self,
        capacity: int | None = None,
        overflow: str = "drop_newest",
        block_timeout: float = 1.0,
        keep_level: int | str = logging.ERROR,
        warn_at: int | None = 1_000_000,
    ) -> None:
        self.capacity = settings.records(capacity, "capacity")
        self.overflow = settings.choice(overflow, "overflow", get_args(OverflowPolicy))
        self.block_timeout = settings.seconds(block_timeout, "block_timeout")
        self.keep_level = settings.level(keep_level, "keep_level")
        self.warn_at = settings.records(warn_at, "warn_at")

    def limit(self, queue: object) -> int | None:
        """Return how many records `queue` may hold; None if it is unbounded, or a bound of its own is not known.

        ValueError if the capacity cannot be kept with such a queue.
        """
        if self.capacity is not None and not isinstance(queue, (_queue.SimpleQueue, _queue.Queue)):
            raise ValueError(
                f"capacity needs a queue.SimpleQueue or a queue.Queue, not {type(queue).__name__!r}; "
                "make that queue with a size of its own"
            )
        own = queue.maxsize if isinstance(queue, _queue.Queue) else 0
        limits = [limit for limit in (self.capacity, own) if limit is not None and limit > 0]
        return min(limits, default=None)
