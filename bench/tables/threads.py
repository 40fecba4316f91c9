"""Threads that log at the same time, with the GIL and without."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import lines
from ..contenders.contender import Contender, Running
from ..load import compile_loop
from ..pythons import Python
from ..table import Column, Options, Plot, Result, Row
from .by_contender import ContenderTable

COUNTS = (1, 2, 4, 8)
MOST = 400_000  # records


class Threads(ContenderTable):
    name = "threads"
    title = "Threads"
    about = (
        f"Threads that log without a break for 0.4 s, or {MOST:,} records: thousands of records a second, until all "
        "are in the file and the contender is closed."
    )
    columns = tuple(
        Column(str(count), f"{count} thread{'s' * (count > 1)}", "1000/s", digits=1, more_is_better=True)
        for count in COUNTS
    )
    plot = Plot("8", "Records a second in the file, eight threads", log=True)
    rounds = 1

    def contenders(self) -> list[Contender]:
        return [contender for contender in super().contenders() if not contender.in_loop]

    def run(self, row: Row, folder: Path) -> Result:
        rates: Result = {}
        sinks = []
        for count in COUNTS:
            within = folder / str(count)
            within.mkdir()
            result = super().run(dataclasses.replace(row, parameters={"threads": count}), within)
            if "unavailable" in result and count == 1:
                return result
            if "unavailable" in result:
                sinks.append(f"{count} threads: {result['unavailable']}")
                break
            rates[str(count)] = result["rate"]
            sinks.append(result["sink"])
        return {**rates, "sink": "; ".join(sorted({*sinks} - {"all"})) or "all"}

    def measure(self, row: Row, folder: Path) -> Result:
        self.count = row.parameters["threads"]
        return super().measure(row, folder)

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        loop = compile_loop(contender.calls["plain"], {"log": running.log}, kind="def")
        lock = threading.Lock()
        number = 0

        def log() -> None:
            nonlocal number
            while time.perf_counter() < begun + 0.4 * options.scale and number < MOST:
                with lock:
                    first = number
                    number += 100
                loop(first, first + 100)

        threads = [threading.Thread(target=log) for _ in range(self.count)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"begun": begun, "records": number, "ordered": self.count == 1}

    def closed(self, result: Result, path: Path) -> None:
        end = result["closed"]
        if lines.count(path) != result["records"]:
            end = max(end, lines.settle(path))
        result["rate"] = lines.count(path) / (end - result["begun"]) / 1000


class FreeThreaded(Threads):
    name = "free-threaded"
    title = "Threads without the GIL"
    about = "The same by a free-threaded build of Python, of each contender that leaves the GIL off."
    plot = Plot("8", "Records a second in the file, eight threads without the GIL", log=True)

    def measured(self, pythons: Sequence[Python]) -> Iterator[tuple[Python, Contender]]:
        for python in pythons:
            if not python.has_gil:
                yield from ((python, each) for each in self.contenders())

    def measure(self, row: Row, folder: Path) -> Result:
        result = super().measure(row, folder)
        return {"unavailable": "turns the GIL on"} if sys._is_gil_enabled() else result  # type: ignore[attr-defined]


TABLES = [Threads(), FreeThreaded()]
