"""What a log call costs: standard loggers and accelerated ones, as ratios taken in one run.

    python bench/call.py [rounds]

Each case is timed for all contenders in turn, round after round, and the shortest round of each counts. The
contenders are standard loggers with the standard QueueHandler, standard loggers with a subclass of it whose
prepare() does nothing, and accelerated loggers with a LocalQueueHandler. Except for the backlog, the queues
are emptied after each round.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.handlers
import queue
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import logflume

CALLS = 2000
BACKLOG = 200_000
LOGGER = logging.getLogger("a.b.c")
EXTRA = {"request_id": "abc", "user": 5}


class NoPrepare(logging.handlers.QueueHandler):
    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


class User:
    def __str__(self) -> str:
        return "user"


USER = User()


def plain(calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        LOGGER.info("hello %s %d", "x", 5)
    return time.perf_counter() - start


def coroutine(calls: int) -> float:
    async def main() -> float:
        return plain(calls)

    return asyncio.run(main())


def with_extra(calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        LOGGER.info("hello %s %d", "x", 5, extra=EXTRA)
    return time.perf_counter() - start


def user_class(calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        LOGGER.info("hello %s", USER)
    return time.perf_counter() - start


def adapter(calls: int) -> float:
    adapted = logging.LoggerAdapter(LOGGER, EXTRA)
    start = time.perf_counter()
    for _ in range(calls):
        adapted.info("hello %s %d", "x", 5)
    return time.perf_counter() - start


def disabled(calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        LOGGER.debug("hello %s %d", "x", 5)
    return time.perf_counter() - start


def exception(calls: int, depth: int = 20) -> float:
    if depth:
        return exception(calls, depth - 1)
    try:
        raise ValueError("bad")
    except ValueError:
        start = time.perf_counter()
        for _ in range(calls):
            LOGGER.exception("it failed")
        return time.perf_counter() - start


CONTENDERS: dict[str, tuple[Callable[[], logging.handlers.QueueHandler], bool]] = {
    "standard": (lambda: logging.handlers.QueueHandler(queue.SimpleQueue()), False),  # type: ignore[arg-type]
    "no prepare": (lambda: NoPrepare(queue.SimpleQueue()), False),  # type: ignore[arg-type]
    "logflume": (logflume.LocalQueueHandler, True),
}
CASES: dict[str, Callable[[int], float]] = {
    "plain": plain,
    "in a coroutine": coroutine,
    "with extra": with_extra,
    "argument of a user's class": user_class,
    "LoggerAdapter": adapter,
    "disabled level": disabled,
    "exception, depth 20": exception,
}


@contextmanager
def contender(name: str) -> Iterator[queue.SimpleQueue[logging.LogRecord]]:
    make, accelerated = CONTENDERS[name]
    handler = make()
    logging.root.handlers[:] = [handler]
    if accelerated:
        logflume.accelerate_loggers()
    try:
        yield handler.queue  # type: ignore[misc]
    finally:
        logflume.restore_loggers()
        logging.root.handlers.clear()


def shortest(case: Callable[[int], float], calls: int, rounds: int) -> dict[str, float]:
    """Return nanoseconds a call for each contender."""
    times = dict.fromkeys(CONTENDERS, float("inf"))
    for _ in range(rounds):
        for name in CONTENDERS:
            with contender(name) as records:
                times[name] = min(times[name], case(calls))
                while not records.empty():
                    records.get()
    return {name: seconds / calls * 1e9 for name, seconds in times.items()}


def memory(name: str, records: int = 20_000) -> float:
    """Return the bytes that one queued plain record takes."""
    with contender(name) as queued:
        plain(100)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        plain(records)
        size = (tracemalloc.get_traced_memory()[0] - before) / records
        tracemalloc.stop()
        while not queued.empty():
            queued.get()
    return size


def row(case: str, collector: str, values: dict[str, float], unit: str) -> None:
    best = values["logflume"]
    print(
        f"{case:28} {collector:4}"
        + "".join(f"{value:10.0f}" for value in values.values())
        + f" {unit:5}"
        + "".join(f"{values[name] / best:9.1f}x" for name in ("standard", "no prepare"))
    )


def main(rounds: int = 15) -> None:
    print(f"Python {sys.version.split()[0]}, logflume {logflume.__version__} ({logflume.IMPLEMENTATION})")
    print(f"{'':28} {'gc':4}{'standard':>10}{'no prep.':>10}{'logflume':>10} {'':5}{'faster than':>15}")
    logging.root.setLevel(logging.INFO)
    for name, case in CASES.items():
        for collector in ("on", "off"):
            (gc.enable if collector == "on" else gc.disable)()
            row(name, collector, shortest(case, CALLS, rounds), "ns")
    for collector in ("on", "off"):
        (gc.enable if collector == "on" else gc.disable)()
        row("backlog of 200,000", collector, shortest(plain, BACKLOG, 2), "ns")
    gc.enable()
    row("a queued plain record", "", {name: memory(name) for name in CONTENDERS}, "bytes")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
