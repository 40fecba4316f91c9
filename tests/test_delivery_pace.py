"""The pace of a listener beside threads that want the GIL, on a machine that is a model."""

from __future__ import annotations

import sys
import time

import pytest

from logflume._listener import brake
from logflume._listener import pace as module
from logflume._listener.pace import Pace

# Seconds for a record, as measured where delivery does not keep up with threads that are not slowed.
CALL = 0.29e-6
TAKE = 0.2e-6  # and to let it go afterwards
FORMAT_AND_WRITE = 0.42e-6  # without the GIL

SWITCH = 5e-3  # till a thread that computes all the time gives the GIL away
WAKE = 60e-6  # how much longer than asked for a sleep takes


class Machine:
    """Processors, a GIL, a listener's thread, and other threads, so many of which want the GIL all the time.

    They compute, and log meanwhile if `is_logging`. A call that is slowed gives the GIL away.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, threads: int = 0) -> None:
        self.now = self.used = self.queued = 0.0
        self.longest = 0.0
        self.longest_hold = self.held = 0.0
        self.threads = threads
        self.is_logging = True
        self.call = CALL
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(module, "thread_time", lambda: self.used)
        monkeypatch.setattr(time, "sleep", lambda seconds: self.give_way(seconds + WAKE))
        monkeypatch.setattr(sys, "getswitchinterval", lambda: SWITCH)
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: True, raising=False)
        self.pace = Pace()

    def log(self, seconds: float) -> float:
        """Have the others log for so long, if they are not slowed; return how long they did."""
        if not self.is_logging:
            return seconds
        end = seconds
        while seconds > 0 and self.queued < brake.LONG + brake.STEP:
            step = min(seconds, 1e-3)
            self.queued += step / self.call
            seconds -= step
        self.longest = max(self.longest, self.queued)
        return end - seconds

    def give_way(self, seconds: float) -> None:
        """Let others have the GIL for so long, and then till they give it away."""
        self.longest_hold = max(self.longest_hold, self.held)
        self.held = 0.0
        if self.threads:
            seconds = self.log(seconds + self.threads * SWITCH) or seconds
        self.now += seconds

    def compute(self, seconds: float) -> None:
        self.used += seconds
        self.now += seconds
        self.held += seconds

    def turn(
        self, take: float = TAKE, python: float = 0.0, others: float = FORMAT_AND_WRITE, call: float = 0.0
    ) -> None:
        """Do what the listener's thread does.

        `python` is what Python code takes for a record, `call` what handle_batch() takes for any number (seconds).
        """
        pace = self.pace
        pace.begin()
        records = min(int(self.queued), pace.limit)
        self.queued -= records
        self.compute(records * take + call)
        for _ in range(records if python else 0):
            self.compute(python)
            pace.rest()
        if others and records:
            self.used += records * others
            self.give_way(records * others)
        pace.end(records)
        if self.queued >= pace.limit:
            pace.breathe(int(self.queued))
        else:
            self.give_way(pace.pause + WAKE)


@pytest.mark.parametrize("threads", [1, 4, 50])
def test_threads_that_log_without_a_break_do_not_outrun_the_listener(monkeypatch, threads):
    machine = Machine(monkeypatch, threads)
    while machine.now < 20.0:
        machine.turn()
    assert machine.longest < 400_000
    assert machine.longest_hold < 2 * module.LONG_HOLD


@pytest.mark.parametrize("queued", [100, 1_000_000])
@pytest.mark.parametrize("python", [5e-6, 50e-6, 500e-6])
def test_a_hold_is_short_beside_an_event_loop_however_long_the_queue_is(monkeypatch, python, queued):
    machine = Machine(monkeypatch)
    machine.queued = queued
    while machine.now < 2.0 and machine.queued >= 1:
        machine.turn(python=python, others=0.0)
    assert machine.longest_hold <= 2 * module.SHORT_HOLD + 4 * python


def test_a_handle_batch_whose_calls_are_dear_gets_many_records_with_each(monkeypatch):
    """As one that makes an HTTP request: fewer records would make for more requests, and longer in all."""
    machine = Machine(monkeypatch)
    machine.queued = 5000
    turns = 0
    while machine.queued >= 1:
        machine.turn(call=3e-3)
        turns += 1
    assert turns < 100


def test_records_that_become_dear_make_no_hold_long(monkeypatch):
    machine = Machine(monkeypatch)
    machine.queued = 100_000
    while machine.queued > 10_000:
        machine.turn()
    assert machine.pace.limit > 1000
    machine.longest_hold = 0.0
    machine.turn(python=300e-6, others=0.0)
    assert machine.longest_hold < 4 * module.SHORT_HOLD


@pytest.mark.parametrize("python", [5e-6, 20e-6, 50e-6])
def test_few_wake_ups_for_dear_records(monkeypatch, python):
    """An event loop logs ten records each millisecond."""
    machine = Machine(monkeypatch)
    turns = 0
    logged = 0.0
    while machine.now < 5.0:
        machine.queued += 10_000 * (machine.now - logged)
        logged = machine.now
        machine.turn(python=python, others=0.0)
        turns += 1
    assert turns / machine.now < 800
    assert machine.queued < 100  # 10 ms


def test_a_handler_that_waits_for_its_sink_is_not_delayed(monkeypatch):
    machine = Machine(monkeypatch)
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    machine.pace.begin()
    for _ in range(1000):
        machine.compute(10e-6)
        machine.now += 3e-3
        machine.held = 0.0
        machine.pace.rest()
    assert len(slept) <= 1000 * 10e-6 / module.SHORT_HOLD


def test_who_wants_the_gil_gets_it_for_longer_than_a_hold(monkeypatch):
    machine = Machine(monkeypatch, threads=1)
    machine.is_logging = False
    machine.queued = 2000
    began = machine.now
    while machine.queued > machine.pace.limit:
        machine.turn(python=20e-6, others=0.0)
    assert machine.used < (machine.now - began) / 2


def test_a_long_queue_is_worked_off_without_waiting_for_those_who_want_nothing(monkeypatch):
    machine = Machine(monkeypatch)
    machine.queued = 20_000
    while machine.queued > machine.pace.limit:
        machine.turn(python=20e-6, others=0.0)
    assert machine.used > 0.7 * machine.now


def test_without_a_gil_it_never_rests(monkeypatch):
    machine = Machine(monkeypatch)
    machine.pace.has_gil = False
    machine.pace.begin()
    machine.compute(1.0)
    machine.pace.rest()
    machine.pace.breathe(1_000_000)
    assert machine.now == 1.0
