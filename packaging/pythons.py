"""The Pythons of this machine: building for another machine takes one of the same version here."""

from __future__ import annotations

import shutil
import subprocess
import sys

from machine import NotRun

ASK = "import platform, sys, sysconfig; print(platform.python_version()[:4].rstrip('.'), sysconfig.get_path('include'))"


def python_for(version: str) -> str:
    """Return the path of a Python of that version, as "3.13"; raise NotRun if there is none."""
    for path in (sys.executable, f"/usr/bin/python{version}", shutil.which(f"python{version}")):
        if path and ask(path)[0] == version:
            return path
    raise NotRun(f"needs a Python {version} on PATH to build for that of the other machine")


def headers_of(python: str) -> str:
    """Return the folder with its Python.h."""
    return ask(python)[1]


def ask(path: str) -> list[str]:
    try:
        printed = subprocess.check_output([path, "-c", ASK], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ["", ""]
    return printed.strip().split(" ", 1)
