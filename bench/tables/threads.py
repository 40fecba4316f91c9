"""Threads that log at the same time, with the GIL and without."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from pathlib import Path

from .. import lines
from ..contenders.contender import Contender, Running
from ..load import compile_loop
from ..table import Column, Options, Plot, Result, Row
from .by_contender import ContenderTable

COUNTS = (1, 2, 4, 8)


class Threads(ContenderTable):
    name = "threads"
    title = "Threads"
    about = (
        "Threads that log without a break for 0.4 s: thousands of records a second, until all are in the file and the "
        "contender is closed. Without the GIL is a free-threaded build of Python, where one was given."
    )
    columns = tuple(
        Column(str(count), f"{count} thread{'s' * (count > 1)}", "1000/s", digits=1, more_is_better=True)
        for count in COUNTS
    )
    plot = Plot("8", "Records a second in the file, eight threads", log=True)
    rounds = 1

    def contenders(self) -> list[Contender]:
        return [contender for contender in super().contenders() if not contender.in_loop]

    def rows(self, options: Options) -> list[Row]:
        pythons = {"with the GIL": sys.executable}
        if options.free_threaded:
            pythons["without the GIL"] = options.free_threaded
        return [
            dataclasses.replace(row, labels={**row.labels, "Python": label}, python=python)
            for label, python in pythons.items()
            for row in super(Threads, self).rows(options)
        ]

    def run(self, row: Row, folder: Path) -> Result:
        results = []
        for count in COUNTS:
            within = folder / str(count)
            within.mkdir()
            results.append(super().run(dataclasses.replace(row, parameters={"threads": count}), within))
            if "unavailable" in results[-1]:
                return results[-1]
        sinks = {result["sink"] for result in results} - {"all"}
        return {
            **{str(count): result["rate"] for count, result in zip(COUNTS, results, strict=True)},
            "sink": "; ".join(sorted(sinks)) or "all",
        }

    def measure(self, row: Row, folder: Path) -> Result:
        self.count = row.parameters["threads"]
        result = super().measure(row, folder)
        if row.labels["Python"] == "without the GIL" and getattr(sys, "_is_gil_enabled", lambda: True)():
            return {"unavailable": "turns the GIL on"}
        return result

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        loop = compile_loop(contender.calls["plain"], {"log": running.log}, kind="def")
        lock = threading.Lock()
        number = 0

        def log() -> None:
            nonlocal number
            while time.perf_counter() < begun + 0.4 * options.scale and number < 400_000:
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


TABLES = [Threads()]
