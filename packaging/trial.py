"""Runs tests with a wheel: beside it are the tests of the source tree and what they import, and no source."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from build import SOURCE
from machine import Failed, run

# What an interpreter can break, and what a system can, as far as wine is one: it is slow in starting processes.
PURE = "records delivery delivery_batches delivery_failed_writes delivery_streams json_formatter handler exceptions"
PURE += " contextvars listener_life exit fork"
WINDOWS = "records accelerated_calls accelerated_call_site delivery delivery_batches json_formatter handler"
CORES = ("LOGFLUME_REQUIRE_EXTENSIONS", "LOGFLUME_NO_EXTENSIONS")

Python = Callable[[list[str], dict[str, str]], str]  # runs a Python in a stage, with these arguments and variables


def tests(names: str) -> list[str]:
    return [f"tests/test_{name}.py" for name in names.split()]


def tests_of_processors() -> list[str]:
    """Return which tests CI chooses on emulated processors."""
    settings = tomllib.loads((SOURCE / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    [command] = [override["test-command"] for override in settings["overrides"]]
    words = shlex.split(command)
    return words[words.index("-k") :]


def make_stage(folder: Path, wheel: Path, version: str, log: Path) -> Path:
    """Return a new folder with the wheel installed for Python `version`, pytest and the tests."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    built = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SOURCE / "tests", folder / "tests", ignore=built)
    shutil.copy(SOURCE / "pyproject.toml", folder)
    shutil.copy(Path(__file__).with_name("smoke.py"), folder)
    # Packages without compiled code run on every machine.
    everywhere = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *everywhere, f"--python-version={version}"]
    run([*pip, "--target", folder / "packages", "--group", SOURCE / "pyproject.toml:test"], log)
    unpack(wheel, folder / "packages")
    return folder


def unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def try_stage(wheel: Path, python: Python, log: Path, *arguments: str, parallel: bool = True) -> str:
    """Run smoke.py with each core of the wheel, and the tests; return what was counted."""
    cores = CORES[1:] if wheel.name.endswith("-none-any.whl") else CORES
    for switch in cores:
        for half in ("write", "check"):
            python(["smoke.py", half, f"logs-{switch}"], variables(switch))
    counted = outcome(lambda: python(pytest(*arguments, parallel=parallel), variables(cores[0])), log)
    return f"{len(cores)} {'program' if len(cores) == 1 else 'programs'}, {counted}"


def variables(switch: str) -> dict[str, str]:
    # Unbuffered: the log of what took too long shows how far it came.
    return {"PYTHONPATH": "packages", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", switch: "1"}


def pytest(*arguments: str, parallel: bool = True) -> list[str]:
    several = ["-n", "auto", "--maxschedchunk", "1"] if parallel else []
    return ["-m", "pytest", "-q", "-p", "no:cacheprovider", *several, *arguments]


def outcome(start: Callable[[], str], log: Path) -> str:
    """Return what pytest counted, as "1813 passed, 40 skipped", from the output that start() returns."""
    try:
        printed = start()
    except Failed as failure:
        raise Failed(f"{counted(log.read_text(errors='replace'))}; {failure}") from None
    return counted(printed)


def counted(printed: str) -> str:
    found: list[Any] = re.findall(r"(\d+ (?:failed|passed|errors?).*?)(?:, \d+ warnings?)? in [\d.]+s", printed)
    return found[-1] if found else "no test was counted"
