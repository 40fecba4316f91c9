"""Installs the rivals into the environment of this Python: `python bench/install.py`.

Each on its own, so that one that has no wheel here and cannot be built does not keep the others out: its rows say that
it is not available. The list is the dependency group `bench-rivals` of pyproject.toml.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path


def main() -> None:
    with open(Path(__file__).parent.parent / "pyproject.toml", "rb") as project:
        rivals = tomllib.load(project)["dependency-groups"]["bench-rivals"]
    for rival in rivals:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--prefer-binary", rival]
        if subprocess.run(command, capture_output=True).returncode:
            print(f"not available here: {rival}")


if __name__ == "__main__":
    main()
