"""What a part needs of the machine: commands that run, Debian packages, memory of what they printed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

LONGEST = 1200  # seconds that a command may take


class NotRun(Exception):
    """Why a part cannot run on this machine."""


class Failed(Exception):
    """A command ended with an error; the text says which, and where its output is."""


def run(command: list[Any], log: Path, **given: Any) -> str:
    """Run `command`, add what it prints to the file `log`, and return that; raise Failed for an error."""
    words = [str(part) for part in command]
    with log.open("ab") as file:
        file.write(f"$ {' '.join(words)}\n".encode())
        file.flush()
        try:
            # Both ends are pipes: Windows' Python under wine does not start with less.
            done = subprocess.run(
                words, input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST, **given
            )
        except subprocess.TimeoutExpired as late:
            file.write(late.output or b"")
            raise Failed(f"{Path(command[0]).name} took longer than {LONGEST} s") from None
        file.write(done.stdout)
    printed = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} ended with {done.returncode}, see {os.path.relpath(log)}")
    return printed


def need(log: Path, **commands: str) -> None:
    """Install the Debian packages of those `commands` that are not there: need(log, node="nodejs")."""
    missing = [package for command, package in commands.items() if not find(command)]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotRun(f"needs the Debian packages {names}, and root to install them")
    try:
        run(["apt-get", "update", "--quiet"], log)
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
        run(install, log, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    except Failed as failure:
        raise NotRun(f"apt-get does not install {names}: {failure}") from None


def find(command: str) -> str | None:
    """Return the path of `command`, whose name has underscores for hyphens."""
    return shutil.which(command.replace("_", "-"))
