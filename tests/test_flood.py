"""Threads that log faster than the listener writes: they are slowed before memory grows."""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from helpers import Collect, Gate, nothing_delivered, run_code, run_in_threads


class Slow:
    """Stands for the sleep of a slowed call; knows which threads slept."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def __call__(self, seconds: float) -> None:
        assert seconds <= 0.001
        self.threads.append(threading.current_thread())


@pytest.fixture
def slow(lf: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The calls that were slowed; with 100 queued records one in 16 is, and twice as many for each 100 more."""
    brake = sys.modules["logflume._listener.brake"]
    slow = Slow()
    for name, value in {"LONG": 100, "STEP": 100, "INTERVAL": 16, "PATIENCE": 50, "sleep": slow}.items():
        monkeypatch.setattr(brake, name, value)
    return slow


@pytest.fixture
def held(wired: Callable[..., Any]) -> Iterator[tuple[logging.Logger, Any]]:
    """A logger and its listener, which is running, and delivers nothing."""
    logger, listener = wired(Collect())
    logger.info("begin")
    listener.flush()
    with nothing_delivered(listener):
        listener.calls_to_brake = 0
        yield logger, listener


def log(logger: logging.Logger, count: int) -> None:
    for _ in range(count):
        logger.info("record")


def test_no_call_is_slowed_while_the_queue_is_short(held, slow):
    logger, listener = held
    log(logger, 80)
    assert listener.queue.qsize() <= 100
    assert slow.threads == []


def test_the_longer_the_queue_the_more_calls_are_slowed(held, slow):
    logger, _ = held
    log(logger, 120)
    counts = []
    for _ in range(6):
        before = len(slow.threads)
        log(logger, 100)
        counts.append(len(slow.threads) - before)
    assert 0 < counts[0] < 20
    assert counts == sorted(counts)
    assert counts[-1] == 100  # and no call sleeps twice


def test_accelerated_calls_are_slowed_too(held, slow, lf):
    lf.accelerate_loggers()
    try:
        test_the_longer_the_queue_the_more_calls_are_slowed(held, slow)
    finally:
        lf.restore_loggers()


def test_a_filter_does_not_keep_calls_from_being_slowed(held, slow):
    logger, _ = held
    logger.handlers[0].addFilter(lambda record: True)
    log(logger, 300)
    assert slow.threads


def test_calls_are_quick_again_once_the_queue_is_short(wired, slow):
    gate = Gate()
    logger, listener = wired(gate)
    log(logger, 500)
    assert slow.threads
    gate.open.set()
    assert listener.flush(10)
    slow.threads.clear()
    listener.calls_to_brake = 0
    log(logger, 50)
    assert slow.threads == []


@pytest.fixture(params=["asyncio", "trio"])
def in_loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], object]], object]:
    """in_loop(function) calls it in an event loop."""
    module = asyncio if request.param == "asyncio" else pytest.importorskip("trio")

    def run(function: Callable[[], object]) -> None:
        async def main() -> None:
            function()

        if module is asyncio:
            asyncio.run(main())
        else:
            module.run(main)

    return run


def test_an_event_loop_leaves_it_to_other_threads(held, slow, in_loop):
    logger, _ = held
    log(logger, 200)
    slow.threads.clear()

    def work() -> None:
        for _ in range(20):
            log(logger, 10)
            run_in_threads(lambda: log(logger, 20))

    in_loop(work)
    assert len(slow.threads) > 10
    assert threading.current_thread() not in slow.threads


def test_an_event_loop_that_floods_the_queue_by_itself_is_slowed_now_and_then(held, slow, in_loop):
    logger, _ = held
    in_loop(lambda: log(logger, 1200))
    assert 1000 // (50 + 16) <= len(slow.threads) <= 1200 // 50


def test_greenlets_are_not_slowed(held, slow, monkeypatch):
    logger, _ = held
    identity = threading.get_ident
    monkeypatch.setattr(threading, "get_ident", lambda: identity())  # as gevent does
    log(logger, 500)
    assert slow.threads == []


def test_a_queue_that_is_not_polled_slows_no_call(wired, slow):
    asked = set()

    class Queue(queue.Queue):  # type: ignore[type-arg]
        def qsize(self) -> int:
            asked.add(threading.current_thread())
            return super().qsize()

    logger, listener = wired(Collect(), queue=Queue())
    with nothing_delivered(listener):
        log(logger, 300)
    assert slow.threads == []
    assert threading.current_thread() not in asked


FLOOD = """
import logging, logging.handlers, sys, threading, time, logflume
handler = logging.FileHandler(sys.argv[1])
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(message)s")
listener = logflume.setup_logging_queue(accelerate=True)
brake = sys.modules["logflume._listener.brake"]
brake.LONG, brake.STEP, brake.INTERVAL = 2000, 200, 256
stop = False
counts = []
def flood():
    count = 0
    while not stop:
        logging.info("record %d", count)
        count += 1
    counts.append(count)
threads = [threading.Thread(target=flood) for _ in range(12)]
longest = 0
for thread in threads:
    thread.start()
end = time.monotonic() + 1.0
while time.monotonic() < end:
    time.sleep(0.001)
    longest = max(longest, listener.queue.qsize())
stop = True
for thread in threads:
    thread.join()
print(sum(counts), longest)
"""


def test_many_threads_that_log_without_a_break_neither_outrun_the_listener_nor_lose_records(lf, tmp_path):
    path = tmp_path / "log"
    done = run_code(FLOOD, str(path))
    assert done.stderr == ""
    count, longest = map(int, done.stdout.split())
    assert longest < 50_000
    with open(path) as lines:
        assert sum(1 for _ in lines) == count
