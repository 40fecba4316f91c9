"""The interface of a table."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .pythons import Python

Result = dict[str, Any]  # numbers by the keys of the columns; None is no number


@dataclass(frozen=True)
class Column:
    """One number of each row. `unit` stands in the head and on the axis of a plot."""

    key: str
    label: str
    unit: str = ""
    digits: int = 0
    percent: bool = False
    more_is_better: bool = False
    spread: bool = False  # show the lowest and the highest round, too


@dataclass(frozen=True)
class Plot:
    """Dots for one column, a line for each row, or for all rows that differ in the label `series` only."""

    column: str
    title: str
    log: bool = False
    series: str = ""
    only: Mapping[str, str] = field(default_factory=dict)  # labels that the rows must have


@dataclass(frozen=True)
class Row:
    """One row of a table, and what its process has to know."""

    labels: Mapping[str, str]
    package: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    scale: float = 1.0  # of the number of records, and of the time
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return " / ".join(self.labels.values())


@dataclass(frozen=True)
class Options:
    """What the command line tells about a run."""

    scale: float = 1.0
    pythons: Sequence[Python] = ()  # this one first

    def count(self, records: int) -> int:
        return max(100, int(records * self.scale))


class Table(ABC):
    """A table: its rows, and how one of them is measured."""

    name: str
    title: str
    about: str  # what is measured, in a sentence or two, for the reader of the table
    columns: Sequence[Column]
    plot: Plot | None = None
    across: str = ""  # a label: the first column is shown once for each of its values, the others for the last one
    rounds: int = 3

    @abstractmethod
    def rows(self, options: Options) -> list[Row]:
        """Return the rows in the order of the table."""

    @abstractmethod
    def run(self, row: Row, folder: Path) -> Result:
        """Measure the row, in the parent process: start what it needs, and check the sink."""

    def measure(self, row: Row, folder: Path) -> Result:
        """Measure the row, in the process that bench.child is."""
        raise NotImplementedError

    def relate(self, results: Mapping[str, Result], rows: Mapping[str, Row]) -> None:  # noqa: B027
        """Add to the results of a round what compares them with each other. They have the keys of `rows`."""
