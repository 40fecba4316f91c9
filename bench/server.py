"""What logging costs an asyncio server: requests per second, latency and CPU, with each way to log.

    python bench/server.py [--server streams protocol] [--records 10 1] [--rate 0 1500] [contender ...]

An echo server (asyncio's streams, or a bare protocol, which does half as much for a request) answers 16 connections
that another process drives in a closed loop, or at a fixed rate. Each request logs some records to a file. Every
contender runs in a process of its own. All run at once, and each in turn gets the load for a fraction of a second:
speeds change from one second to the next, and what is compared is what was measured beside each other. A run whose
file does not hold every record once and in order is an error.

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

from common import FORMAT, NoPrepare, check

CONNECTIONS = 16
CONTENDERS = [
    "none",
    "synchronous",
    "standard",
    "no-prepare",
    "logflume",
]  # "picologging" writes synchronously, too
logger = logging.getLogger("bench.server.echo")


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
    elif contender == "picologging":
        import picologging

        fast = picologging.FileHandler(path)
        fast.setFormatter(picologging.Formatter(FORMAT))
        global logger
        logger = picologging.getLogger(logger.name)
        logger.setLevel(picologging.INFO)
        logger.addHandler(fast)
        yield lambda: 0
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


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do what Echo does, as most servers are written."""
    while data := await reader.read(65536):
        number = Echo.requests
        Echo.requests += 1
        for i in range(Echo.records):
            logger.info("request %d of %s: %d", number, "client", i)
        writer.write(data)
        await writer.drain()
    writer.close()


def serve(kind: str, contender: str, path: str, records: int, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    # asyncio allocates 256 KiB to receive. glibc maps and unmaps them each time, which takes as long as the rest of
    # a request, until a program has freed something larger: let all contenders have done so.
    bytes(1 << 20)
    Echo.records = 0 if contender == "none" else records

    async def main() -> None:
        loop = asyncio.get_running_loop()
        if kind == "streams":
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
        else:
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


class Server:
    """A server in a process of its own, and what it was measured to do."""

    def __init__(self, kind: str, contender: str, folder: str, records: int, cores: list[int]) -> None:
        self.contender = contender
        self.records = records
        self.path = Path(folder, contender)
        self.turns: list[dict[str, float]] = []
        arguments = [kind, contender, str(self.path), str(records), ",".join(map(str, cores))]
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def measure(self, seconds: float, rate: float, core: int) -> None:
        per_second, latencies = drive(self.port, seconds, rate, core)
        latencies.sort()
        self.turns.append(
            {
                "rps": per_second,
                "p50": latencies[len(latencies) // 2],
                "p99": latencies[len(latencies) * 99 // 100],
            }
        )

    def end(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        requests, used, left, ending = self.process.stdout.readline().split()
        self.process.wait()
        if self.contender != "none":
            count = self.records
            check(self.path, int(requests) * count, lambda n: f"request {n // count} of client: {n % count}")
        self.cpu = (float(used) + float(ending)) / int(requests)
        self.left = int(left) / max(1, int(requests) * self.records)


def table(args: argparse.Namespace, kind: str, records: int, cores: list[int], rate: float) -> None:
    load = f"{rate:.0f} requests/s" if rate else "closed loop"
    print(f"\n{kind}, {records} records a request, {load}, the server on {len(cores)} core(s)")
    print(
        f"{'':12} {'req/s':>8} {'share':>7} {'p50 x':>7} {'p99 x':>7} {'us CPU/record':>14} {'left at end':>12}"
    )
    client = max(os.sched_getaffinity(os.getppid()))
    with tempfile.TemporaryDirectory() as folder:
        servers = [Server(kind, contender, folder, records, cores) for contender in args.contenders]
        for turn in range(args.turns + 1):
            for server in servers[:: 1 if turn % 2 else -1]:
                server.measure(args.seconds, rate, client)
        for server in servers:
            del server.turns[0]  # to get warm
            server.end()
    base = servers[args.contenders.index("none")]
    for server in servers:

        def middle(key: str, turns: list[dict[str, float]] = server.turns) -> float:
            return statistics.median(
                turn[key] / beside[key] for turn, beside in zip(turns, base.turns, strict=True)
            )

        per_second = statistics.median(turn["rps"] for turn in server.turns)
        cpu = (server.cpu - base.cpu) / records * 1e6
        print(
            f"{server.contender:12} {per_second:8.0f} {middle('rps'):7.1%} {middle('p50'):7.2f} "
            f"{middle('p99'):7.2f} {cpu:14.2f} {server.left:12.1%}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("contenders", nargs="*", default=CONTENDERS)
    parser.add_argument("--server", nargs="*", default=["streams", "protocol"])
    parser.add_argument("--seconds", type=float, default=0.4, help="of one turn")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--records", type=int, nargs="*", default=[10, 1])
    parser.add_argument("--rate", type=float, nargs="*", default=[0, 1500])
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2])
    args = parser.parse_args()
    if "none" not in args.contenders:
        args.contenders.insert(0, "none")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("needs two cores: one for the server, one for the clients")
    for kind in args.server:
        for rate in args.rate:
            for records in args.records if not rate else [max(args.records)]:
                for n in args.cores:
                    table(args, kind, records, cores[:n], rate)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        _, _, kind, contender, path, records, cores = sys.argv
        serve(kind, contender, path, int(records), [int(core) for core in cores.split(",")])
    else:
        main()
