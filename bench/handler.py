"""What a queue handler costs the caller: handle() of one record, and the import of the package.

    python bench/handler.py

Every contender enqueues the same plain record, or records with an exception that was not formatted before,
into a SimpleQueue of its own, which is emptied after each round. The
rounds alternate, and the best of each contender counts. "net" is less what an empty call of a C function costs.
"""

from __future__ import annotations

import gc
import logging
import logging.handlers
import os
import queue
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from common import NoPrepare

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import cores

ROUNDS = 30


class NoPrepareEmit(logging.handlers.QueueHandler):
    """The same, cut out in emit()."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.enqueue(record)
        except Exception:
            self.handleError(record)


def plain() -> logging.LogRecord:
    return logging.LogRecord("a.b.c", 20, "/srv/app.py", 7, "hello %s %d", ("x", 5), None, "call")


def raised(depth: int = 20) -> logging.LogRecord:
    try:
        if depth:
            return raised(depth - 1)
        raise ValueError("bench")
    except ValueError:
        return logging.LogRecord("a.b.c", 40, "/srv/app.py", 7, "hello %s", ("x",), sys.exc_info(), "call")


def measure(
    contenders: dict[str, tuple[Callable, queue.SimpleQueue | None]], make: Callable, count: int
) -> dict[str, float]:
    """Return nanoseconds a call for each contender. Each call gets what `make` returns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, (function, q) in contenders.items():
            records = [make() for _ in range(count)]
            before = time.perf_counter_ns()
            for record in records:
                function(record)
            best[name] = min(best[name], (time.perf_counter_ns() - before) / count)
            if q is not None:
                if q.qsize() != count:
                    raise SystemExit(f"{name}: {q.qsize()} of {count} records arrived")
                while q.qsize():
                    q.get_nowait()
    return best


def handlers() -> dict[str, tuple[Callable, queue.SimpleQueue | None]]:
    contenders: dict[str, tuple[Callable, queue.SimpleQueue | None]] = {}
    for core in cores.available():
        with cores.imported(core) as package:
            handler = package.LocalQueueHandler()
            contenders[f"logflume, {core}"] = handler.handle, handler.queue
    for name, cls in [
        ("no prepare(), Python", NoPrepareEmit),
        ("no prepare(), overridden", NoPrepare),
        ("standard QueueHandler", logging.handlers.QueueHandler),
    ]:
        q: queue.SimpleQueue = queue.SimpleQueue()
        contenders[name] = cls(q).handle, q
    return contenders


def table(title: str, times: dict[str, float], empty: float) -> None:
    ours = next(iter(times))
    print(f"\n{title}\n{'':28} {'ns':>9} {'net':>9} {'x ' + ours + ', net':>24}")
    for name, ns in times.items():
        print(f"{name:28} {ns:9.0f} {ns - empty:9.0f} {(ns - empty) / (times[ours] - empty):24.2f}")


def imports() -> None:
    """Compare the time to import the package with logging.handlers alone, in alternating processes."""
    script = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    took: dict[str, list[float]] = {"logging.handlers": [], "logging.handlers, logflume": []}
    for _ in range(15):
        for modules, seconds in took.items():
            done = subprocess.run(
                [sys.executable, "-c", script.format(modules)], capture_output=True, check=True
            )
            seconds.append(float(done.stdout))
    base, both = (statistics.median(seconds) for seconds in took.values())
    print(f"\nimport logflume: {(both - base) * 1000:.1f} ms beyond logging.handlers ({base * 1000:.1f} ms)")


def main() -> None:
    gc.disable()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, best of {ROUNDS} rounds")
    q: queue.SimpleQueue = queue.SimpleQueue()
    # id() of a small object is as near as a call of a C function with one argument comes to nothing.
    yardsticks = {"empty call": (callable, None), "SimpleQueue.put": (q.put, q)}
    record = plain()
    times = measure({**handlers(), **yardsticks}, lambda: record, 5000)
    table("handle() of a plain record", times, times["empty call"])
    times = measure({**handlers(), "empty call": (callable, None)}, raised, 100)
    table("handle() of a record with exc_info, 20 frames deep", times, times["empty call"])
    imports()


if __name__ == "__main__":
    main()
