"""The numbers that README and the first lines of the page name."""

from __future__ import annotations

from . import machine, markdown, tables
from .results import Measured, Results
from .table import Plot
from .ways import ATTACHED, LOGFLUME, NO_PREPARE, STANDARD

NEEDED = ("call", "cpu", "service")
README_VERSIONS = ("fastapi", "logflume", "python-json-logger", "structlog", "uvicorn", "uvloop")


def rows(results: Results, table: str, **labels: str) -> list[Measured]:
    return [row for row in results.tables[table].rows if labels.items() <= row.labels.items()]


def median(results: Results, table: str, column: str, **labels: str) -> float:
    """Return the number of the first row with these labels."""
    return rows(results, table, **labels)[0].numbers[column].median


def call(results: Results, contender: str) -> float:
    return median(results, "call", "p50", contender=contender)


def share(results: Results, what: str, by: str) -> str:
    return f"{median(results, 'service', 'share', cores='one core', logging=what, by=by):.0%}"


def readme(results: Results) -> str:
    """Return the chart of the service, its numbers on one core, what a call takes, and how that was measured."""
    plot, service = tables.ALL["service"].plot, results.tables["service"]
    assert isinstance(plot, Plot)
    ways = [ATTACHED.label, NO_PREPARE.label, LOGFLUME.label]
    logged = [row.labels["logging"] for row in rows(results, "service", cores="one core", by=LOGFLUME.label)]
    lines = [["the log goes", *ways], ["---", *["---:"] * len(ways)]]
    lines += [[what, *(share(results, what, way) for way in ways)] for what in logged]
    return "\n\n".join(
        [
            f"![{plot.title}](docs/images/service.svg)",
            "\n".join(f"| {' | '.join(line)} |" for line in lines),
            f"An accelerated `logger.info()` takes {call(results, LOGFLUME.label):,.0f} ns; with handlers attached it "
            f"takes {call(results, ATTACHED.label):,.0f},\nwith the standard `QueueHandler` "
            f"{call(results, STANDARD.label):,.0f}.",
            f"{machine.sentence(results.environment, README_VERSIONS)} {markdown.made(service)}",
        ]
    )


def page(results: Results) -> str:
    """Return what the page begins with, as a list."""
    ours = call(results, LOGFLUME.label)
    rivals = {
        "the standard `QueueHandler`": STANDARD.label,
        "one without `prepare()`": NO_PREPARE.label,
        "picologging with its queue handler": "picologging, queue",
    }
    cpu = sorted(
        (row.numbers["times"].median, row.labels["configuration"])
        for row in rows(results, "cpu", handlers=LOGFLUME.label)
        if "times" in row.numbers
    )
    (least, slowest), (middle, _), (most, quickest) = cpu[0], cpu[len(cpu) // 2], cpu[-1]
    json = "JSON to stdout"
    return "\n".join(
        [
            f"- An accelerated `logger.info()` takes {ours:,.0f} ns: "
            + ", ".join(f"{call(results, label) / ours:.0f} times less than {name}" for name, label in rivals.items())
            + ".",
            f"- A FastAPI service that logs six records a request as {json} on one core serves "
            f"{share(results, json, LOGFLUME.label)} of the requests that it serves without logging, with a "
            f"request-id filter {share(results, f'{json}, request-id filter', LOGFLUME.label)}; with handlers "
            f"attached {share(results, json, ATTACHED.label)}.",
            f"- A record costs {least:.1f} times ({slowest}) to {most:.1f} times ({quickest}) less CPU than with "
            f"handlers attached; the median of the configurations is {middle:.1f} times.",
        ]
    )
