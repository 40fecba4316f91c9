"""Pace: how much a listener does before it lets others have the GIL, and for how long it then pauses."""

from __future__ import annotations

import sys
import time

__all__ = ["Pace"]

# The CPU time of this thread, without that of the threads that have the GIL meanwhile, where the system knows.
thread_time = getattr(time, "thread_time", time.perf_counter)

# Seconds. A hold is the time that the listener computes without a break.
SHORT_HOLD = 300e-6
LONG_HOLD = 5e-3  # as long as the interpreter lets any other thread compute
USUAL_HOLD = 150e-6  # what the pauses aim at, while the queue is short
SHORTEST_PAUSE = 0.5e-3  # between two holds
LONGEST_PAUSE = 4e-3
BREATH = 20e-6  # a pause between two holds while the queue is long; the system rounds it up
# A pause that took such a part of the switch interval was spent waiting for a thread that computes all the time.
CONTENDED = 0.8
# Records.
LONG_QUEUE = 25_000  # for each so many queued records a hold may be longer, up to sixteen times
TOO_LONG_QUEUE = 100_000  # from so many on no other thread computes while records are formatted
SHORT_QUEUE = 4  # times the limit: what a few holds can take
FIRST_LIMIT = 64
LEAST_LIMIT = 4
GREATEST_LIMIT = 1 << 18
# One hold in so many is measured while the queue is short.
MEASURED = 4
# Holds between two pauses against a thread that computes all the time: it gets its turns while files are written.
HOLDS = 4


class Pace:
    """Keeps the holds short while others want the GIL only now and then, and lengthens them against those
    that compute without a break: they give the GIL away every 5 ms only, and would outrun the listener.

    Where there is no GIL it holds as long as it likes, and never pauses. It is for the thread that makes it.

    `limit` is how many records to handle in the next hold, `pause` how long to wait for more once there are none.
    `keeps_gil` says that no other thread may compute meanwhile: one logs faster than records can be made into text.
    """

    def __init__(self) -> None:
        self.has_gil: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
        self.limit = FIRST_LIMIT
        self.pause = SHORTEST_PAUSE
        self.keeps_gil = False
        self._hold = SHORT_HOLD if self.has_gil else LONG_HOLD
        self._holds_left = 0
        self._unmeasured = 0
        self._begin: float | None = None
        self._began = time.perf_counter()  # when the pause was set last, and the thread's CPU time then
        self._used = thread_time()

    def begin(self) -> None:
        """Note that a hold begins, and set the pause by what the holds since it was set last have taken."""
        if self._unmeasured:
            self._unmeasured -= 1
            return
        now = time.perf_counter()
        used = self._begin = thread_time()
        # Short pauses cost much, as the GIL changes hands after each, and long ones make for long holds, which others
        # notice. What part of the time is computed says which pause makes for the usual hold.
        if used > self._used:  # some systems count it in steps of 16 ms
            pause = USUAL_HOLD * (now - self._began) / (used - self._used)
            self.pause = min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            self._began = now
            self._used = used

    def end(self, records: int) -> None:
        """Learn from the hold that ends, if its begin was noted: how many records it was given, and what it took."""
        if records < self.limit:
            self.keeps_gil = False
        else:
            self._unmeasured = 0
        if self._begin is None:
            return
        cpu_seconds = thread_time() - self._begin
        self._begin = None
        if records < self.limit:
            self._unmeasured = MEASURED - 1
        if cpu_seconds > 2 * self._hold:
            self.limit = max(LEAST_LIMIT, self.limit // 2)
        elif records >= self.limit and cpu_seconds < self._hold:
            self.limit = min(2 * self.limit, GREATEST_LIMIT)

    def breathe(self, queued: int) -> None:
        """Give the GIL away for a moment, with so many records `queued`."""
        if not self.has_gil:
            return
        if self._holds_left:
            self._holds_left -= 1
            return
        # A short queue can wait while others compute for longer than a hold; a long one must become shorter.
        pause = SHORTEST_PAUSE if queued < SHORT_QUEUE * self.limit else BREATH
        before = time.perf_counter()
        time.sleep(pause)
        contended = time.perf_counter() - before >= pause + CONTENDED * sys.getswitchinterval()
        self.keeps_gil = contended and queued >= TOO_LONG_QUEUE
        if contended:
            self._hold = min(2 * self._hold, LONG_HOLD * min(16, 1 + queued // LONG_QUEUE))
            self._holds_left = HOLDS - 1
        else:
            self._hold = max(self._hold / 2, SHORT_HOLD)
