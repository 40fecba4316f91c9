"""Chooses between the compiled and the pure build, and has each build of the same sources be the same bytes.

Everything else is in pyproject.toml.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import sys
import tarfile
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

SOURCE = Path("src")
COMPILED = SOURCE / "logflume" / "_c"
NEWEST = (3, 15)  # the newest Python that the extensions were built and tested on


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
    if sys.version_info[:2] > NEWEST and not required:
        print(
            "logflume: this Python is newer than the extensions know, so they are not built; "
            "LOGFLUME_REQUIRE_EXTENSIONS=1 tries it all the same",
            file=sys.stderr,
        )
        return False
    return True


# Debug information and symbols would make a wheel twice as large, and name folders of who built it.
OWN_FLAGS = os.name == "posix" and "CFLAGS" not in os.environ


class BuildExtensions(build_ext):
    """Runs Cython when an extension is built, not before: a sdist needs none and holds no C."""

    def build_extensions(self) -> None:
        # A Python built with a library path of its own hands it on, but a wheel runs on other machines.
        linker = getattr(self.compiler, "linker_so", [])
        linker[:] = [argument for argument in linker if not argument.startswith(("-Wl,-rpath", "-Wl,-R"))]
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        from Cython.Build import cythonize

        [compiled] = cythonize(
            [ext],
            build_dir=self.build_temp,  # src/ stays clean
            force=self.force,
            compiler_directives={
                "language_level": 3,
                "freethreading_compatible": True,
                "binding": False,
                "auto_pickle": False,
                # For inspect.signature() and help().
                "embedsignature": True,
                "embedsignature.format": "clinic",
            },
        )
        ext.sources = compiled.sources
        try:
            super().build_extension(ext)
        except Exception:
            print(
                "logflume: the extensions could not be compiled; set LOGFLUME_NO_EXTENSIONS=1 to install without them",
                file=sys.stderr,
            )
            raise


def extensions() -> list[Extension]:
    return [
        Extension(
            ".".join(path.relative_to(SOURCE).with_suffix("").parts),
            [path.as_posix()],
            include_dirs=[COMPILED.as_posix()],
            depends=sorted(path.as_posix() for path in COMPILED.rglob("*.[hp]*")),
            extra_compile_args=["-g0"] if OWN_FLAGS else [],
            extra_link_args=["-Wl,--strip-all"] if OWN_FLAGS and sys.platform == "linux" else [],
        )
        for path in sorted(COMPILED.glob("*.pyx"))
    ]


class ReproducibleSdist(sdist):
    """With SOURCE_DATE_EPOCH, an archive that tells nothing of when, where and by whom it was made."""

    def make_archive(self, base_name: str, format: str, *arguments: object, **more: object) -> str:
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or format != "gztar":
            return super().make_archive(base_name, format, *arguments, **more)
        tree = Path(str(more.get("base_dir") or arguments[1]))
        path = Path(f"{base_name}.tar.gz")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for file in sorted([tree, *tree.rglob("*")]):
                entry = archive.gettarinfo(str(file), file.as_posix())
                entry.mtime = int(epoch)
                entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                with file.open("rb") if entry.isfile() else io.BytesIO() as content:
                    archive.addfile(entry, content)
        path.write_bytes(gzip.compress(packed.getvalue(), mtime=int(epoch)))
        return str(path)


class ReproducibleWheel(bdist_wheel):
    """Leaves the builder's umask out, and adds the bill of materials that PEP 770 has a place for."""

    def write_wheelfile(self, wheelfile_base: str, *arguments: object, **more: object) -> None:
        super().write_wheelfile(wheelfile_base, *arguments, **more)
        folder = Path(wheelfile_base, "sboms")
        folder.mkdir(exist_ok=True)
        text = json.dumps(bill_of_materials(self.distribution), indent=2) + "\n"
        (folder / "logflume.cdx.json").write_text(text)
        for path in Path(wheelfile_base).parent.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


def bill_of_materials(distribution: Distribution) -> dict[str, object]:
    """CycloneDX 1.6: the package, and Cython, whose C code is a part of the extensions."""
    own = component("logflume", distribution.get_version(), "MIT")
    parts = []
    if distribution.ext_modules:
        import Cython

        parts = [component("cython", Cython.__version__, "Apache-2.0")]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": parts,
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def component(name: str, version: str, license: str) -> dict[str, object]:
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"id": license}}],
    }


setup(
    ext_modules=extensions() if wants_extensions() else [],
    cmdclass={"build_ext": BuildExtensions, "sdist": ReproducibleSdist, "bdist_wheel": ReproducibleWheel},
)
