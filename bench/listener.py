"""How the listener keeps up, and what an event loop notices of it.

    python bench/listener.py [--seconds 60]

Flat out: one thread logs without a break, and the clock runs until the last record is in the file. Backlog: the
same for longer, looking at the length of the queue and the memory; a minute writes 6 GB, so give TMPDIR=/dev/shm where
the disk is slower than 100 MB/s. Ticker: how late a 1 ms ticker of an event loop is while 100,000 records, logged
before, are delivered. A process for each, and every file is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import logging.handlers
import os
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import FORMAT, NoPrepare, check

CONTENDERS = ["standard", "no-prepare", "logflume"]
ROUNDS = 3
logger = logging.getLogger("bench.listener")


def set_up(contender: str, path: str):
    """Return the queue, and what delivers the rest."""
    file = logging.FileHandler(path)
    file.setFormatter(logging.Formatter(FORMAT))
    logging.root.setLevel(logging.INFO)
    if contender == "logflume":
        import logflume

        logging.root.handlers = [file]
        listener = logflume.setup_logging_queue(accelerate=True)
        return listener.queue, listener.stop
    records: queue.SimpleQueue = queue.SimpleQueue()
    logging.root.handlers = [
        (NoPrepare if contender == "no-prepare" else logging.handlers.QueueHandler)(records)
    ]
    standard = logging.handlers.QueueListener(records, file)
    standard.start()
    return records, standard.stop


def message(number: int) -> str:
    return f"record {number} of x"


def flat_out(contender: str, path: str) -> float:
    count = 200_000
    _, stop = set_up(contender, path)
    start = time.perf_counter()
    for i in range(count):
        logger.info("record %d of %s", i, "x")
    stop()
    took = time.perf_counter() - start
    check(path, count, message)
    return count / took


def backlog(contender: str, path: str, seconds: float) -> str:
    records, stop = set_up(contender, path)
    lengths = []
    end = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < end:
        for _ in range(1000):
            logger.info("record %d of %s", count, "x")
            count += 1
        lengths.append(records.qsize())
    stop()
    check(path, count, message)
    half = len(lengths) // 2
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{count} {max(lengths[:half])} {max(lengths[half:])} {memory}"


def ticker(contender: str, path: str) -> str:
    count = 0 if contender == "none" else 100_000

    async def tick(until) -> list[float]:
        late = []
        due = time.perf_counter()
        while not until() or len(late) < 1500:
            due += 0.001
            await asyncio.sleep(due - time.perf_counter())
            now = time.perf_counter()
            late.append(now - due)
            due = max(due, now)
        return late

    if contender == "none":
        late = asyncio.run(tick(lambda: True))
    else:
        records, stop = set_up(contender, path)
        thread = threading.Thread(
            target=lambda: [logger.info("record %d of %s", i, "x") for i in range(count)]
        )
        thread.start()
        thread.join()
        late = asyncio.run(tick(lambda: records.qsize() == 0))
        stop()
        check(path, count, message)
    late.sort()
    return f"{late[len(late) // 2]} {late[len(late) * 99 // 100]} {late[len(late) * 999 // 1000]} {late[-1]}"


def child(what: str, contender: str, *more: str) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, "--child", what, contender, str(Path(folder, "log")), *more],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20, help="of the backlog run")
    args = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, medians of {ROUNDS} rounds")
    rates: dict[str, list[float]] = {contender: [] for contender in CONTENDERS}
    for _ in range(ROUNDS):
        for contender in CONTENDERS:
            rates[contender] += child("flat_out", contender)
    best = statistics.median(rates["logflume"])
    print(f"\n{'flat out, one thread':24} {'records/s':>12} {'logflume x':>12}")
    for contender, found in rates.items():
        print(f"{contender:24} {statistics.median(found):12.0f} {best / statistics.median(found):12.1f}")

    print(f"\n{'ticker, ms late':24} {'p50':>8} {'p99':>8} {'p99.9':>8} {'worst':>8}")
    lateness: dict[str, list[list[float]]] = {contender: [] for contender in ["none", *CONTENDERS]}
    for _ in range(ROUNDS):
        for contender, runs in lateness.items():
            runs.append(child("ticker", contender))
    for contender, runs in lateness.items():
        print(
            f"{contender:24}",
            *(f"{statistics.median(column) * 1000:8.2f}" for column in zip(*runs, strict=True)),
        )

    count, first, second, memory = child("backlog", "logflume", str(args.seconds))
    print(
        f"\nbacklog: {count:.0f} records in {args.seconds:.0f} s; longest queue {first:.0f} in the first half and "
        f"{second:.0f} in the second; at most {memory:.0f} MiB"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _, _, what, contender, path, *more = sys.argv
        if what == "backlog":
            print(backlog(contender, path, float(more[0])))
        else:
            print({"flat_out": flat_out, "ticker": ticker}[what](contender, path))
    else:
        main()
