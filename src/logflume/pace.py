"""Pace: how much a listener does before it lets others have the GIL, and for how long it then pauses."""

from __future__ import annotations

import sys
import time

__all__ = ["Pace"]

# Seconds. A hold is the time that the listener computes without a break.
SHORT_HOLD = 100e-6
LONG_HOLD = 5e-3  # as long as the interpreter lets any other thread compute
BREATH = 20e-6  # a pause between two holds while there is work; the system rounds it up
CONTENDED = 2e-3  # a pause that took so long was spent waiting for a thread that computes all the time


class Pace:
    """Keeps the holds short while others want the GIL only now and then, and lengthens them against those
    that compute without a break: they give the GIL away every 5 ms only, and would outrun the listener.

    Where there is no GIL it holds as long as it likes, and never pauses.
    """

    def __init__(self) -> None:
        self.has_gil: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
        self._hold = SHORT_HOLD if self.has_gil else LONG_HOLD
        self._cost = 5e-6  # CPU seconds for a record, as measured so far

    def limit(self) -> int:
        """Return how many records to handle in the next hold."""
        return max(4, int(self._hold / self._cost))

    def measure(self, records: int, cpu_seconds: float) -> None:
        """Learn what the last hold cost."""
        if records:
            # A clock that is too coarse for one hold gives zero now and a lot then: the mean is right.
            self._cost = max(50e-9, 0.9 * self._cost + 0.1 * (cpu_seconds / records))

    def breathe(self) -> None:
        """Give the GIL away for a moment."""
        if not self.has_gil:
            return
        before = time.perf_counter()
        time.sleep(BREATH)
        if time.perf_counter() - before >= CONTENDED:
            self._hold = min(2 * self._hold, LONG_HOLD)
        else:
            self._hold = max(self._hold / 2, SHORT_HOLD)
