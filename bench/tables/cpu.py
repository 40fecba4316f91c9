"""CPU time from the call to the sink, by configuration."""

from __future__ import annotations

import asyncio
import logging
import statistics
from collections.abc import Mapping
from pathlib import Path

from .. import configurations, lines, process, ways
from ..load import bursts, compile_loop
from ..table import Column, Options, Plot, Result, Row, Table
from ..usage import cpu

WAYS = (ways.ATTACHED, ways.NO_PREPARE, ways.LOGFLUME)
TURNS = 9


class Cpu(Table):
    name = "cpu"
    title = "CPU for a record, by configuration"
    about = (
        "CPU time of the process for one record, from the call to the sink, by the handlers, formatters and filters "
        "of the standard library's loggers. Ten records a millisecond on one core, a tenth of a second in turn with "
        "the same loop without logging, which is subtracted; the median of the turns. stdout is a pipe."
    )
    columns = (
        Column("cpu", "CPU a record", "us", digits=2, spread=True),
        Column("times", "logflume: times less than attached", digits=1, more_is_better=True),
    )
    plot = Plot("cpu", "CPU for a record, from the call to the sink", log=True, series="handlers")
    across = "handlers"
    rounds = 2

    def rows(self, options: Options) -> list[Row]:
        return [
            Row(
                {"configuration": configuration.label, "handlers": way.label},
                way.package or configuration.package,
                way.environment,
                scale=options.scale,
            )
            for configuration in configurations.ALL.values()
            for way in WAYS
        ]

    def measure(self, row: Row, folder: Path) -> Result:
        configuration = configurations.ALL[row.labels["configuration"]]
        count = Options(row.scale).count(1_000)
        configuration.attach(str(folder / "file"))
        installed = ways.ALL[row.labels["handlers"]].install()
        loop = compile_loop(configuration.call, {"log": logging.getLogger(configuration.logger)})
        empty = compile_loop("pass", {})

        async def body() -> tuple[float, int]:
            configurations.request_id.set("r-1")
            number = await bursts(loop, 0, 1000)
            installed.flush()
            spent = []
            for _ in range(TURNS):
                begun = cpu()
                await bursts(empty, 0, count)
                between = cpu()
                number = await bursts(loop, number, count)
                installed.flush()
                spent.append((cpu() - between) - (between - begun))
            return statistics.median(spent), number

        seconds, number = asyncio.run(body())
        installed.close()
        return {"cpu": max(0.0, seconds) / count * 1e6, "records": number}

    def run(self, row: Row, folder: Path) -> Result:
        result = process.run(self.name, row, folder, process.CORES[:1])
        configuration = configurations.ALL[row.labels["configuration"]]
        if "unavailable" not in result:
            said = {}
            for name in configuration.sinks:
                wanted = (self.message(configuration, number) for number in range(result["records"]))
                said[name] = str(lines.check(folder / name, wanted, configuration.style))
            bad = {name: what for name, what in said.items() if what != "all"}
            result["sink"] = "; ".join(f"{name}: {what}" for name, what in bad.items()) or "all"
        return result

    @staticmethod
    def message(configuration: configurations.Configuration, number: int) -> str:
        if configuration.call == configurations.ACCESS_CALL:
            return f"GET /orders/{number}"
        return lines.message(number)

    def relate(self, results: Mapping[str, Result], rows: Mapping[str, Row]) -> None:
        for key, result in results.items():
            attached = results.get(f"{rows[key].labels['configuration']} / {ways.ATTACHED.label}", {})
            if result.get("cpu") and attached.get("cpu"):
                result["times"] = attached["cpu"] / result["cpu"]


TABLES = [Cpu()]
