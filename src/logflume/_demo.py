"""The demonstration behind `python -m logflume` and `make demo`.

For each set-up of logging a process runs an asyncio server on loopback. This process is the client of all of them, one
after the other and again, so that what else the machine does meets every set-up; medians of the rounds are shown. It
sends at a fixed rate, so that every set-up does the same work, and a request that had to wait for a late answer counts
from when it was due. A server measures how late its event loop is, and checks at the end that every record arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
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
from collections.abc import Callable, Iterable, Iterator
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


# ---- a server's process ----


class SlowHandler(logging.Handler):
    """Stands for a disk or a network that is slow now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.numbers.append(record.__dict__["number"])
        if len(self.numbers) % SLOW_EACH == 0:
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


class Server:
    """Answers lines with lines and logs what a service would log; `begin`, `end` and `stop` are the client's."""

    def __init__(self, logs: bool) -> None:
        self.logs = logs
        self.log = logging.getLogger("shop.orders")
        self.requests = 0
        self.records = 0
        self.seconds: list[float] = []  # in the log calls of each request
        self.worst_stall = 0.0
        self.watching: asyncio.Task[None] | None = None
        self.connections = 0
        self.is_stopped = False

    def numbered(self) -> dict[str, int]:
        self.records += 1
        return {"number": self.records - 1}

    def log_request(self, line: str) -> None:
        log = self.log
        log.info("request from %s: %s", "127.0.0.1", line, extra=self.numbered())
        log.info("customer %d found in %.1f ms", self.requests, 0.4, extra=self.numbered())
        log.info("%d items reserved", 3, extra=self.numbered())
        log.info("order %s stored", line, extra=self.numbered())
        if self.requests % TRACEBACK_EACH:
            log.info("answered %s", line, extra=self.numbered())
        else:
            try:
                fail(10)
            except ValueError:
                log.exception("request %s failed", line, extra=self.numbered())

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line.decode().strip())).encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.connections -= 1

    def answer(self, text: str) -> object:
        if text == "begin":
            self.seconds, self.worst_stall = [], 0.0
            self.watching = asyncio.create_task(self.watch())
        elif text == "end" and self.watching is not None:
            self.watching.cancel()
            return {"logging": statistics.median(self.seconds or [0.0]), "stall": self.worst_stall}
        elif text == "stop":
            self.is_stopped = True
        else:
            if self.logs:
                begun = time.perf_counter()
                self.log_request(text)
                self.seconds.append(time.perf_counter() - begun)
            self.requests += 1
        return "ok"

    async def watch(self) -> None:
        """Keep the longest time by which the loop was late for a timer."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.001
            await asyncio.sleep(0.001)
            self.worst_stall = max(self.worst_stall, loop.time() - due)


async def serve(setup: str) -> Server:
    server = Server(logs=setup != "none")
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    while server.connections or not server.is_stopped:
        await asyncio.sleep(0.02)
    listening.close()
    return server


def verify(numbers: Iterable[int], expected: int, where: str) -> str:
    """Return what is wrong with the numbers of the records that arrived, or nothing."""
    arrived = list(numbers)
    if arrived == list(range(expected)):
        return ""
    missing = len(set(range(expected)).difference(arrived))
    twice = len(arrived) - len(set(arrived))
    return f"{where}: {len(arrived)} of {expected} records arrived, {missing} missing, {twice} twice" + (
        "" if missing or twice else ", out of order"
    )


def run_server(setup: str, slow: bool) -> None:
    """Print the port, serve, and print at the end what is wrong with the records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.log")
        file = logging.FileHandler(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s #%(number)d %(message)s"))
        slow_handler = SlowHandler()
        stop = configure(setup, [file, slow_handler] if slow else [file])
        server = asyncio.run(serve(setup))
        stop()
        file.close()
        found = re.findall(r"^\S+ \S+ \w+ \S+ #(\d+) ", path.read_text("utf-8"), re.M)
        problems = [verify(map(int, found), server.records, "file")]
        if slow:
            problems.append(verify(slow_handler.numbers, server.records, "slow handler"))
    print(json.dumps([problem for problem in problems if problem]))


# ---- the client, which shows it ----


class Subject:
    """A server with one set-up, and what was measured of it."""

    def __init__(self, setup: str, slow: bool) -> None:
        command = [sys.executable, "-m", "logflume._demo", "server", setup, str(int(slow))]
        # In a session of its own: Ctrl-C is for this process, which ends the others.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.label = SETUPS[setup]
        self.setup = setup
        self.rounds: list[dict[str, float]] = []

    def median(self, key: str) -> float:
        return statistics.median(measured[key] for measured in self.rounds)

    def connect(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline() or 0)

    def finish(self) -> list[str]:
        """Wait for the end; return what is wrong."""
        try:
            output, _ = self.process.communicate(timeout=30)
            return [f"{self.label}: {problem}" for problem in json.loads(output)]
        except (subprocess.TimeoutExpired, ValueError):
            return [f"{self.label}: the server failed ({self.process.poll()})"]


async def ask(port: int, text: str) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answer


async def drive(port: int, requests: int) -> list[float]:
    """Send the requests on time over all connections and return their latencies."""
    latencies: list[float] = []
    start = time.perf_counter() + 0.02

    async def connection(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, requests, CONNECTIONS):
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

    await asyncio.gather(*map(connection, range(CONNECTIONS)))
    return sorted(latencies)


async def measure(port: int, requests: int) -> dict[str, float]:
    await ask(port, "begin")
    latencies = await drive(port, requests)
    told: dict[str, float] = await ask(port, "end")
    return {"p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100], **told}


async def compare(subjects: list[Subject], rounds: int, requests: int) -> list[str]:
    """Measure each of `subjects` in each round; return what is wrong."""
    ports = [subject.connect() for subject in subjects]
    async with asyncio.timeout(60 + 5 * rounds * len(subjects) * requests / RATE):
        for port in ports:
            await drive(port, WARM_UP)
        for _ in range(rounds):
            for subject, port in zip(subjects, ports, strict=True):
                subject.rounds.append(await measure(port, requests))
        for port in ports:
            await ask(port, "stop")
    return [problem for subject in subjects for problem in subject.finish()]


@contextlib.contextmanager
def running(setups: Iterable[str], slow: bool) -> Iterator[list[Subject]]:
    subjects: list[Subject] = []
    try:
        for setup in setups:
            subjects.append(Subject(setup, slow))
        yield subjects
    finally:
        for subject in subjects:
            subject.process.kill()
            subject.process.wait()


def colour(code: str, text: str) -> str:
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{code}m{text}\x1b[0m" if wanted else text


CODES = {"none": "2", "logflume": "32", "accelerated": "1;32"}


def show(subjects: list[Subject], key: str, title: str) -> None:
    """Print a table, and a bar for each of `subjects` that is as long as its `key`."""
    print(f"  {'':<23}{'p50':>10}{'p99':>10}{'worst stall':>13}{'log calls':>11}")
    for subject in subjects:
        p50, p99, stall = (f"{subject.median(name) * 1e3:.2f} ms" for name in ("p50", "p99", "stall"))
        spent = f"{subject.median('logging') * 1e6:.0f} us" if subject.setup != "none" else "-"
        line = f"  {subject.label:<23}{p50:>10}{p99:>10}{stall:>13}{spent:>11}"
        print(colour(CODES.get(subject.setup, "0"), line))
    width = max(10, shutil.get_terminal_size().columns - 26)
    most = max(subject.median(key) for subject in subjects) or 1.0
    print(f"\n  {title}:")
    for subject in subjects:
        bar = "#" * round(width * subject.median(key) / most)
        print(colour(CODES.get(subject.setup, "0"), f"  {subject.label:<23}{bar}".rstrip()))
    print(flush=True)


def verdict(subjects: list[Subject]) -> str:
    """Return what it comes to, in one line."""
    spent = {subject.setup: max(subject.median("logging"), 1e-9) * 1e6 for subject in subjects}
    ours = {"logflume": "with logflume", "accelerated": "accelerated"}
    shown = ", ".join(f"{spent[setup]:.0f} us {name}" for setup, name in ours.items() if setup in spent)
    times = " and ".join(f"{spent['direct'] / spent[setup]:.1f}" for setup in ours if setup in spent)
    return f"Log calls of a request: {shown}, {spent['direct']:.0f} us with handlers attached; {times} times less."


INTRODUCTION = f"""\
An asyncio server on loopback; {CONNECTIONS} connections from another process send
{RATE:,} requests a second. Each request logs {RECORDS} records to a file, one request
of {TRACEBACK_EACH} a traceback. Each set-up runs in a process of its own, in turns;
medians of {{}} rounds:

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
    with running(setups, slow=False) as subjects:
        problems = asyncio.run(compare(subjects, rounds, requests))
        show(subjects, "logging", "time in log calls")
        result = verdict(subjects)
    if slow_too:
        milliseconds = SLOW_SECONDS * 1e3
        print(
            f"And a second handler, which takes {milliseconds:.0f} ms for one record of {SLOW_EACH}:\n",
            flush=True,
        )
        with running(setups[1:], slow=True) as subjects:
            problems += asyncio.run(compare(subjects, rounds, requests))
            show(subjects, "stall", "worst stall of the event loop")
    print(EXPLANATION)
    print("\n".join(problems) or "Every record arrived, once and in order, in every set-up.")
    print(colour("1", result))
    return bool(problems)


def main(arguments: list[str] | None = None) -> int:
    from . import IMPLEMENTATION, __version__

    python = f"{platform.python_implementation()} {platform.python_version()}"
    version = (
        f"logflume {__version__}, {IMPLEMENTATION}, on {python}, {platform.system()}, {os.cpu_count()} cores"
    )
    parser = argparse.ArgumentParser(
        prog="python -m logflume", description="Measure what logging costs an asyncio server on this machine."
    )
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("--seconds", type=float, default=1.25, help="of load for each set-up (default: 1.25)")
    parser.add_argument("--rounds", type=int, default=5, help="in which a set-up has its turn (default: 5)")
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
    except (OSError, ValueError, TimeoutError) as error:
        print(f"a server failed: {error!r}")
        return 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", setup, slow]:
            try:
                run_server(setup, slow == "1")
            except BrokenPipeError:  # Ctrl-C ended the client while it started this process
                os._exit(1)  # without another attempt to write what stdout still has
        case _:
            raise SystemExit("run it as: python -m logflume")
