"""The pace of a listener beside a thread that logs without a break, on a machine that is a model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from logflume._listener import pace as module
from logflume._listener.pace import Pace

# Seconds for a record, as measured on a machine where delivery cannot keep up unless it holds the GIL long enough.
CALL = 0.29e-6
TAKE = 0.2e-6  # and to let it go afterwards
FORMAT = 0.3e-6
WRITE = 0.12e-6

SWITCH = 5e-3  # till a thread that computes all the time gives the GIL away


class Machine:
    """Two processors, a GIL, a listener's thread, and a thread that logs whenever it gets the GIL."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.used = self.queued = 0.0
        self.longest = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(module, "thread_time", lambda: self.used)
        monkeypatch.setattr(time, "sleep", lambda seconds: self.wait(seconds))
        monkeypatch.setattr(sys, "getswitchinterval", lambda: SWITCH)
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: True, raising=False)
        self.pace = Pace()
        self.is_logging = True

    def let_others_compute(self, seconds: float) -> None:
        self.now += seconds
        if self.is_logging:
            self.queued += seconds / CALL
            self.longest = max(self.longest, self.queued)

    def wait(self, seconds: float) -> None:
        self.let_others_compute(seconds + (SWITCH if self.is_logging else 0.0))

    def compute(self, seconds: float, others: Callable[[float], None] | None = None) -> None:
        self.used += seconds
        if others is None:
            self.now += seconds
        else:
            others(seconds)

    def turn(self) -> None:
        """Do what the listener's thread does."""
        self.pace.begin()
        records = min(int(self.queued), self.pace.limit)
        self.queued -= records
        self.compute(records * TAKE)
        self.compute(records * FORMAT, None if self.pace.keeps_gil else self.let_others_compute)
        self.compute(records * WRITE, self.let_others_compute)
        self.wait(0.0)
        self.pace.end(records)
        if self.queued >= self.pace.limit:
            self.pace.breathe(int(self.queued))
        else:
            self.wait(self.pace.pause)


def test_a_thread_that_logs_without_a_break_does_not_outrun_the_listener(monkeypatch):
    machine = Machine(monkeypatch)
    while machine.now < 20.0:
        machine.turn()
    longest = machine.longest
    while machine.now < 60.0:
        machine.turn()
    assert machine.longest == longest
    assert longest < 500_000


def test_others_may_compute_again_once_the_queue_is_short(monkeypatch):
    machine = Machine(monkeypatch)
    machine.queued = 300_000
    while not machine.pace.keeps_gil:
        machine.turn()
    machine.is_logging = False
    machine.queued = machine.pace.limit - 1
    machine.turn()
    assert not machine.pace.keeps_gil


def test_a_long_queue_alone_keeps_nobody_from_computing(monkeypatch):
    machine = Machine(monkeypatch)
    machine.is_logging = False
    machine.queued = 1_000_000
    while machine.queued >= 1:
        machine.turn()
        assert not machine.pace.keeps_gil
        assert machine.pace.limit * (TAKE + FORMAT + WRITE) < 4 * module.SHORT_HOLD


def test_without_a_gil_nothing_is_kept(monkeypatch):
    machine = Machine(monkeypatch)
    machine.pace.has_gil = False
    machine.queued = 1_000_000
    machine.pace.breathe(1_000_000)
    assert machine.now == 0.0
    assert not machine.pace.keeps_gil
