"""The demonstration behind `python -m logflume` and `make demo`.

Each set-up of logging has an asyncio server on loopback, in a process of its own, that answers requests at a fixed
rate, so that every set-up does the same work. They have their turns again and again, so that what else the machine does
meets every one; medians are shown. A request that had to wait for a late answer counts from when it was due. At its end
each process checks that every record arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import logging.handlers
import os
import platform
import queue
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CONNECTIONS = 16
RATE = 1000  # requests a second, over all connections
WARM_UP = 50  # requests that are answered and logged, and not measured
RECORDS = 5  # a request
TRACEBACK_EACH = 100  # requests
SLOW_EACH = 500  # records
SLOW_SECONDS = 0.02  # a rotation, a sync, a full pipe

SETUPS = {
    "none": "no logging",
    "direct": "handlers attached",
    "standard": "standard queue",
    "logflume": "logflume",
    "accelerated": "logflume, accelerated",
}
Measures = dict[str, float]  # "p50", "p99", "stall" and "logging", in seconds


# ---- a server's process ----


class SlowHandler(logging.Handler):
    """Stands for a disk or a network that is slow now and then."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.__dict__["number"] % SLOW_EACH == 0:
            time.sleep(SLOW_SECONDS)


def configure(setup: str, handlers: list[logging.Handler]) -> Callable[[], object]:
    """Set logging up as `setup` says and return what stops it again."""
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    if setup == "standard":  # as the standard library's documentation shows it
        waiting: queue.Queue[Any] = queue.Queue(-1)
        logging.basicConfig(level=logging.INFO, handlers=[logging.handlers.QueueHandler(waiting)], force=True)
        listener = logging.handlers.QueueListener(waiting, *handlers)
        listener.start()
        return listener.stop
    if setup in ("logflume", "accelerated"):
        from . import setup_logging_queue

        return setup_logging_queue(accelerate=setup == "accelerated").stop
    return lambda: None


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError("no such order")


def log_request(number: int, name: str) -> None:
    """Log what a service would log; the records are numbered."""
    log = logging.getLogger("shop.orders")
    numbered = [{"number": RECORDS * number + index} for index in range(RECORDS)]
    log.info("request from %s: %s", "127.0.0.1", name, extra=numbered[0])
    log.info("customer %d found in %.1f ms", number, 0.4, extra=numbered[1])
    log.info("%d items reserved", 3, extra=numbered[2])
    log.info("order %s stored", name, extra=numbered[3])
    if (number + 1) % TRACEBACK_EACH:
        log.info("answered %s", name, extra=numbered[4])
        return
    try:
        fail(10)
    except ValueError:
        log.exception("request %s failed", name, extra=numbered[4])


async def serve(logs: bool, requests: int) -> Measures:
    """Answer so many requests, and then some more that are measured."""
    spent: list[float] = []  # in the log calls of each request
    latencies: list[float] = []
    stalls: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            begun = time.perf_counter()
            if logs:
                log_request(len(spent), line.decode().strip())
            spent.append(time.perf_counter() - begun)
            writer.write(line)
        writer.close()

    async def ask(first: int, start: float, count: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        for number in range(first, count, CONNECTIONS):
            due = start + number / RATE
            early = due - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
                due = time.perf_counter()  # a timer's own lateness is not the server's
            writer.write(b"order-%d\n" % number)
            await reader.readline()
            latencies.append(time.perf_counter() - due)
        writer.close()
        await writer.wait_closed()

    async def watch() -> None:
        """Note by how much the loop is late for a timer."""
        while True:
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            stalls.append(time.perf_counter() - due)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    watching = asyncio.create_task(watch())
    for count in (WARM_UP, requests):
        latencies.clear()
        stalls.clear()
        start = time.perf_counter() + 0.02
        await asyncio.gather(*(ask(first, start, count) for first in range(CONNECTIONS)))
    watching.cancel()
    server.close()
    latencies.sort()
    return {
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "stall": max(stalls, default=0.0),
        "logging": statistics.median(spent[WARM_UP:]),
    }


def verify(numbers: Iterable[int], expected: int) -> str:
    """Return what is wrong with the numbers of the records that arrived, or nothing."""
    arrived = list(numbers)
    if arrived == list(range(expected)):
        return ""
    missing = len(set(range(expected)).difference(arrived))
    twice = len(arrived) - len(set(arrived))
    order = "" if missing or twice else ", out of order"
    return f"{len(arrived)} of {expected} records arrived, {missing} missing, {twice} twice{order}"


def run_server(setup: str, requests: int, slow: bool) -> tuple[Measures, str]:
    """Return what was measured, and what is wrong with the records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.log")
        file = logging.FileHandler(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s #%(number)d %(message)s"))
        stop = configure(setup, [file, SlowHandler()] if slow else [file])
        measured = asyncio.run(serve(setup != "none", requests))
        stop()
        file.close()
        found = map(int, re.findall(r"^\S+ \S+ \w+ \S+ #(\d+) ", path.read_text("utf-8"), re.M))
        return measured, verify(found, 0 if setup == "none" else RECORDS * (WARM_UP + requests))


# ---- the process that shows it ----


def measure(setups: Iterable[str], rounds: int, requests: int, slow: bool) -> tuple[dict[str, Measures], list[str]]:
    """Return the medians for each of `setups`, and what is wrong."""
    measured: dict[str, list[Measures]] = {setup: [] for setup in setups}
    problems: list[str] = []
    for setup in [*measured] * rounds:
        command = [sys.executable, "-m", "logflume._demo", setup, str(requests), str(int(slow))]
        # In a session of its own: Ctrl-C is for this process, which ends the other one.
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300, start_new_session=True)
        figures, problem = json.loads(done.stdout)
        measured[setup].append(figures)
        if problem:
            problems.append(f"{SETUPS[setup]}: {problem}")
    medians = {
        setup: {key: statistics.median(figures[key] for figures in each) for key in each[0]}
        for setup, each in measured.items()
    }
    return medians, problems


def show(medians: dict[str, Measures], key: str, title: str) -> None:
    """Print a table, and a bar for each set-up that is as long as its `key`."""
    print(f"  {'':<23}{'p50':>10}{'p99':>10}{'worst stall':>13}{'log calls':>11}")
    for setup, figures in medians.items():
        p50, p99, stall = (f"{figures[name] * 1e3:.2f} ms" for name in ("p50", "p99", "stall"))
        spent = f"{figures['logging'] * 1e6:.0f} us" if setup != "none" else "-"
        print(f"  {SETUPS[setup]:<23}{p50:>10}{p99:>10}{stall:>13}{spent:>11}")
    width = max(10, shutil.get_terminal_size().columns - 26)
    most = max(figures[key] for figures in medians.values()) or 1.0
    print(f"\n  {title}:")
    for setup, figures in medians.items():
        print(f"  {SETUPS[setup]:<23}{'#' * round(width * figures[key] / most)}".rstrip())
    print(flush=True)


def verdict(medians: dict[str, Measures]) -> str:
    """Return what it comes to, in one line."""
    spent = {setup: max(figures["logging"], 1e-9) * 1e6 for setup, figures in medians.items()}
    ours = {"logflume": "with logflume", "accelerated": "accelerated"}
    shown = ", ".join(f"{spent[setup]:.0f} us {name}" for setup, name in ours.items() if setup in spent)
    times = " and ".join(f"{spent['direct'] / spent[setup]:.1f}" for setup in ours if setup in spent)
    return f"Log calls of a request: {shown}, {spent['direct']:.0f} us with handlers attached; {times} times less."


INTRODUCTION = f"""\
An asyncio server on loopback; {CONNECTIONS} connections send {RATE:,} requests a second.
Each request logs {RECORDS} records to a file, one request of {TRACEBACK_EACH} a traceback.
Each set-up runs in processes of its own, in turns; medians of {{}} rounds:

  no logging             what the machine does by itself: less is noise
  handlers attached      to the root logger
  standard queue         logging.handlers.QueueHandler and QueueListener
  logflume               logflume.setup_logging_queue()
  logflume, accelerated  logflume.setup_logging_queue(accelerate=True)
"""
EXPLANATION = """\
p50, p99: latency of a request. worst stall: how late the event loop came to a
timer. log calls: time that a request spent in them.
"""


def demonstrate(rounds: int, requests: int, slow_too: bool) -> int:
    from . import IMPLEMENTATION

    setups = [setup for setup in SETUPS if setup != "accelerated" or IMPLEMENTATION == "compiled"]
    medians, problems = measure(setups, rounds, requests, slow=False)
    show(medians, "logging", "time in log calls")
    if slow_too:
        print(f"And a second handler, which takes {SLOW_SECONDS * 1e3:.0f} ms for one record of {SLOW_EACH}:\n")
        slow_medians, slow_problems = measure(setups[1:], rounds, requests, slow=True)
        show(slow_medians, "stall", "worst stall of the event loop")
        problems += slow_problems
    print(EXPLANATION)
    print("\n".join(problems) or "Every record arrived, once and in order, in every set-up.")
    print(verdict(medians))
    return bool(problems)


def main(arguments: list[str] | None = None) -> int:
    from . import IMPLEMENTATION, __version__

    python = f"{platform.python_implementation()} {platform.python_version()}"
    version = f"logflume {__version__}, {IMPLEMENTATION}, on {python}, {platform.system()}, {os.cpu_count()} cores"
    parser = argparse.ArgumentParser(
        prog="python -m logflume", description="Measure what logging costs an asyncio server on this machine."
    )
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("--seconds", type=float, default=1.25, help="of load for each set-up (default: 1.25)")
    parser.add_argument("--rounds", type=int, default=3, help="in which a set-up has its turn (default: 3)")
    parser.add_argument("--no-slow", action="store_true", help="leave out the runs with a slow handler")
    options = parser.parse_args(arguments)
    if options.seconds <= 0 or options.rounds <= 0:
        parser.error("--seconds and --rounds must be more than 0")
    try:
        print(f"{version}\n\n{INTRODUCTION.format(options.rounds)}", flush=True)
        requests = max(CONNECTIONS, int(RATE * options.seconds / options.rounds))
        return demonstrate(options.rounds, requests, not options.no_slow)
    except KeyboardInterrupt:
        print("\ninterrupted")
        return 130
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"a server failed: {error!r}")
        return 1


if __name__ == "__main__":
    setup, requests, slow = sys.argv[1:]
    result = json.dumps(run_server(setup, int(requests), slow == "1"))
    try:
        print(result, flush=True)
    except BrokenPipeError:  # Ctrl-C ended the process that reads it
        os._exit(1)  # without another attempt to write
