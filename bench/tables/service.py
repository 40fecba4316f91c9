"""A FastAPI service: requests a second and latency, as a share of the same service without logging."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import lines, process, ways
from ..table import Column, Options, Plot, Result, Row, Table
from .by_contender import quantiles

CONNECTIONS = 16
STEPS = 5
NONE = "none"
BY = (ways.ATTACHED.label, ways.NO_PREPARE.label, ways.LOGFLUME.label)
# What is logged, where its lines go, in which style, and by which handlers or package.
SETUPS = (
    ("no logging", "", "", (NONE,)),
    ("plain to a file", "file", "text", (*BY, "picologging, queue", "logust")),
    ("plain to stdout", "stdout", "text", BY),
    ("JSON to stdout", "stdout", "json", (*BY, "structlog, bytes and orjson", "loguru, serialize")),
    ("JSON to stdout, request-id filter", "stdout", "json", BY),
    ("uvicorn's formats to stdout", "stdout", "uvicorn", BY),
    ("only uvicorn's access lines to stdout", "stdout", "uvicorn", BY),
    ("structlog over logging, to stdout", "stdout", "json", BY),
)


class Service(Table):
    name = "service"
    title = "A FastAPI service"
    about = (
        f"FastAPI on uvicorn and uvloop; a request logs five records and uvicorn's access line. {CONNECTIONS} "
        "connections in a closed loop, from another process on the last core. The share is that of the requests a "
        "second without logging, in the same round; the service has one core, or both, of which one is the clients'. "
        "stdout is a pipe to `cat`. Packages with loggers of their own log the access line from the application."
    )
    columns = (
        Column("share", "of no logging", percent=True, spread=True, more_is_better=True),
        Column("rate", "requests", "1/s", more_is_better=True),
        Column("cpu", "CPU a request", "us"),
        Column("p50", "median", "ms", digits=2),
        Column("p99", "p99", "ms", digits=2),
        Column("p999", "p99.9", "ms", digits=2),
    )
    plot = Plot(
        "share",
        "Requests a second of a FastAPI service on one core, as a share of no logging",
        series="by",
        only={"cores": "one core"},
    )
    rounds = 2

    def rows(self, options: Options) -> list[Row]:
        return [
            Row(
                {"cores": cores, "logging": what, "by": by},
                scale=options.scale,
                parameters={"sink": sink, "style": style, "cores": count},
            )
            for count, cores in ((1, "one core"), (2, "two cores"))
            for what, sink, style, contenders in SETUPS
            for by in contenders
        ]

    def run(self, row: Row, folder: Path) -> Result:
        seconds = max(0.5, 1.5 * row.scale)
        what, by = row.labels["logging"], row.labels["by"]
        command = ["-m", "bench.service.app", what, by, str(folder)]
        try:
            with process.started(command, row, folder, process.CORES[: row.parameters["cores"]]) as service:
                port = self.port(service, folder)
                if port is None:
                    return process.result(folder)
                warm = self.drive(port, 0, 0.3)
                turn = self.drive(port, warm["requests"], seconds)
                service.send_signal(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            return {"unavailable": f"did not end within {process.PATIENCE:.0f} s"}
        result = process.result(folder)
        if "unavailable" in result:
            return result
        requests = warm["requests"] + turn["requests"]
        milliseconds = [1000 * latency for latency in turn["latencies"]]
        result = {
            "rate": turn["requests"] / turn["seconds"],
            "cpu": result["cpu"] / requests * 1e6,
            **quantiles(milliseconds, p50=0.5, p99=0.99, p999=0.999),
        }
        if by != NONE:
            sink, style = row.parameters["sink"], row.parameters["style"]
            result["sink"] = str(lines.check(folder / sink, wanted(requests, what), style, ordered=False))
        return result

    @staticmethod
    def port(service: subprocess.Popen, folder: Path) -> int | None:
        """Return the port when the service listens, None if it does not come to that."""
        while not (folder / "port.json").exists():
            if service.poll() is not None:
                return None
            time.sleep(0.01)
        return json.loads((folder / "port.json").read_text())["port"]

    @staticmethod
    def drive(port: int, first: int, seconds: float) -> Result:
        client = [
            sys.executable,
            "-m",
            "bench.service.client",
            *map(str, (port, CONNECTIONS, first, seconds)),
        ]
        done = subprocess.run(
            process.pinned(client, process.CORES[-1:]), stdout=subprocess.PIPE, cwd=process.ROOT, check=True
        )
        return json.loads(done.stdout)

    def relate(self, results: Mapping[str, Result], rows: Mapping[str, Row]) -> None:
        for key, result in results.items():
            without = results.get(f"{rows[key].labels['cores']} / no logging / {NONE}", {})
            if result.get("rate") and without.get("rate"):
                result["share"] = result["rate"] / without["rate"]


def wanted(requests: int, what: str) -> Iterator[str]:
    for order in range(requests):
        yield f"GET /orders/{order}"
        for step in range(0 if what.startswith("only") else STEPS):
            yield f"order {order}: step {step}"


TABLES = [Service()]
