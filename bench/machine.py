"""What a run was made on: machine, versions, date, command."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from . import contenders

BESIDES = ("fastapi", "uvicorn", "uvloop", "python-json-logger", "colorlog", "orjson")


def environment() -> dict[str, Any]:
    """Return what a reader has to know about a run."""
    packages = {contender.package for contender in contenders.ALL.values() if contender.package}
    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in sorted({*packages, *BESIDES})},
    }


def made(arguments: Sequence[str]) -> str:
    """Return the date, the Python and the command of a run with these arguments."""
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    command = f"make bench ARGS={shlex.quote(shlex.join(arguments))}" if arguments else "make bench"
    return f"{platform.python_implementation()} {platform.python_version()}, {date}, `{command}`"


def processor() -> str:
    if sys.platform == "linux":
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version(package: str) -> str | None:
    """Return the version of a distribution, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def sentence(environment: dict[str, Any]) -> str:
    """Return the environment as one paragraph."""
    versions = [f"{name} {version}" for name, version in environment["versions"].items() if version]
    return (
        f"The machine: {environment['system']}, {environment['processor']}, {environment['cores']} cores. "
        f"The versions: {', '.join(versions)}."
    )
