"""What a run was made on: machine, versions, date, command."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import sys
from collections.abc import Collection, Sequence
from typing import Any

from . import contenders
from .pythons import Python

BESIDES = ("fastapi", "uvicorn", "uvloop", "python-json-logger", "colorlog", "orjson")


def environment(pythons: Sequence[Python]) -> dict[str, Any]:
    """Return what a reader has to know about a run by these Pythons. A version is that of the first that has one."""
    packages = {contender.package for contender in contenders.ALL.values() if contender.package}
    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": {
            name: next((python.packages[name] for python in pythons if name in python.packages), None)
            for name in sorted({*packages, *BESIDES})
        },
    }


def made(arguments: Sequence[str], pythons: Sequence[Python], paths: Collection[str]) -> str:
    """Return which of the Pythons measured, by their paths, the date, and the command of a run with these arguments."""
    names = [
        f"{python.implementation} {python.version}{'' if python.has_gil else 't'}"
        for python in pythons
        if python.path in paths
    ]
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    variables = {
        "OTHER_PYTHONS": " ".join(f"python{python.label}" for python in pythons[1:]),
        "ARGS": shlex.join(arguments),
    }
    command = ["make bench", *(f"{name}={shlex.quote(value)}" for name, value in variables.items() if value)]
    return f"{', '.join(names)}; {date}; `{' '.join(command)}`"


def processor() -> str:
    if sys.platform == "linux":
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def sentence(environment: dict[str, Any], only: Collection[str] = ()) -> str:
    """Return the environment as one paragraph, with all versions or only those of some packages."""
    versions = [
        f"{name} {version}"
        for name, version in environment["versions"].items()
        if version and (not only or name in only)
    ]
    return (
        f"The machine: {environment['system']}, {environment['processor']}, {environment['cores']} cores. "
        f"The versions: {', '.join(versions)}."
    )
