"""What was measured, as it is in the JSON file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Number:
    """One number of a row: the median of the rounds, the lowest, the highest, and all of them in their order."""

    median: float
    low: float
    high: float
    rounds: list[float]


@dataclass(frozen=True)
class Measured:
    """One row. `sink` tells what of its records was at the sink; `unavailable` why there are no numbers."""

    labels: dict[str, str]
    numbers: dict[str, Number] = field(default_factory=dict)
    sink: str = ""
    unavailable: str = ""


@dataclass(frozen=True)
class TableResult:
    """A table. `made` tells when, how and with which Python."""

    name: str
    rounds: int
    seconds: float
    made: str
    rows: list[Measured]


@dataclass
class Results:
    """The tables of a run, and what they were measured on."""

    environment: dict[str, Any]
    tables: dict[str, TableResult] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read what save() wrote."""
        stored = json.loads(path.read_text())
        tables = {
            name: TableResult(**{**table, "rows": [measured(row) for row in table["rows"]]})
            for name, table in stored["tables"].items()
        }
        return cls(stored["environment"], tables)


def measured(row: dict[str, Any]) -> Measured:
    numbers = {key: Number(**number) for key, number in row["numbers"].items()}
    return Measured(row["labels"], numbers, row["sink"], row["unavailable"])
