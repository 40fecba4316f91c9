"""Chooses between the compiled and the pure build; everything else is in pyproject.toml."""

import os
import platform
import sys
from pathlib import Path

from setuptools import Extension, setup

ROOMS = ["record", "format", "delivery", "handler", "listener"]


def switched_on(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def extensions() -> list[Extension]:
    without = switched_on("LOGFLUME_NO_EXTENSIONS")
    required = switched_on("LOGFLUME_REQUIRE_EXTENSIONS")
    if without and required:
        sys.exit(
            "logflume: LOGFLUME_NO_EXTENSIONS and LOGFLUME_REQUIRE_EXTENSIONS are both set; "
            "unset one of them: the first asks for a pure build, the second forbids it"
        )
    if without:
        return []
    if platform.python_implementation() != "CPython":
        if required:
            sys.exit(
                "logflume: LOGFLUME_REQUIRE_EXTENSIONS is set, but the extensions are built for "
                f"CPython only, and this is {platform.python_implementation()}"
            )
        return []
    from Cython.Build import cythonize

    trace = switched_on("LOGFLUME_TRACE")  # line coverage of the .pyx files
    macros = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")] if trace else []
    modules = [
        Extension(
            f"logflume._c.{room}",
            [f"src/logflume/_c/{room}.pyx"],
            include_dirs=["src/logflume/_c"],
            depends=[str(path) for path in Path("src/logflume/_c").glob("*.[hp]*")],
            define_macros=macros,
        )
        for room in ROOMS
    ]
    compiled: list[Extension] = cythonize(
        modules,
        compiler_directives={
            "language_level": 3,
            "freethreading_compatible": True,
            "binding": False,
            "linetrace": trace,
        },
    )
    return compiled


setup(ext_modules=extensions())
