"""The process of one row: `python -m bench.child TABLE ROW FOLDER`.

The row is JSON. What was measured goes into FOLDER/result.json: numbers by the keys of the table's columns, or
`unavailable` with the reason.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

from . import process, tables
from .table import Row


def missing(package: str) -> str | None:
    """Return why the package cannot be measured, None if it is installed."""
    try:
        if package:
            importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    return None


def main(table: str, row: str, folder: str) -> None:
    parameters = Row(**json.loads(row))
    if reason := missing(parameters.package):
        process.write(Path(folder), {"unavailable": reason})
        return
    try:
        result = tables.ALL[table].measure(parameters, Path(folder))
    except ImportError as error:
        result = {"unavailable": str(error)}
    process.write(Path(folder), result)
    sys.stdout.flush()
    os._exit(0)  # what a package does at exit is not measured, and one that waits would hold up the rest


if __name__ == "__main__":
    main(*sys.argv[1:])
