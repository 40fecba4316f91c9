"""Runs the rows of a table in turn, round after round, each in a process of its own."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import machine
from .results import Measured, Number, TableResult
from .table import Options, Result, Table


def run(
    table: Table, options: Options, arguments: Sequence[str], rounds: int | None = None, only: str = ""
) -> TableResult:
    """Measure a table, or the rows that have `only` in their labels. The `arguments` were those of the run."""
    rows = {row.key: row for row in table.rows(options) if only in row.key}
    found: dict[str, list[Result]] = {key: [] for key in rows}
    begun = time.monotonic()
    count = rounds or table.rounds
    for turn in range(count):
        results = {}
        order = list(rows) if turn % 2 == 0 else list(reversed(rows))
        for at, key in enumerate(order):
            progress(f"{table.name}: round {turn + 1} of {count}, {at + 1} of {len(order)}, {key}")
            if any("unavailable" in earlier for earlier in found[key]):
                continue
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                results[key] = table.run(rows[key], Path(folder))
        table.relate(results, rows)
        for key, result in results.items():
            found[key].append(result)
    progress("")
    made = machine.made(arguments, options.pythons, {row.python for row in rows.values()})
    measured = [summary(table, dict(rows[key].labels), results) for key, results in found.items()]
    return TableResult(table.name, count, round(time.monotonic() - begun), made, measured)


def summary(table: Table, labels: dict[str, str], results: list[Result]) -> Measured:
    """Return the medians of the rounds of a row, and what the sinks had."""
    for result in results:
        if "unavailable" in result:
            return Measured(labels, unavailable=result["unavailable"])
    numbers = {}
    for column in table.columns:
        values = [result[column.key] for result in results if result.get(column.key) is not None]
        if values:
            numbers[column.key] = Number(statistics.median(values), min(values), max(values), values)
    sinks = {result["sink"] for result in results if "sink" in result}
    return Measured(labels, numbers, "; ".join(sorted(sinks - {"all"})) or ("all" if sinks else ""))


def progress(text: str) -> None:
    """Show on a terminal where the run is."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:110]}", end="", file=sys.stderr, flush=True)
