"""The numbers that README and the first lines of the page name."""

from __future__ import annotations

from . import machine, markdown, tables
from .results import Measured, Results
from .ways import ATTACHED, LOGFLUME, NO_PREPARE, STANDARD

NEEDED = ("call", "cpu", "service")
README_VERSIONS = ("fastapi", "logflume", "python-json-logger", "structlog", "uvicorn", "uvloop")


def rows(results: Results, table: str, **labels: str) -> list[Measured]:
    return [row for row in results.tables[table].rows if labels.items() <= row.labels.items()]


def call(results: Results, **labels: str) -> float:
    """Return the nanoseconds of a call, of the first row with these labels."""
    return rows(results, "call", **labels)[0].numbers["p50"].median


def share(results: Results, what: str, by: str) -> str:
    return f"{rows(results, 'service', cores='one core', logging=what, by=by)[0].numbers['share'].median:.0%}"


def readme(results: Results) -> str:
    """Return the chart of the service, its numbers on one core, what a call takes, and how that was measured."""
    ways = [ATTACHED.label, NO_PREPARE.label, LOGFLUME.label]
    logged = [row.labels["logging"] for row in rows(results, "service", cores="one core", by=LOGFLUME.label)]
    shares = [[share(results, what, way) for way in ways] for what in logged]
    ours, attached, queue = (call(results, contender=way.label) for way in (LOGFLUME, ATTACHED, STANDARD))
    return "\n\n".join(
        [
            markdown.image(tables.ALL["service"], "docs/images"),
            markdown.grid(["the log goes"], ways, [[what] for what in logged], shares, [""] * len(logged)),
            f"An accelerated `logger.info()` takes {ours:,.0f} ns; with handlers attached it takes {attached:,.0f}, "
            f"with the standard `QueueHandler` {queue:,.0f}.",
            f"{machine.sentence(results.environment, README_VERSIONS)} {markdown.made(results.tables['service'])}",
        ]
    )


def page(results: Results) -> str:
    """Return what the page begins with, as a list."""
    ours, queue, no_prepare = (call(results, contender=way.label) for way in (LOGFLUME, STANDARD, NO_PREPARE))
    measured = [row for row in rows(results, "call") if row.numbers]
    rivals = {call(results, **row.labels): row for row in measured if markdown.OURS not in row.labels["contender"]}
    fastest, rival = min(rivals.items())
    beside = call(results, **{**rival.labels, "contender": LOGFLUME.label})  # by the same Python
    cpu = sorted(
        (row.numbers["times"].median, row.labels["configuration"])
        for row in rows(results, "cpu", handlers=LOGFLUME.label)
        if "times" in row.numbers
    )
    (least, slowest), (middle, _), (most, quickest) = cpu[0], cpu[len(cpu) // 2], cpu[-1]
    json = "JSON to stdout"
    return "\n".join(
        [
            f"- An accelerated `logger.info()` takes {ours:,.0f} ns: {queue / ours:.0f} times less than with the "
            f"standard `QueueHandler`, {no_prepare / ours:.0f} times less than with one without `prepare()`, "
            f"{fastest / beside:.0f} times less than with the fastest other contender ({rival.labels['contender']}).",
            f"- A FastAPI service that logs six records a request as {json} on one core serves "
            f"{share(results, json, LOGFLUME.label)} of the requests that it serves without logging, with a "
            f"request-id filter {share(results, f'{json}, request-id filter', LOGFLUME.label)}; with handlers "
            f"attached {share(results, json, ATTACHED.label)}.",
            f"- A record costs {least:.1f} times ({slowest}) to {most:.1f} times ({quickest}) less CPU than with "
            f"handlers attached; the median of the configurations is {middle:.1f} times.",
        ]
    )
