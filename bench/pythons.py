"""The Pythons that measure: `python -m bench.pythons` describes the one that it runs on."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Python:
    """An interpreter, and the distributions in its environment with their versions."""

    path: str
    implementation: str
    version: str
    has_gil: bool
    packages: Mapping[str, str]

    @property
    def label(self) -> str:
        """Return the version as commands have it: 3.13, or 3.13t without the GIL."""
        return ".".join(self.version.split(".")[:2]) + ("" if self.has_gil else "t")

    def has(self, package: str) -> bool:
        return not package or package in self.packages


def this() -> Python:
    packages = {each.name.lower(): each.version for each in importlib.metadata.distributions() if each.name}
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return Python(sys.executable, platform.python_implementation(), platform.python_version(), has_gil, packages)


def described(path: str) -> Python:
    """Return what the Python at this path says of itself."""
    command = [path, "-m", "bench.pythons"]
    told = subprocess.run(command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, check=True).stdout
    return Python(**json.loads(told))


def measuring(others: Sequence[str]) -> list[Python]:
    """Return this Python, then the others by their paths."""
    return [this(), *map(described, others)]


if __name__ == "__main__":
    print(json.dumps(asdict(this())))
