"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .results import Measured, Number, TableResult
from .table import Column, Table

OURS = "logflume"


def render(table: Table, result: TableResult) -> str:
    """Return the table, and below it which rows have no numbers, and why."""
    if table.across:
        return grid(*across(table, result))
    measured = [row for row in result.rows if not row.unavailable]
    names = telling(result.rows)
    numbers = [[plain(row, column) for column in table.columns] for row in measured]
    text = grid(
        names,
        [head(column) for column in table.columns],
        [[row.labels[name] for name in names] for row in measured],
        numbers,
        [sink(row) for row in measured],
    )
    missing = [f"{comma(row, names)} ({row.unavailable})" for row in result.rows if row.unavailable]
    return text + (f"\n\nNot available: {'; '.join(missing)}." if missing else "")


def grid(names: list[str], heads: list[str], labels: list[list[str]], rows: list[list[str]], sinks: list[str]) -> str:
    """Return a table of the heads of labels and of numbers, the labels and the numbers of each row, and its sink."""
    checked = any(sinks)
    rule = ["---"] * len(names) + ["---:"] * len(heads) + ["---"] * checked
    lines = [[*names, *heads, *["at the sink"] * checked], rule]
    for each, numbers, at_sink in zip(labels, rows, sinks, strict=True):
        lines.append([*(f"**{label}**" if label == OURS else label for label in each), *numbers, *[at_sink] * checked])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def comma(row: Measured, names: Sequence[str]) -> str:
    return ", ".join(row.labels[name] for name in names)


def telling(rows: Sequence[Measured]) -> list[str]:
    """Return the labels that tell rows apart: not a Python that measured all."""
    return [name for name in rows[0].labels if name != "Python" or len({row.labels[name] for row in rows}) > 1]


Lines = tuple[list[str], list[str], list[list[str]], list[list[str]], list[str]]


def across(table: Table, result: TableResult) -> Lines:
    """Return names, heads, labels, numbers and sinks with a line for all rows that differ in one label only."""
    groups = grouped(result, table.across)
    values = list(dict.fromkeys(row.labels[table.across] for row in result.rows))
    names = [name for name in result.rows[0].labels if name != table.across]
    first, *others = table.columns
    heads = [f"{value}, {first.unit}" for value in values] + [head(column) for column in others]
    labels, numbers, sinks = [], [], []
    for key, rows in groups.items():
        by_value = {row.labels[table.across]: row for row in rows}
        labels.append(list(key))
        cells = [plain(by_value[value], first) if value in by_value else "-" for value in values]
        numbers.append(cells + [plain(rows[-1], column) for column in others])
        told = {value: sink(row) for value, row in by_value.items()}
        sinks.append("; ".join(f"{value}: {what}" for value, what in told.items() if what != "all") or "all")
    return names, heads, labels, numbers, sinks


def grouped(result: TableResult, label: str) -> dict[tuple[str, ...], list[Measured]]:
    """Return the rows that differ in this label only, by their other labels."""
    groups: dict[tuple[str, ...], list[Measured]] = {}
    for row in result.rows:
        key = tuple(value for name, value in row.labels.items() if name != label)
        groups.setdefault(key, []).append(row)
    return groups


def losses(table: Table, result: TableResult) -> Iterator[str]:
    """Yield a line of a list for each column in which another row beats that of logflume."""
    ours = [row for row in result.rows if OURS in row.labels.values()]
    for row in ours:
        label = next(name for name, value in row.labels.items() if value == OURS)
        key = tuple(value for name, value in row.labels.items() if name != label)
        rivals = [
            rival
            for rival in grouped(result, label)[key]
            if not rival.labels[label].startswith(OURS) and rival.labels[label] != "no logging"
        ]
        for column in table.columns:
            if column.key in row.numbers and (better := ahead(column, row, rivals, label)):
                others = [row.labels[name] for name in telling(result.rows) if name != label]
                where = ", ".join([table.title, *others, head(column)])
                yield f"- {where}: {one(column, row.numbers[column.key].median)}; {', '.join(better)}."


def ahead(column: Column, ours: Measured, rivals: list[Measured], label: str) -> list[str]:
    """Return the rivals with a better number, each with it."""
    sign = -1 if column.more_is_better else 1
    mine = ours.numbers[column.key].median
    found = {rival.labels[label]: rival.numbers[column.key].median for rival in rivals if column.key in rival.numbers}
    return [
        f"{name} {one(column, value)}"
        for name, value in found.items()
        if sign * value < sign * mine and one(column, value) != one(column, mine)
    ]


def image(table: Table, folder: str) -> str:
    return f"![{table.plot.title if table.plot else table.title}]({folder}/{table.name}.svg)"


def made(result: TableResult) -> str:
    return f"{result.made}; {result.rounds} round{'s' * (result.rounds > 1)}, {result.seconds:.0f} s."


def head(column: Column) -> str:
    return f"{column.label}, {column.unit}" if column.unit else column.label


def sink(row: Measured) -> str:
    return (f"not available: {row.unavailable}" if row.unavailable else row.sink).replace("|", "\\|")


def plain(row: Measured, column: Column) -> str:
    return number(column, row.numbers.get(column.key))


def number(column: Column, value: Number | None) -> str:
    if value is None:
        return "-"
    told = one(column, value.median)
    if column.spread and len(value.rounds) > 1:
        told += f" ({one(column, value.low)} to {one(column, value.high)})"
    return told


def one(column: Column, value: float) -> str:
    return f"{value:.0%}" if column.percent else f"{value:,.{column.digits}f}"
