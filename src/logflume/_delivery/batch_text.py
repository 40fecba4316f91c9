"""The text of some records of a batch, and where each record ends."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any


class BatchText:
    """The encoded text of the first `count` records of a list. The compiled core has a class of its own for it.

    `special` tells that the record after these has to be handled on its own; `interrupt` is what formatting that record
    raised, if that was no Exception. `explained` has the index and the former exc_text of each record whose exc_text
    formatting changed.
    """

    __slots__ = ("_ends", "count", "data", "explained", "interrupt", "special")

    def __init__(
        self,
        data: bytes,
        ends: list[int],
        special: bool = False,
        interrupt: BaseException | None = None,
        explained: list[tuple[int, Any]] | None = None,
    ) -> None:
        self.data = data
        self.count = len(ends)
        self.special = special
        self.interrupt = interrupt
        self.explained = explained
        self._ends = ends

    def whole(self, size: int) -> int:
        """Return how many records lie wholly within the first `size` bytes."""
        return bisect_right(self._ends, size)

    def end(self, index: int) -> int:
        """Return where the record at `index` ends; 0 for the one before the first."""
        return self._ends[index] if index >= 0 else 0

    def cut(self, begin: int, most: int) -> int:
        """Return where a piece from `begin` on ends: after `most` bytes or fewer, or after one record."""
        whole = bisect_right(self._ends, begin + most)
        end = self.end(whole - 1)
        return end if end > begin or whole == self.count else self._ends[whole]
