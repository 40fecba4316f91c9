"""Pace: how much a listener does before it lets others have the GIL, and for how long it then pauses."""

from __future__ import annotations

import math
import sys
import time

# The CPU time of this thread, without that of the threads that have the GIL meanwhile, where the system knows.
thread_time = getattr(time, "thread_time", time.perf_counter)

# Seconds. A hold is the time that the listener computes without a break.
SHORT_HOLD = 0.6e-3
LONG_HOLD = 5e-3  # as long as the interpreter lets any other thread compute
USUAL_HOLD = 0.4e-3  # what the pauses aim at, while the queue is short
SHORTEST_PAUSE = 1e-3  # when there is no more
LONGEST_PAUSE = 4e-3
SHORTEST_REST = 20e-6  # between two holds; the system rounds it up
FIRST_SHARE = 2.0  # of the others who want the GIL, for each second of a hold, while the queue is short
# Records.
SHORT_QUEUE = 5_000  # with so many queued the others get half of FIRST_SHARE, with twice as many a third, and so on
LONG_QUEUE = 25_000  # from so many on a hold may last LONG_HOLD
FIRST_LIMIT = 64
# A call of handle_batch() may take as long as many records do, however few it gets. Other handlers in Python are no
# reason for less: there is a rest after each record.
LEAST_LIMIT = 64
GREATEST_LIMIT = 1 << 18
# One hold in so many is measured while the queue is short.
MEASURED = 4


class Pace:
    """Shares the time with the threads that want the GIL, in stretches so short that an event loop can bear them.

    After each hold the others get FIRST_SHARE times as long, if they want it: what is queued can wait. The longer the
    queue, the less they get; what they had while a batch was written counts. A hold lasts SHORT_HOLD. Threads that
    compute without a break take 5 ms at a time: while much is queued, a hold lasts as long as the others had before it,
    but no more than LONG_HOLD.

    Where there is no GIL it holds as long as it likes, and never rests. It is for the thread that makes it.

    `limit` is how many records to handle in the next hold, `pause` how long to wait for more once there are none.
    """

    def __init__(self) -> None:
        self.has_gil: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
        self.limit = FIRST_LIMIT
        self.pause = SHORTEST_PAUSE
        self._hold = SHORT_HOLD if self.has_gil else LONG_HOLD
        self._share = FIRST_SHARE
        self._least_over = 1.0  # how much longer than asked for a sleep takes, if nothing else delays its end
        self._unmeasured = 0
        self._is_measured = False
        self._begin = self._cpu_begin = 0.0  # of the hold, by the clock and the thread's CPU time
        self._cpu = self._others = 0.0  # how long this thread and the others had the processor in the last hold
        self._too_long = math.inf  # when it is to be asked whether a hold lasts too long
        self._set = time.perf_counter()  # when the pause was set last, and the thread's CPU time then
        self._set_cpu = thread_time()

    def begin(self) -> None:
        """Note that a hold begins, and set the pause by what the holds since it was set last have taken."""
        if self._unmeasured:
            self._unmeasured -= 1
            self._is_measured = False
            self._too_long = 0.0
            return
        self._unmeasured = MEASURED - 1
        self._measure()
        # Short pauses cost much, as the GIL changes hands after each, and long ones make for long holds, which others
        # notice. What part of the time is computed says which pause makes for the usual hold.
        used = self._cpu_begin - self._set_cpu
        if used > 0:  # some systems count it in steps of 16 ms
            pause = USUAL_HOLD * (self._begin - self._set) / used
            self.pause = min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            self._set = self._begin
            self._set_cpu = self._cpu_begin

    def _measure(self) -> None:
        self._is_measured = True
        self._begin = time.perf_counter()
        self._cpu_begin = thread_time()
        self._too_long = self._begin + 2 * self._hold

    def rest(self) -> None:
        """End the hold for a moment if it lasts too long; called after each record that Python code handles.

        The next one may take any time, whatever those before have taken.
        """
        now = time.perf_counter()
        if now < self._too_long or not self.has_gil:
            return
        if not self._too_long:  # the first record of an unmeasured hold
            self._too_long = now + 2 * self._hold
            return
        if not self._is_measured:
            self._measure()
            return
        self._cpu = thread_time() - self._cpu_begin
        if self._cpu < 2 * self._hold:  # it waits for what it writes to
            self._too_long = now + 2 * self._hold - self._cpu
            return
        self._others = now - self._begin - self._cpu
        self.limit = max(LEAST_LIMIT, self.limit // 2)
        self._give_way()
        self._measure()

    def end(self, records: int) -> None:
        """Learn from the hold that ends, if its begin was noted: how many records it was given, and what it took."""
        if records >= self.limit:
            self._unmeasured = 0
        if not self._is_measured:
            self._cpu, self._others = self._hold, 0.0
            return
        self._cpu = thread_time() - self._cpu_begin
        self._others = time.perf_counter() - self._begin - self._cpu
        if self._cpu > 2 * self._hold:
            self.limit = max(LEAST_LIMIT, self.limit // 2)
        elif records >= self.limit and self._cpu < self._hold:
            self.limit = min(2 * self.limit, GREATEST_LIMIT)

    def breathe(self, queued: int) -> None:
        """Let the others have their share between two holds, with so many records `queued`."""
        if not self.has_gil:
            return
        self._share = FIRST_SHARE / (1 + queued / SHORT_QUEUE)
        self._give_way()
        longest = SHORT_HOLD + (LONG_HOLD - SHORT_HOLD) * min(1.0, queued / LONG_QUEUE)
        self._hold = min(max(self._others, SHORT_HOLD), longest)

    def _give_way(self) -> None:
        left = self._share * self._cpu - self._others
        if left <= 0 or not self._sleep(SHORTEST_REST):
            return
        left = self._share * self._cpu - self._others
        if left > 0:
            self._sleep(left)

    def _sleep(self, seconds: float) -> bool:
        """Give the GIL away for so long; return whether another thread took it, as the time that it took tells."""
        before = time.perf_counter()
        time.sleep(seconds)
        lasted = time.perf_counter() - before
        self._others += lasted
        over = lasted - seconds
        self._least_over = min(1.01 * self._least_over, over)
        return over > 2 * self._least_over
