"""The loop of a listener's thread."""

from __future__ import annotations

import queue as _queue
import threading
from typing import Any

from .._backend import forget_context
from .._delivery.caught import reporting
from .._shared.queues import SHUT_DOWN, has_own_dequeue
from .._shared.state import RUNNING, STOPPED
from .dispatch import Dispatcher
from .errors import ErrorReports
from .life import Life, Run
from .pace import Pace
from .signal_mask import block_signals, forget_mask

# While records flow the worker looks into the queue this often (seconds) instead of waiting in it, so that the put of
# a record wakes no thread. After QUIET looks that found nothing it waits in the queue.
INTERVAL = 0.001
LONGEST_INTERVAL = 0.005
QUIET = 40
# How long the worker pauses after an error that came from its queue (seconds).
ERROR_PAUSE = 0.1

# What dequeue() raises that ends the thread. The standard listener's ends by Empty, too.
ENDS: tuple[type[Exception], ...] = (_queue.Empty, *SHUT_DOWN)

# Whose get() takes a timeout.
KNOWN_QUEUES = (_queue.SimpleQueue, _queue.Queue)


class Worker:
    """Takes records out of the queue and has them handled, until the listener is stopped. Made for one thread."""

    def __init__(self, listener: Any, run: Run, dispatcher: Dispatcher, errors: ErrorReports) -> None:
        self.listener = listener
        self.this_run = run
        self.life: Life = dispatcher.life
        self.process = self.life.process
        self.dispatcher = dispatcher
        self.errors = errors
        self.is_done = False
        self._quiet = 0

    def run(self) -> None:
        """Handle what is queued, again and again. Nothing but stop() ends this."""
        if not self.this_run.begin(self):
            return  # another thread has it, or it was stopped before
        block_signals()
        self.listener._thread = threading.current_thread()
        self.listener.state = RUNNING
        self.this_run.begun.set()
        self.pace = Pace()  # in the thread: it goes by the thread's CPU time
        reporting.to = self.errors
        while not (self.is_done or self.this_run.stopped_from_within):
            try:
                if self.life.process is not self.process:
                    self._wait_for_ever()
                self.errors.tell_rest()
                if self.listener.state != RUNNING and not self.this_run.stop_requested:
                    self.listener.state = RUNNING  # a stop() of the run before said so late that it stops
                if self.listener.is_polled:
                    self._handle_many()
                else:
                    self._handle_one()
            except BaseException:
                self._recover()
        self._finish()

    def _handle_many(self) -> None:
        """Handle what is in the queue, many records with one wake-up, and pause."""
        listener, dispatcher, pace = self.listener, self.dispatcher, self.pace
        pace.begin()
        dispatcher.accounts.wakeups += 1
        flush = listener.flush_wanted
        if flush:
            listener.flush_wanted = False
        hold = dispatcher.lock.take()
        try:
            count = dispatcher.take(pace.limit)
            if count:
                self.is_done = dispatcher.dispatch(pace.rest)
            if flush:
                if count < pace.limit:
                    dispatcher.flush_handlers(buffering=False)
                else:
                    listener.flush_wanted = True  # the record that is to be flushed may be in the queue still
        finally:
            hold.give_back()  # type: ignore[union-attr]
        if not count:
            dispatcher.note_length(0)
            self._wait()
            return
        self._quiet = 0
        pace.end(count)
        queued = dispatcher.queued()
        dispatcher.note_length(queued if queued > count else count)
        if queued < pace.limit:
            self.life.pause(pace.pause)
        elif listener.state == RUNNING:
            pace.breathe(queued)

    def _wait(self) -> None:
        """Pause, or wait in the queue if it was empty for some time."""
        self._quiet += 1
        if self.this_run.stop_requested:
            self.is_done = True  # the call that told so may not have come to wake this thread
        elif self._quiet < QUIET or self.dispatcher.announcer.is_open:
            self.life.pause(min(INTERVAL * self._quiet, LONGEST_INTERVAL))
        else:
            forget_context()  # there is no telling what it keeps alive
            self._wait_in_queue()

    def _wait_in_queue(self) -> None:
        """Wait in the queue for a record, and take it."""
        overflow = self.dispatcher.overflow
        if not overflow.begin_wait():
            return
        try:
            self.dispatcher.add(self._dequeue())
        finally:
            overflow.waits = False

    def _dequeue(self) -> Any:
        """Wait in the queue for an item; until then tell what errors were not reported, when their storm is over."""
        listener = self.listener
        if not has_own_dequeue(listener) and isinstance(listener.queue, KNOWN_QUEUES):
            while (seconds := self.errors.seconds_to_tell()) is not None:
                try:
                    return listener.queue.get(True, seconds)
                except _queue.Empty:
                    self.errors.tell_rest()
        return listener.dequeue(True)

    def _handle_one(self) -> None:
        """Wait in the queue for a record, and handle it."""
        forget_context()
        dispatcher = self.dispatcher
        # Where other threads take records out of the queue, too, this one waits in it only if it is empty.
        takes = dispatcher.overflow.is_bounded
        if takes and dispatcher.announcer.is_open and not dispatcher.queued():
            self.life.pause(LONGEST_INTERVAL)
        elif not takes or not dispatcher.queued():
            try:
                self._wait_in_queue()
            except ENDS:
                self.is_done = True
                return
        hold = dispatcher.lock.take()
        try:
            if takes and not dispatcher.has_taken:
                dispatcher.take(1)
            self.is_done = dispatcher.dispatch()
        finally:
            hold.give_back()  # type: ignore[union-attr]
        dispatcher.note_length(dispatcher.queued() + 1)
        if self.this_run.stop_requested and self.dispatcher.queued(unknown=1) == 0:
            self.is_done = True

    def _recover(self) -> None:
        try:
            self.errors.report(None, None)
            if not self.this_run.stop_requested:
                self.life.pause(ERROR_PAUSE)  # the queue may be broken for good
        except BaseException:
            pass  # there is no memory even for that
        self.is_done = self.this_run.stop_requested

    def _wait_for_ever(self) -> None:
        """End here, as a greenlet that gevent kept in a forked child: threading forgot it, and could not end it."""
        if self.life.run.stop_requested:  # the sentinel was for the child's own thread
            self.dispatcher.put_control(self.listener.enqueue_sentinel, None)
        threading.Event().wait()

    def _finish(self) -> None:
        forget_context()
        # Records put from now on are for the caller; the ones put just before are for us.
        self.listener.state = STOPPED
        self.this_run.take_no_more()
        try:
            self.dispatcher.deliver_here(self.listener.exit_timeout)
            self.dispatcher.announcer.announce_last(self.listener.exit_timeout)
        except BaseException:
            self.errors.report(None, None)
        self.errors.tell_rest(early=True)
        forget_mask()
        self.this_run.ended.set()
