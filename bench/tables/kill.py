"""How far behind the sink is when the process is killed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from .. import contenders, lines, process
from ..contenders.contender import Contender, Running
from ..load import bursts, compile_loop
from ..table import Column, Options, Result, Row
from .by_contender import ContenderTable


class Kill(ContenderTable):
    name = "kill"
    title = "A SIGKILL"
    about = (
        "A process that logs ten records each millisecond is killed at a random moment, in the second half of a "
        "second: how long before it the first record was logged that is not in the file. No package can write what "
        "it still has."
    )
    columns = (
        Column("behind", "behind", "ms", digits=1, spread=True),
        Column("lost", "records that are not there", digits=0),
    )
    rounds = 5

    def run(self, row: Row, folder: Path) -> Result:
        with process.started(process.child(self.name, row, folder), row, folder) as running:
            progress = folder / "progress"
            while running.poll() is None and not (progress.exists() and progress.stat().st_size):
                time.sleep(0.01)
            time.sleep(random.uniform(0.5, 1.0))
            ended = running.poll() is not None
            running.kill()
        if ended:
            return process.result(folder)
        told = [line.split() for line in progress.read_text().splitlines()]
        there = lines.count(folder / "file")
        missing = [float(when) for number, when in told if int(number) > there]
        last, end = told[-1]
        return {
            "behind": 1000 * (float(end) - missing[0]) if missing else 0.0,
            "lost": max(0, int(last) - there),
        }

    def contenders(self) -> list[Contender]:
        return [each for each in contenders.ALL.values() if each.logs and not each.in_loop]

    def measure(self, row: Row, folder: Path) -> Result:
        self.progress = os.open(folder / "progress", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return super().measure(row, folder)

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        loop = compile_loop(contender.calls["plain"], {"log": running.log})
        number = 0
        while number < 10_000_000:
            number = await bursts(loop, number, 10)
            os.write(self.progress, b"%d %f\n" % (number, time.monotonic()))
        return {"records": number}


TABLES = [Kill()]
