"""Plots as SVG, in colours that can be read on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import PercentFormatter

from .markdown import one
from .results import Measured, TableResult
from .table import Column, Plot, Table

GREY = "#7d8590"  # legible on white and on black
OURS, OURS_BESIDES = "#e8710a", "#f2a65e"
OTHERS = ("#4c8dd6", "#8f7fd1")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",  # the same file for the same numbers
    "font.family": "sans-serif",
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
}


def draw(table: Table, plot: Plot, result: TableResult, path: Path) -> None:
    """Draw the plot of a table into an SVG file: a bar for each row, in groups by all labels but the last."""
    column = next(column for column in table.columns if column.key == plot.column)
    rows = [row for row in result.rows if plot.column in row.numbers]
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.2 * len(rows) + 0.15 * len(groups(rows))))
        place, ticks = 0.0, {}
        for group in groups(rows):
            for row in group:
                bar(axes, place, row, column)
                ticks[place] = ", ".join(label for label in row.labels.values() if label != "-")
                place += 1
            place += 0.6 if len(group) > 1 else 0
        axes.set_yticks(list(ticks), list(ticks.values()))
        axes.invert_yaxis()
        axes.set_xscale("log" if plot.log else "linear")
        axes.set_xlabel(", ".join(filter(None, (column.label, column.unit, "logarithmic" if plot.log else ""))))
        axes.set_title(plot.title, loc="left")
        if column.percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.margins(x=0.12, y=0.01)
        if not plot.log:
            axes.set_xlim(left=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(left=False)
        figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)


def groups(rows: Sequence[Measured]) -> list[list[Measured]]:
    """Return the rows that share all labels but the last."""
    found: dict[tuple[str, ...], list[Measured]] = {}
    for row in rows:
        found.setdefault(tuple(row.labels.values())[:-1], []).append(row)
    return list(found.values())


def bar(axes: pyplot.Axes, place: float, row: Measured, column: Column) -> None:
    value = row.numbers[column.key]
    axes.barh(place, value.median, color=colour(list(row.labels.values())))
    axes.text(value.median, place, f" {one(column, value.median)}", va="center", color=GREY)


def colour(labels: list[str]) -> str:
    """Return the colour of a row: that of logflume, or in groups, one for each kind of other row."""
    if "logflume" in labels:
        return OURS
    if any(label.startswith("logflume") for label in labels):
        return OURS_BESIDES
    return OTHERS[1] if len(labels) > 1 and "queue" in labels[-1] else OTHERS[0]
