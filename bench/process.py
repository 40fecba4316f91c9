"""The process of one row: how it is started, and what it hands over."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .table import Row

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0  # seconds for one row
CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def pinned(command: Sequence[str], cores: Sequence[int]) -> list[str]:
    """Return the command that runs on these cores only; on any where none is given."""
    return ["taskset", "--cpu-list", ",".join(map(str, cores)), *command] if cores else list(command)


@contextmanager
def started(command: Sequence[str], row: Row, folder: Path, cores: Sequence[int] = ()) -> Iterator[subprocess.Popen]:
    """Run the command for a row, its standard output a pipe that `cat` copies to FOLDER/stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOGFLUME"))}
    environment.update(row.environment)
    with open(folder / "stdout", "wb") as copy, open(folder / "stderr", "wb") as errors:
        cat = subprocess.Popen(pinned(["cat"], CORES[-1:]), stdin=subprocess.PIPE, stdout=copy)
        process = subprocess.Popen(
            pinned([row.python, *command], cores), stdout=cat.stdin, stderr=errors, env=environment, cwd=ROOT
        )
        cat.stdin.close()  # type: ignore[union-attr]
        try:
            yield process
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            cat.wait()


def child(table: str, row: Row, folder: Path) -> list[str]:
    """Return the arguments of Python that measure a row of the table."""
    return ["-m", "bench.child", table, json.dumps(dataclasses.asdict(row)), str(folder)]


def write(folder: Path, result: dict[str, Any], name: str = "result.json") -> None:
    """Hand a result over to the parent: the file is there only when it is whole."""
    part = folder / "part"
    part.write_text(json.dumps(result))
    part.rename(folder / name)


def result(folder: Path) -> dict[str, Any]:
    """Return what the process wrote, or why it did not."""
    if (folder / "result.json").exists():
        return json.loads((folder / "result.json").read_text())
    lines = (folder / "stderr").read_text(errors="replace").strip().splitlines()
    return {"unavailable": f"failed: {lines[-1]}" if lines else "failed without a word"}


def run(table: str, row: Row, folder: Path, cores: Sequence[int] = ()) -> dict[str, Any]:
    """Measure a row in a process of its own."""
    try:
        with started(child(table, row, folder), row, folder, cores):
            pass
    except subprocess.TimeoutExpired:
        return {"unavailable": f"did not end within {PATIENCE:.0f} s"}
    return result(folder)
