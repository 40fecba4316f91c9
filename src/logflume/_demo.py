"""The demonstration behind `python -m logflume` and `make demo`.

For each set-up of logging one process runs an asyncio server on loopback and a second one its clients. The clients
send at a fixed rate, so that every set-up does the same work, and a request that had to wait for a late answer counts
from when it was due. The server measures how late its event loop is, and checks at the end that every record arrived.
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CONNECTIONS = 16
RATE = 1000  # requests a second, over all connections
WARM_UP = 300  # requests that are answered and logged, and not measured
RECORDS = 5  # a request
TRACEBACK_EACH = 100  # requests
SLOW_EACH = 500  # records
SLOW_SECONDS = 0.02  # a rotation, a sync, a full pipe

SETUPS = {
    "none": "no logging",
    "direct": "handlers attached",
    "standard": "standard queue",
    "logflume": "logflume",
}


# ---- the server's process ----


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
    if setup == "logflume":
        from . import setup_logging_queue

        return setup_logging_queue().stop
    return lambda: None


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError("no such order")


class Server:
    """Answers lines with lines and logs what a service would log."""

    def __init__(self, logs: bool) -> None:
        self.logs = logs
        self.log = logging.getLogger("shop.orders")
        self.requests = 0
        self.records = 0
        self.logging_seconds = 0.0
        self.worst_stall = 0.0

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

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if self.logs:
                begun = time.perf_counter()
                self.log_request(line.decode().strip())
                self.logging_seconds += time.perf_counter() - begun
            self.requests += 1
            if self.requests == WARM_UP:
                self.logging_seconds = self.worst_stall = 0.0
            writer.write(b"ok\n")
        writer.close()

    async def watch(self) -> None:
        """Keep the longest time by which the loop was late for a timer."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.001
            await asyncio.sleep(0.001)
            self.worst_stall = max(self.worst_stall, loop.time() - due)


async def serve(setup: str, requests: int) -> tuple[Server, dict[str, float]]:
    server = Server(logs=setup != "none")
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    command = [sys.executable, "-m", "logflume._demo", "clients", str(port), str(requests)]
    clients = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    watch = asyncio.create_task(server.watch())
    output, _ = await clients.communicate()
    watch.cancel()
    listening.close()
    if clients.returncode:
        raise SystemExit(f"the clients failed: {clients.returncode}")
    return server, json.loads(output)


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


def run_server(setup: str, slow: bool, requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.log")
        file = logging.FileHandler(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s #%(number)d %(message)s"))
        slow_handler = SlowHandler()
        stop = configure(setup, [file, slow_handler] if slow else [file])
        server, latency = asyncio.run(serve(setup, requests))
        stop()
        file.close()
        found = re.findall(r"^\S+ \S+ \w+ \S+ #(\d+) ", path.read_text("utf-8"), re.M)
        expected = requests * RECORDS if server.logs else 0
        problems = [verify(map(int, found), expected, "file")]
        if slow:
            problems.append(verify(slow_handler.numbers, expected, "slow handler"))
    result = {
        **latency,
        "stall": server.worst_stall,
        "logging": server.logging_seconds / max(1, server.requests - WARM_UP),
        "records": server.records,
        "problems": [problem for problem in problems if problem],
    }
    print(json.dumps(result))


# ---- the clients' process ----


async def drive(port: int, requests: int) -> list[float]:
    """Send the requests on time over all connections and return their latencies."""
    latencies: list[float] = []
    start = time.perf_counter() + 0.1

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
            if number >= WARM_UP:
                latencies.append(time.perf_counter() - due)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*map(connection, range(CONNECTIONS)))
    return latencies


def run_clients(port: int, requests: int) -> None:
    latencies = sorted(asyncio.run(drive(port, requests)))
    print(json.dumps({"p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100]}))


# ---- the process that shows it ----


def measure(setup: str, slow: bool, requests: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "logflume._demo", "server", setup, str(int(slow)), str(requests)]
    timeout = 60 + 5 * requests / RATE
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"problems": [f"the server was not done after {timeout:.0f} s"]}
    if done.returncode:
        return {"problems": [f"the server's process ended with {done.returncode}"]}
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def row(label: str, result: dict[str, Any]) -> str:
    if "p50" not in result:
        return f"  {label:<20}failed"
    p50, p99, stall = (f"{result[key] * 1e3:.2f} ms" for key in ("p50", "p99", "stall"))
    spent = f"{result['logging'] * 1e6:.0f} us" if result["records"] else "-"
    return f"  {label:<20}{p50:>10}{p99:>10}{stall:>13}{spent:>11}{result['records']:>10,}"


def main(arguments: list[str] | None = None) -> int:
    from . import IMPLEMENTATION, __version__

    parser = argparse.ArgumentParser(
        prog="python -m logflume", description="Measure what logging costs an asyncio server on this machine."
    )
    parser.add_argument("--seconds", type=float, default=2.5, help="of load for each set-up (default: 2.5)")
    parser.add_argument("--no-slow", action="store_true", help="leave out the runs with a slow handler")
    options = parser.parse_args(arguments)
    if options.seconds <= 0:
        parser.error("--seconds must be more than 0")

    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(
        f"""logflume {__version__}, {IMPLEMENTATION}, on {python}, {platform.system()}, {os.cpu_count()} cores

An asyncio server on loopback; {CONNECTIONS} connections from another process send
{RATE:,} requests a second. Each request logs {RECORDS} records to a file, one request
of {TRACEBACK_EACH} a traceback. Each set-up runs in processes of its own:

  handlers attached   to the root logger
  standard queue      logging.handlers.QueueHandler and QueueListener
  logflume            logflume.setup_logging_queue()
""",
        flush=True,
    )
    requests = WARM_UP + int(RATE * options.seconds)
    runs = [(setup, False) for setup in SETUPS]
    if not options.no_slow:
        runs += [(setup, True) for setup in SETUPS if setup != "none"]
    problems = []
    print(f"  {'':<20}{'p50':>10}{'p99':>10}{'worst stall':>13}{'log calls':>11}{'records':>10}")
    for setup, slow in runs:
        if slow and setup == "direct":
            milliseconds = SLOW_SECONDS * 1e3
            print(
                f"\n  and a second handler, which takes {milliseconds:.0f} ms for one record of {SLOW_EACH}:"
            )
        result = measure(setup, slow, requests)
        print(row(SETUPS[setup], result), flush=True)
        label = SETUPS[setup] + (", a slow handler" if slow else "")
        problems += [f"{label}: {problem}" for problem in result["problems"]]
    print(
        "\np50, p99: latency of a request. worst stall: how late the event loop came to a"
        "\ntimer. log calls: time that a request spent in them.\n"
    )
    print("\n".join(problems) or "Every record arrived, once and in order, in every set-up.")
    return bool(problems)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", setup, slow, requests]:
            run_server(setup, slow == "1", int(requests))
        case ["clients", port, requests]:
            run_clients(int(port), int(requests))
        case _:
            raise SystemExit("run it as: python -m logflume")
