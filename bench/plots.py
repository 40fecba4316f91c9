"""Plots as SVG, in colours that can be read on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, NullFormatter

from .markdown import OURS, comma, one, telling
from .results import Measured, TableResult
from .table import Column, Plot, Table
from .ways import ATTACHED

GREY = "#757c88"  # as legible on white as on black
OURS_COLOUR, OURS_BESIDES = "#e8710a", "#f2a65e"
OTHERS = ("#4c8dd6", "#8f7fd1", "#3f9e75", "#c2578f", "#a08a2c", "#5aa3ad")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",  # the same file for the same numbers
    "font.family": "sans-serif",
    "font.size": 10,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
}


def draw(table: Table, plot: Plot, result: TableResult, path: Path) -> None:
    """Draw the plot of a table into an SVG file."""
    column = next(column for column in table.columns if column.key == plot.column)
    lines = by_line(plot, column, result)
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(8, 1.0 + 0.26 * len(lines)))
        axes.set_xscale("log" if plot.log else "linear")
        colours = colours_of(plot, lines)
        for place, dots in enumerate(lines.values()):
            values = {name: row.numbers[column.key].median for name, row in dots.items()}
            axes.plot([min(values.values()), max(values.values())], [place, place], color=GREY, alpha=0.4, zorder=1)
            for name, value in values.items():
                ring = {"fillstyle": "none", "markersize": 9} if plot.series and name == ATTACHED.label else {}
                axes.plot(value, place, "o", color=colours[name], label=name, zorder=2, clip_on=False, **ring)
                if not plot.series:
                    axes.annotate(one(column, value), (value, place), (6, 0), textcoords="offset points", va="center")
        style(axes, plot, column, list(lines))
        if plot.series:
            handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
            axes.legend(
                handles.values(), handles, ncols=3, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0
            )
        figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)


def by_line(plot: Plot, column: Column, result: TableResult) -> dict[str, dict[str, Measured]]:
    """Return the dots of each line by its name and theirs. Of lines with one dot the best is the first."""
    rows = [row for row in result.rows if column.key in row.numbers and plot.only.items() <= row.labels.items()]
    names = [name for name in telling(result.rows) if name not in (plot.series, *plot.only)]
    usual = result.rows[0].labels.get("Python")
    if not plot.series:
        rows.sort(key=lambda row: row.numbers[column.key].median, reverse=column.more_is_better)
    lines: dict[str, dict[str, Measured]] = {}
    for row in rows:
        name = comma(row, [label for label in names if row.labels[label] != usual])
        lines.setdefault(name, {})[row.labels.get(plot.series, name)] = row
    return {name: dots for name, dots in lines.items() if len(dots) > bool(plot.series)}


def colours_of(plot: Plot, lines: Mapping[str, Mapping[str, Measured]]) -> dict[str, str]:
    """Return the colours of the dots: one for each of a series, else one for all that are not of logflume."""
    rows = {name: row for dots in lines.values() for name, row in dots.items()}
    others = iter(OTHERS if plot.series else OTHERS[:1] * len(rows))
    return {
        name: OURS_COLOUR if OURS in row.labels.values() else OURS_BESIDES if name.startswith(OURS) else next(others)
        for name, row in rows.items()
    }


def style(axes: pyplot.Axes, plot: Plot, column: Column, names: list[str]) -> None:
    """Name the lines, give the axis its unit, and take out what shows nothing."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(", ".join(filter(None, (plot.title, column.unit, "logarithmic" * plot.log))))
    number = "{:.0%}" if column.percent else "{:,.9g}"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number.format(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.08)
    if not plot.log:
        axes.set_xlim(0, 1 if column.percent else None)
    axes.grid(axis="both", color=GREY, alpha=0.2)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
