"""What logging costs an asyncio server: requests per second, latency and CPU, with each way to log.

    python bench/server.py [--seconds 3] [--rounds 2] [--records 10 1] [--rate 0 1500] [contender ...]

An echo server (asyncio protocols) answers 16 connections that another process drives in a closed loop, or at a
fixed rate. Each request logs some records to a file. Every contender runs in a process of its own, the rounds
alternate between them, and a run whose file does not hold every record once and in order is an error.

The server is confined to one core first, and then free to use two; the clients have the last core.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import logging.handlers
import os
import queue
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS = 16
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CONTENDERS = ["none", "synchronous", "standard", "no-prepare", "logflume"]
logger = logging.getLogger("bench.server.echo")


class NoPrepare(logging.handlers.QueueHandler):
    """The standard handler with prepare() cut out: what people write today."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


@contextlib.contextmanager
def logging_set_up(contender: str, path: str):
    file = logging.FileHandler(path)
    file.setFormatter(logging.Formatter(FORMAT))
    logging.root.handlers = [file]
    logging.root.setLevel(logging.INFO)
    if contender in ("standard", "no-prepare"):
        records = queue.SimpleQueue()
        cls = NoPrepare if contender == "no-prepare" else logging.handlers.QueueHandler
        logging.root.handlers = [cls(records)]
        listener = logging.handlers.QueueListener(records, file)
        listener.start()
        yield lambda: records.qsize()
        listener.stop()
    elif contender == "logflume":
        import logflume

        logflume.accelerate_loggers()
        with logflume.setup_logging_queue() as listener:
            yield lambda: listener.queue.qsize()
    else:
        yield lambda: 0


class Echo(asyncio.Protocol):
    records = 0
    requests = 0

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        number = Echo.requests
        Echo.requests += 1
        for i in range(self.records):
            logger.info("request %d of %s: %d", number, "client", i)
        self.transport.write(data)


def serve(contender: str, path: str, records: int, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    # asyncio allocates 256 KiB to receive. glibc maps and unmaps them each time, which takes as long as the rest of
    # a request, until a program has freed something larger: let all contenders have done so.
    bytes(1 << 20)
    Echo.records = 0 if contender == "none" else records

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        server.close()

    with logging_set_up(contender, path) as backlog:
        before = time.process_time()
        asyncio.run(main())
        left = backlog()
        used = time.process_time() - before
        ending = time.process_time()
    print(Echo.requests, used, left, time.process_time() - ending, flush=True)


def drive(port: int, seconds: float, rate: float, core: int) -> tuple[float, list[float]]:
    """Return requests per second and the latencies (seconds) of one run."""
    os.sched_setaffinity(0, [core])
    connections = {}
    poll = select.epoll()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    sent = dict.fromkeys(connections, 0.0)
    idle = list(connections)
    latencies: list[float] = []
    clock = time.perf_counter
    start = clock()
    end = start + seconds
    due = start
    request = b"x" * 32
    while (now := clock()) < end or len(idle) < CONNECTIONS:
        while idle and now < end and (not rate or now >= due):
            fd = idle.pop()
            # At a fixed rate the latency counts from when the request was due, so that a stall shows in full.
            sent[fd] = due if rate else now
            due += 1 / rate if rate else 0
            connections[fd].send(request)
        # In the closed loop the clients spin: to wake them would cost the server more than its own work.
        wait = max(0.0, min(0.05, due - clock())) if rate and idle else 0.05 if rate else 0.0
        for fd, _ in poll.poll(wait):
            connections[fd].recv(4096)
            latencies.append(clock() - sent[fd])
            idle.append(fd)
    elapsed = clock() - start
    for connection in connections.values():
        connection.close()
    return len(latencies) / elapsed, latencies


def check(path: Path, requests: int, records: int) -> None:
    """Raise unless the file holds every record of every request, once and in order."""
    with path.open() as lines:
        n = -1
        for n, line in enumerate(lines):
            expected = f"request {n // records} of client: {n % records}\n"
            if not line.endswith(expected):
                raise SystemExit(f"line {n} of {path} is {line!r}, not {expected!r}")
    if n + 1 != requests * records:
        raise SystemExit(f"{requests * records} records were logged and {n + 1} arrived")


def run(contender: str, records: int, cores: list[int], seconds: float, rate: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        server = subprocess.Popen(
            [
                sys.executable,
                __file__,
                "--serve",
                contender,
                str(path),
                str(records),
                ",".join(map(str, cores)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        per_second, latencies = drive(port, seconds, rate, max(os.sched_getaffinity(os.getppid())))
        server.stdin.write("\n")
        server.stdin.flush()
        requests, used, left, ending = server.stdout.readline().split()
        server.wait()
        if contender != "none":
            check(path, int(requests), records)
    latencies.sort()
    return {
        "rps": per_second,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "cpu": (float(used) + float(ending)) / int(requests),
        "left": int(left) / max(1, int(requests) * records),
    }


def table(args: argparse.Namespace, records: int, cores: list[int], rate: float) -> None:
    results: dict[str, list[dict[str, float]]] = {contender: [] for contender in args.contenders}
    for _ in range(args.rounds):
        for contender in args.contenders:
            results[contender].append(run(contender, records, cores, args.seconds, rate))
    middle = {
        contender: {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        for contender, runs in results.items()
    }
    load = f"{rate:.0f} requests/s" if rate else "closed loop"
    print(f"\n{records} records a request, {load}, the server on {len(cores)} core(s)")
    print(
        f"{'':12} {'req/s':>8} {'share':>7} {'p50 x':>7} {'p99 x':>7} {'us CPU/record':>14} {'left at end':>12}"
    )
    base = middle["none"]
    for contender, r in middle.items():
        cpu = (r["cpu"] - base["cpu"]) / records * 1e6
        print(
            f"{contender:12} {r['rps']:8.0f} {r['rps'] / base['rps']:7.1%} {r['p50'] / base['p50']:7.2f} "
            f"{r['p99'] / base['p99']:7.2f} {cpu:14.2f} {r['left']:12.1%}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("contenders", nargs="*", default=CONTENDERS)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--records", type=int, nargs="*", default=[10, 1])
    parser.add_argument("--rate", type=float, nargs="*", default=[0, 1500])
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2])
    args = parser.parse_args()
    if "none" not in args.contenders:
        args.contenders.insert(0, "none")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("needs two cores: one for the server, one for the clients")
    for rate in args.rate:
        for records in args.records if not rate else [max(args.records)]:
            for n in args.cores:
                table(args, records, cores[:n], rate)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        _, _, contender, path, records, cores = sys.argv
        serve(contender, path, int(records), [int(core) for core in cores.split(",")])
    else:
        main()
