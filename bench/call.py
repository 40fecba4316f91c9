"""What a log call costs: standard loggers and accelerated ones, as ratios taken in one run.

    python bench/call.py [rounds]

Each case is timed for all contenders in turn, round after round, and the shortest round of each counts. The
contenders are standard loggers with the standard QueueHandler, standard loggers with a subclass of it whose
prepare() does nothing, and accelerated loggers with a LocalQueueHandler, each in a process of its own: a process
in which loggers were changed again and again runs none of them as a service would. Except for the backlog, the
queues are emptied after each round. The plain call is also compared with picologging's own loggers, and made in a
coroutine under uvloop, where these are installed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.handlers
import queue
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import logflume
from common import NoPrepare

try:
    import uvloop
except ImportError:
    uvloop = None
try:
    import picologging
    import picologging.handlers
except ImportError:
    picologging = None

CALLS = 500
BACKLOG = 200_000
LOGGER = logging.getLogger("a.b.c")
EXTRA = {"request_id": "abc", "user": 5}


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


def coroutine_uvloop(calls: int) -> float:
    async def main() -> float:
        return plain(calls)

    return uvloop.run(main())


def in_threads(count: int) -> Callable[[int], float]:
    """Return a case in which that many threads share the calls."""

    def case(calls: int) -> float:
        ready = threading.Barrier(count + 1)

        def work() -> None:
            ready.wait()
            plain(calls // count)

        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        ready.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    return case


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
    **({"in a coroutine under uvloop": coroutine_uvloop} if uvloop else {}),
    "with extra": with_extra,
    "argument of a user's class": user_class,
    "LoggerAdapter": adapter,
    "disabled level": disabled,
    "exception at depth 20": exception,
}


THREADS = {f"{count} thread{'s' if count > 1 else ''}": in_threads(count) for count in (1, 2, 4, 8)}


@contextmanager
def contender(name: str) -> Iterator[queue.SimpleQueue[logging.LogRecord]]:
    make, accelerated = CONTENDERS[name]
    handler = make()
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.INFO)
    if accelerated:
        logflume.accelerate_loggers()
    try:
        yield handler.queue  # type: ignore[misc]
    finally:
        logflume.restore_loggers()
        logging.root.handlers.clear()


def serve(name: str) -> None:
    """Run a round of a case for each line on standard input, as one of the contenders."""
    with contender(name) as records:
        for line in sys.stdin:
            case, collector, calls = line.rstrip().split(",")
            (gc.enable if collector == "on" else gc.disable)()
            seconds = (CASES | THREADS)[case](int(calls))
            while not records.empty():
                records.get()
            print(seconds, flush=True)


@contextmanager
def servers() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Start a process for each contender."""
    with ExitStack() as stack:
        processes = {}
        for name in CONTENDERS:
            processes[name] = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, __file__, "--serve", name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            )
        yield processes


def shortest(case: str, collector: str, calls: int, rounds: int) -> dict[str, float]:
    """Return nanoseconds a call for each contender."""
    times = dict.fromkeys(CONTENDERS, float("inf"))
    with servers() as processes:
        for _ in range(rounds):
            for name, process in processes.items():
                print(case, collector, calls, sep=",", file=process.stdin)
                times[name] = min(times[name], float(process.stdout.readline()))
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


def resident(name: str, records: int = 500_000) -> float:
    """Return by how much the process grows for one queued plain record."""
    done = subprocess.run(
        [sys.executable, __file__, "--resident", name, str(records)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def print_resident(name: str, records: int) -> None:
    import resource  # not on Windows

    def size() -> int:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    with contender(name) as queued:
        plain(100)
        before = size()
        plain(records)
        print((size() - before) / records)
        while not queued.empty():
            queued.get()


def against_picologging(rounds: int) -> None:
    """Print how much faster the plain call is than that of picologging's own loggers."""

    class PicoNoPrepare(picologging.handlers.QueueHandler):
        def prepare(self, record: object) -> object:
            return record

    pico = picologging.getLogger("a.b.c")
    picologging.getLogger().setLevel(picologging.INFO)

    def pico_plain(handler: object) -> float:
        picologging.getLogger().handlers[:] = [handler]
        start = time.perf_counter()
        for _ in range(CALLS):
            pico.info("hello %s %d", "x", 5)
        return time.perf_counter() - start

    for collector in ("on", "off"):
        (gc.enable if collector == "on" else gc.disable)()
        times = dict.fromkeys(("as it is", "no prepare", "logflume"), float("inf"))
        for _ in range(rounds):
            for name, handler_class in (
                ("as it is", picologging.handlers.QueueHandler),
                ("no prepare", PicoNoPrepare),
            ):
                handler = handler_class(queue.SimpleQueue())
                times[name] = min(times[name], pico_plain(handler))
                assert handler.queue.qsize() == CALLS
            with contender("logflume"):
                times["logflume"] = min(times["logflume"], plain(CALLS))
        nanoseconds = {name: seconds / CALLS * 1e9 for name, seconds in times.items()}
        row(f"picologging {picologging.__version__}", collector, nanoseconds, "ns")


def row(case: str, collector: str, values: dict[str, float], unit: str) -> None:
    best = values["logflume"]
    others = [name for name in values if name != "logflume"]
    print(
        f"{case:28} {collector:4}"
        + "".join(f"{value:10.0f}" for value in values.values())
        + f" {unit:5}"
        + "".join(f"{values[name] / best:9.1f}x" for name in others)
    )


def main(rounds: int = 40) -> None:
    print(f"Python {sys.version.split()[0]}, logflume {logflume.__version__} ({logflume.IMPLEMENTATION})")
    print(f"{'':28} {'gc':4}{'standard':>10}{'no prep.':>10}{'logflume':>10} {'':5}{'faster than':>15}")
    for case in CASES:
        for collector in ("on", "off"):
            row(case, collector, shortest(case, collector, CALLS, rounds), "ns")
    for case in THREADS:
        row(case, "on", shortest(case, "on", CALLS * 8, max(rounds // 4, 3)), "ns")
    if picologging:
        against_picologging(rounds)
    for collector in ("on", "off"):
        row(f"backlog of {BACKLOG:,}", collector, shortest("plain", collector, BACKLOG, 2), "ns")
    gc.enable()
    row("a queued plain record", "", {name: memory(name) for name in CONTENDERS}, "bytes")
    if sys.platform == "linux":
        row("the same, resident", "", {name: resident(name) for name in CONTENDERS}, "bytes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    elif sys.argv[1:2] == ["--resident"]:
        print_resident(sys.argv[2], int(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
