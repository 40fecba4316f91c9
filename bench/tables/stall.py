"""What an event loop notices."""

from __future__ import annotations

import asyncio
import time

from .. import contenders
from ..contenders.contender import Contender, Running
from ..load import bursts, compile_loop
from ..table import Column, Options, Plot, Result
from .by_contender import ContenderTable, quantiles


class Stall(ContenderTable):
    name = "stall"
    title = "Stalls of an event loop"
    about = (
        "How late a ticker of one millisecond is in an event loop of asyncio, in which another task logs 100 records "
        "at once each 10 ms, for about three seconds: the p99.9 is one of the three latest ticks."
    )
    columns = (
        Column("p50", "late, median", "ms", digits=2),
        Column("p99", "p99", "ms", digits=2, spread=True),
        Column("p999", "p99.9", "ms", digits=2),
        Column("max", "latest", "ms", digits=2),
    )
    rounds = 2
    plot = Plot("p99", "How late a 1 ms ticker is (p99)", log=True)

    def contenders(self) -> list[Contender]:
        return list(contenders.ALL.values())

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        loop = compile_loop(contender.calls["plain"], {"log": running.log})
        logging = asyncio.ensure_future(bursts(loop, 0, options.count(30_000), 100, 0.01))
        late = []
        due = time.perf_counter()
        while not logging.done():
            due += 0.001
            await asyncio.sleep(due - time.perf_counter())
            now = time.perf_counter()
            late.append((now - due) * 1000)
            due = max(due, now)
        return {**quantiles(late, p50=0.5, p99=0.99, p999=0.999, max=1.0), "records": logging.result()}


TABLES = [Stall()]
