"""Tables with a row for each contender, which logs to a file.

A contender is measured by the first Python that has it. Another than the first measures the references, too, so that
each row can be compared with some of its own Python.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import contenders, lines, process, ways
from ..contenders.contender import Contender, Running
from ..pythons import Python
from ..table import Options, Result, Row, Table

REFERENCES = (ways.ATTACHED.label, ways.LOGFLUME.label)


class ContenderTable(Table):
    """A table whose rows are the contenders. `body` logs the records 0 to below the result's `records`."""

    def contenders(self) -> list[Contender]:
        return [contender for contender in contenders.ALL.values() if contender.logs]

    def rows(self, options: Options) -> list[Row]:
        return [
            Row(
                {"contender": each.label, "Python": python.label},
                each.package,
                each.environment,
                python.path,
                options.scale,
            )
            for python, each in self.measured(options.pythons)
        ]

    def measured(self, pythons: Sequence[Python]) -> Iterator[tuple[Python, Contender]]:
        """Yield which Python measures which contenders."""
        left = self.contenders()
        for python in pythons:
            here = [each for each in left if python.has(each.package)]
            left = [each for each in left if each not in here]
            if here and python is not pythons[0]:
                here = [*(each for each in self.contenders() if each.label in REFERENCES), *here]
            yield from ((python, each) for each in here)
        yield from ((pythons[0], each) for each in left)  # which says why it cannot

    @abstractmethod
    async def body(self, contender: Contender, running: Running, options: Options) -> Result:
        """Log, and return what was measured, and `records`."""

    def closed(self, result: Result, path: Path) -> None:
        """Add what can be told only when the contender was closed."""

    def measure(self, row: Row, folder: Path) -> Result:
        contender = contenders.ALL[row.labels["contender"]]
        path = folder / "file"
        options = Options(row.scale)

        async def in_loop() -> Result:
            running = contender.start(str(path))
            result = await self.body(contender, running, options)
            if inspect.isawaitable(done := running.close()):
                await done
            return result

        if contender.in_loop:
            result = asyncio.run(in_loop())
        else:
            running = contender.start(str(path))
            result = asyncio.run(self.body(contender, running, options))
            running.close()
        result["closed"] = time.perf_counter()
        self.closed(result, path)
        return result

    def run(self, row: Row, folder: Path) -> Result:
        result = process.run(self.name, row, folder)
        contender = contenders.ALL[row.labels["contender"]]
        if "unavailable" not in result and contender.logs:
            wanted = map(lines.message, range(result["records"]))
            ordered = result.get("ordered", True)
            result["sink"] = str(lines.check(folder / "file", wanted, contender.style, ordered=ordered))
        return result


def quantiles(values: list[float], **fractions: float) -> Result:
    """Return the values below which these fractions are, by their names."""
    values = sorted(values)
    return {name: values[min(len(values) - 1, int(len(values) * part))] for name, part in fractions.items()}
