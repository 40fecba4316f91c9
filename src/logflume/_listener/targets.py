"""Which handlers a record is for, where the records of several loggers share a queue."""

from __future__ import annotations

import logging
from collections.abc import Iterable

__all__ = ["Targets"]


class Targets:
    """The handlers that were moved from one logger. It goes through the queue beside the logger's records.

    `handlers` are those that a record of this logger is given to now.
    """

    __slots__ = ("handlers", "moved")

    def __init__(self, moved: Iterable[logging.Handler]) -> None:
        self.moved = tuple(moved)
        self.handlers = self.moved

    def follow(self, handlers: tuple[logging.Handler, ...], all_targets: list[Targets]) -> None:
        """Leave out what was removed from the listener's `handlers`, and take in what was added to them."""
        others = {id(handler) for targets in all_targets for handler in targets.moved}
        self.handlers = tuple(h for h in self.moved if h in handlers) + tuple(
            h for h in handlers if id(h) not in others
        )
