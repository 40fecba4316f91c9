"""What a call costs the thread that logs."""

from __future__ import annotations

import asyncio
import statistics
from time import perf_counter_ns

from ..contenders.contender import Contender, Running
from ..load import IN_EXCEPT, TIMED, bursts, compile_loop
from ..table import Column, Options, Plot, Result
from .by_contender import ContenderTable, quantiles

ALL_QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}


async def each_call(
    statement: str, running: Running, first: int, count: int, template: str = TIMED
) -> tuple[list[float], int]:
    """Log in bursts of ten a millisecond. Return the nanoseconds of each call, and the next number."""
    took: list[int] = []
    empty = compile_loop("pass", {}, TIMED, took=took.append)
    await empty(0, 1000)
    clock = statistics.median(took)
    loop = compile_loop(statement, {"log": running.log}, template, took=took.append)
    number = await bursts(loop, first, 200)
    took.clear()
    number = await bursts(loop, number, count)
    return [max(0.0, nanoseconds - clock) for nanoseconds in took], number


async def back_to_back(statement: str, running: Running, first: int, rounds: int) -> tuple[float, int]:
    """Log 500 records at once, some times. Return the nanoseconds a call, of the median, and the next number."""
    loop, empty = (compile_loop(each, {"log": running.log}) for each in (statement, "pass"))
    means = []
    for start in range(first, first + rounds * 500, 500):
        before = perf_counter_ns()
        await empty(0, 500)
        between = perf_counter_ns()
        await loop(start, start + 500)
        means.append((perf_counter_ns() - between - (between - before)) / 500)
        await asyncio.sleep(0.01)
    return max(0.0, statistics.median(means)), first + rounds * 500


class Call(ContenderTable):
    name = "call"
    title = "One call"
    about = (
        'One `logger.info("order %d of %s", i, "x")`, or what the package has in its place, in an event loop; the '
        "bursts of ten calls are a millisecond apart, as a service logs them, and 500 in a row are the loop that "
        "benchmarks usually have. The clock's own time is subtracted."
    )
    columns = (
        Column("p50", "median", "ns", spread=True),
        Column("p99", "p99", "ns"),
        Column("p999", "p99.9", "ns"),
        Column("max", "longest", "ns"),
        Column("row", "500 in a row, each", "ns"),
    )
    plot = Plot("p50", "One log call, median in bursts of ten", log=True)

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        statement = contender.calls["plain"]
        took, number = await each_call(statement, running, 0, options.count(10_000))
        row, number = await back_to_back(statement, running, number, max(5, options.count(10_000) // 500))
        return {**quantiles(took, **ALL_QUANTILES), "row": row, "records": number}


class Cases(ContenderTable):
    name = "cases"
    title = "Other calls"
    about = (
        "The same with two `extra` values (or what the package has in their place), with an exception 20 frames "
        "deep, and below the level that is on. Of the last, 500 in a row."
    )
    columns = (
        Column("extra", "extra, median", "ns", spread=True),
        Column("extra_p99", "p99", "ns"),
        Column("exception", "exception, median", "ns", spread=True),
        Column("exception_p99", "p99", "ns"),
        Column("disabled", "disabled", "ns", digits=1),
    )
    rounds = 2

    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        calls = contender.calls
        extra, number = await each_call(calls["extra"], running, 0, options.count(4_000))
        exception, number = await each_call(calls["exception"], running, number, options.count(2_000), IN_EXCEPT)
        disabled, _ = await back_to_back(calls["disabled"], running, 0, 20)
        return {
            **quantiles(extra, extra=0.5, extra_p99=0.99),
            **quantiles(exception, exception=0.5, exception_p99=0.99),
            "disabled": disabled,
            "records": number,
        }


TABLES = [Call(), Cases()]
