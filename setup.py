"""Chooses between the compiled and the pure build; everything else is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
COMPILED = SOURCE / "logflume" / "_c"


def switched_on(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def wants_extensions() -> bool:
    without = switched_on("LOGFLUME_NO_EXTENSIONS")
    required = switched_on("LOGFLUME_REQUIRE_EXTENSIONS")
    if without and required:
        sys.exit(
            "logflume: LOGFLUME_NO_EXTENSIONS and LOGFLUME_REQUIRE_EXTENSIONS are both set; "
            "unset one of them: the first asks for a pure build, the second forbids it"
        )
    if without:
        return False
    if platform.python_implementation() != "CPython":
        if required:
            sys.exit(
                "logflume: LOGFLUME_REQUIRE_EXTENSIONS is set, but the extensions are built for "
                f"CPython only, and this is {platform.python_implementation()}"
            )
        return False
    return True


TRACE = switched_on("LOGFLUME_TRACE")  # line coverage of the .pyx files


class BuildExtensions(build_ext):
    """Runs Cython when an extension is built, not before: a sdist needs none and holds no C."""

    def build_extension(self, ext: Extension) -> None:
        from Cython.Build import cythonize

        # Coverage finds the C file only beside its .pyx; other builds leave src/ clean.
        [compiled] = cythonize(
            [ext],
            build_dir=None if TRACE else self.build_temp,
            force=self.force,
            compiler_directives={
                "language_level": 3,
                "freethreading_compatible": True,
                "binding": False,
                # For inspect.signature() and help().
                "embedsignature": True,
                "embedsignature.format": "clinic",
                "linetrace": TRACE,
            },
        )
        ext.sources = compiled.sources
        try:
            super().build_extension(ext)
        except Exception:
            print(
                "logflume: the extensions could not be compiled; "
                "set LOGFLUME_NO_EXTENSIONS=1 to install without them",
                file=sys.stderr,
            )
            raise


def extensions() -> list[Extension]:
    macros: list[tuple[str, str | None]] = []
    if TRACE:
        macros = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")]
    return [
        Extension(
            ".".join(path.relative_to(SOURCE).with_suffix("").parts),
            [path.as_posix()],
            include_dirs=[COMPILED.as_posix()],
            depends=sorted(path.as_posix() for path in COMPILED.rglob("*.[hp]*")),
            define_macros=macros,
            # Four fifths of a wheel would be debug information, with the paths of who built it.
            extra_compile_args=["-g0"]
            if os.name == "posix" and not TRACE and "CFLAGS" not in os.environ
            else [],
        )
        for path in sorted(COMPILED.rglob("*.pyx"))
    ]


setup(
    ext_modules=extensions() if wants_extensions() else [],
    cmdclass={"build_ext": BuildExtensions},
)
