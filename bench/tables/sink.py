"""How many records a second reach the file, and at which cost."""

from __future__ import annotations

import time
from pathlib import Path

from .. import lines
from ..contenders.contender import Contender, Running
from ..load import compile_loop
from ..table import Column, Options, Plot, Result
from ..usage import cpu
from .by_contender import ContenderTable

MOST = 400_000  # records


class Sink(ContenderTable):
    name = "sink"
    title = "Records a second, in the file"
    about = (
        f"One thread logs without a break for 0.4 s, or {MOST:,} records. The clock runs until the contender is "
        "closed and its file has all that comes; the CPU time is that of the whole process."
    )
    columns = (
        Column("rate", "records in the file", "1000/s", digits=1, spread=True, more_is_better=True),
        Column("cpu", "CPU a record", "us", digits=2),
    )
    plot = Plot("rate", "Records a second in the file, one thread", log=True)

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        loop = compile_loop(contender.calls["plain"], {"log": running.log})
        begun, used, number = time.perf_counter(), cpu(), 0
        while time.perf_counter() < begun + 0.4 * options.scale and number < MOST:
            await loop(number, number + 100)
            number += 100
        return {"begun": begun, "used": used, "records": number}

    def closed(self, result: Result, path: Path) -> None:
        used = cpu() - result["used"]
        end = result["closed"]
        if lines.count(path) != result["records"]:
            end = max(end, lines.settle(path))
        there = lines.count(path)
        result["rate"] = there / (end - result["begun"]) / 1000
        result["cpu"] = used / there * 1e6 if there else None


TABLES = [Sink()]
