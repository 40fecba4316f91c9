"""Overflow: what happens to a record for which the queue has no room.

A queue gives away only its oldest record. So a record that is passed over, because one of a lower level has to go, is
put aside: `aside` has what was taken out of the queue and not dropped, all of it older than what is in the queue. The
listener takes from there first. All that take records hold the lock, so the order is that of the log calls.
"""

from __future__ import annotations

import queue as _queue
import time
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any

from .._backend import take
from .._shared.event_loops import runs_event_loop
from .._shared.queues import has_own_dequeue
from .._shared.state import STOPPED, FlushRequest
from .bounds import Bounds
from .locks import DeliveryLock, wait

if TYPE_CHECKING:
    from .dispatch import Dispatcher

# Why a record was dropped.
FULL = "queue full"
TIMEOUT = "block timeout"
EVENT_LOOP = "event loop"

# How long to wait for the lock (seconds), which is held for microseconds: but a signal handler may come between, and
# wait for the listener. Then the listener goes on without the lock.
PATIENCE = 1.0
SHORT_PATIENCE = 0.1  # of a log call
# How many records the listener takes before other threads get the lock.
SLICE = 512
# How long a thread that waits for room sleeps, from the first time to the last (seconds).
SHORTEST_SLEEP = 50e-6
LONGEST_SLEEP = 1e-3
# How often a thread sleeps while the listener wakes up.
WAKE_SLEEPS = 100
# How many records a thread handles if it has to handle some itself.
SHARE = 16


class Aside:
    """Records that were taken out of the queue to be kept. For take() it is a queue."""

    def __init__(self) -> None:
        self.items: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self.items)

    def get_nowait(self) -> Any:
        try:
            return self.items.popleft()
        except IndexError:
            raise _queue.Empty from None

    def put_nowait(self, item: Any) -> None:
        """Put back what get_nowait() returned."""
        self.items.appendleft(item)


class Overflow:
    """Keeps the queue of the listener of `dispatcher` within `bounds`."""

    def __init__(self, dispatcher: Dispatcher, bounds: Bounds) -> None:
        self.dispatcher = dispatcher
        self.listener = dispatcher.listener
        self.accounts = dispatcher.accounts
        self.begin_anew(bounds)

    def begin_anew(self, bounds: Bounds) -> None:
        """Begin with an empty queue, as in a forked child, and with a new lock."""
        self.aside = Aside()
        self.waits = False  # the listener's thread waits in the queue, and may have taken the first record
        self._lock = DeliveryLock(lambda: None)
        self._inside: set[int] = set()  # threads that have the lock, or are about to take it
        self._is_wanted = False  # the listener's thread waits for the lock
        self._is_woken = False  # since records were taken last
        self._is_let_run = False  # as well
        self.set_bounds(bounds)

    def set_bounds(self, bounds: Bounds) -> None:
        """Keep the listener's queue within `bounds` from now on."""
        queue = self.listener.queue
        self.limit = bounds.limit(queue)
        self.task_done: Callable[[], object] | None = getattr(queue, "task_done", None)
        self.bounds = bounds
        self._set_crowded_at()
        # A log call asks this for the length; `crowded_at` sends it here. A queue with a size refuses by itself.
        self.listener.qsize = queue.qsize if bounds.capacity is not None else None

    def _set_crowded_at(self) -> None:
        if self.limit is not None:
            # From the half on, to wake the listener, once.
            limit = self.limit if self._is_woken else (self.limit + 1) // 2
            self.listener.crowded_at = max(0, limit - len(self.aside))

    @property
    def is_bounded(self) -> bool:
        """Whether records may be taken out of the queue by other threads than the listener's."""
        return self.limit is not None and not has_own_dequeue(self.listener)

    # The listener's side.

    def take(self, limit: int, taken: deque[Any]) -> int:
        """As _backend.take(), from the listener's queue."""
        queue = self.listener.queue
        limit = min(limit, self.dispatcher.queued())
        count = found = 0
        ident = get_ident()
        while count < limit:
            share = min(SLICE, limit - count)
            hold = None
            try:
                self._inside.add(ident)
                self._is_wanted = True
                hold = self._lock.take(PATIENCE)
                self._is_wanted = False
                found = take(self.aside, share, taken) if self.aside else 0
                if found < share:
                    found += take(queue, share - found, taken)
                self._is_woken = self._is_let_run = False
                self._set_crowded_at()
            finally:
                if hold is not None:
                    hold.give_back()
                self._inside.discard(ident)
            if not found:
                break
            count += found
        return count

    def begin_wait(self) -> bool:
        """Note that the listener's thread will wait in the queue, and take what is put next; False if one is there."""
        if not self.is_bounded:
            return True
        hold = self._lock.take(PATIENCE)
        try:
            self.waits = self.dispatcher.queued() == 0
            return self.waits
        finally:
            if hold is not None:
                hold.give_back()

    # The side of the threads that log.

    def put(self, put: Callable[[Any], object], item: Any, levelno: int) -> bool:
        """Call put(item), where the queue has room or gets some; else drop it, or another. Whether it was put."""
        if self.listener.state == STOPPED or get_ident() in self._inside:
            # No thread makes room, but the call itself will handle it; or what runs in a call of ours logs.
            return self._try_put(put, item) or self.drop(levelno)
        reason = FULL
        overflow = self.bounds.overflow
        if overflow == "direct" and self.is_bounded:
            if self._put_after_share(put, item):
                return True
            reason = TIMEOUT
        elif overflow in ("block", "direct"):
            if self._put_if_room(put, item):
                return True
            reason = EVENT_LOOP
            if not runs_event_loop():
                reason = TIMEOUT
                if self._put_in_time(put, item):
                    return True
        elif not self._is_let_run:
            # One that never gives the GIL away would keep it from the listener for 5 ms, and drop all meanwhile.
            self._is_let_run = True
            time.sleep(SHORTEST_SLEEP)
        return self._put_or_drop(put, item, levelno, reason)

    def drop(self, levelno: int, reason: str = FULL) -> bool:
        """Count a record that is dropped, or that a full queue refused. Returns False, as it was not put."""
        self.accounts.drops.count(reason, levelno)
        return False

    def _try_put(self, put: Callable[[Any], object], item: Any) -> bool:
        try:
            put(item)
        except _queue.Full:
            return False
        return True

    def _put_if_room(self, put: Callable[[Any], object], item: Any) -> bool:
        if self.limit is None:
            return self._try_put(put, item)
        if not self._is_woken:
            self._is_woken = True
            self._set_crowded_at()
            self.dispatcher.life.wake()
        if self.dispatcher.queued() < self.limit:
            return self._try_put(put, item)
        self.accounts.high_water = max(self.accounts.high_water, self.limit)
        return False

    def _put_in_time(self, put: Callable[[Any], object], item: Any) -> bool:
        """Wait for room, for block_timeout seconds at most."""
        is_put: list[bool] = []

        def wait_for_room(timeout: float | None) -> None:
            deadline = time.monotonic() + (timeout or 0.0)
            sleep = SHORTEST_SLEEP
            while not self._put_if_room(put, item):
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(sleep, left))
                sleep = min(2 * sleep, LONGEST_SLEEP)
            is_put.append(True)

        wait(wait_for_room, self.bounds.block_timeout, lambda: bool(is_put))
        return bool(is_put)

    def _put_after_share(self, put: Callable[[Any], object], item: Any) -> bool:
        """Handle the oldest records in the calling thread until there is room.

        False if a handler is at work with the same batch for block_timeout seconds.
        """
        timeout = self.bounds.block_timeout
        batches, deadline = self.accounts.batches, time.monotonic() + timeout
        while not self._put_if_room(put, item):
            if self._handle_share(max(0.0, deadline - time.monotonic())):
                continue
            now = time.monotonic()
            if batches != self.accounts.batches:
                batches, deadline = self.accounts.batches, now + timeout
            elif now >= deadline:
                return False
            time.sleep(SHORTEST_SLEEP)
        return True

    def _handle_share(self, timeout: float) -> bool:
        """Handle some records in the calling thread, beside the listener's, which runs; False if none was.

        Waits for `timeout` seconds at most for the batch at work. One at a time, as where no thread runs.
        """
        dispatcher = self.dispatcher
        hold = dispatcher.lock.take(timeout)
        if hold is None:
            return False
        count = 0
        try:
            # The listener's thread may have taken the first record, without the lock.
            while count < SHARE and not self.waits and dispatcher.take(1):
                count += 1
                if dispatcher.dispatch_in_call():
                    dispatcher.tell_thread_to_end()
                    break
        finally:
            hold.give_back()
        return count > 0

    def _put_or_drop(self, put: Callable[[Any], object], item: Any, levelno: int, reason: str) -> bool:
        """Put `item`, in the place of another if that is the one to drop."""
        is_kept = levelno >= self.bounds.keep_level
        replaces = self.is_bounded and (is_kept or self.bounds.overflow == "drop_oldest")
        if not replaces:
            return self._put_if_room(put, item) or self.drop(levelno, reason)
        ident = get_ident()
        for _ in range(WAKE_SLEEPS):
            if self._is_wanted:  # and would not get it while this thread has the GIL
                time.sleep(SHORTEST_SLEEP)
            victims: list[Any] = []  # they end without the lock: what ends with them may log
            hold = None
            try:
                self._inside.add(ident)
                hold = self._lock.take(SHORT_PATIENCE)
                if hold is None:
                    break
                if self._put_if_room(put, item):
                    return True
                if not self.waits:
                    is_searched = self._remove(victims, is_kept)
                    # In their place even if other threads have filled it by now.
                    if victims and self._try_put(put, item):
                        return True
                    if is_searched and not victims:
                        return self.drop(levelno, reason)
            finally:
                if hold is not None:
                    hold.give_back()
                self._inside.discard(ident)
                for victim in victims:
                    self.drop(_level_of(victim), reason)
            time.sleep(SHORTEST_SLEEP)  # the listener has the GIL now, and takes the record that woke it
        # Rather one too many than one out of order.
        return self._try_put(put, item) or self.drop(levelno, reason)

    def _remove(self, victims: list[Any], is_kept: bool) -> bool:
        """Move the oldest records that are dropped before the new one to `victims`, until there is room.

        The lock is held. The new one is at or above keep_level if `is_kept`. Returns whether all were looked at.
        """
        queue = self.listener.queue
        items = self.aside.items
        limit = self.limit or 0
        try:
            while self.dispatcher.queued() >= limit:
                item = queue.get_nowait()
                if not _is_record(item) or _level_of(item) >= self.bounds.keep_level:
                    items.append(item)
                else:
                    victims.append(item)
                    if self.task_done is not None:
                        self.task_done()
        except _queue.Empty:
            if is_kept and self.bounds.overflow == "drop_oldest" and self.dispatcher.queued() >= limit:
                oldest = next((index for index, item in enumerate(items) if _is_record(item)), None)
                if oldest is not None:
                    victims.append(items[oldest])
                    del items[oldest]
                    if self.task_done is not None:
                        self.task_done()
            return True
        finally:
            self._set_crowded_at()
        return False


def _is_record(item: Any) -> bool:
    return item is not None and type(item) is not FlushRequest


def _level_of(item: Any) -> int:
    record = item[1] if type(item) is tuple else item
    level = getattr(record, "levelno", 0)
    return level if isinstance(level, int) else 0
