"""The parts of `make wheels`: each builds a file, audits it and runs it, and says so in its row of the table."""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit import audit, repaired
from build import Target, build_compiled, build_pure, build_sdist, name_musl, of_musl, of_root
from machine import NotRun, need, run
from pythons import python_for
from roots import Root, emulate, make_root
from trial import PURE, WINDOWS, make_stage, tests, tests_of_processors, try_stage
from windows import make_windows, of_windows

HERE = Path(__file__).parent
NEEDS_PYTHON = ["python3", "libpython3-dev"]


@dataclass
class Row:
    """What became of a part."""

    part: str
    file: Path | None = None
    audited: str = ""
    ran: str = ""
    result: str = ""


class Workshop:
    """Where everything is made. What many parts need is made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str) -> Path:
        """Return an empty folder for a part."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @functools.cached_property
    def sdist(self) -> Path:
        return build_sdist(self.new("sdist"), self.log("sdist"))

    @functools.cached_property
    def pure(self) -> Path:
        return build_pure(self.sdist, self.new("pure"), self.log("pure"))

    @property
    def kept(self) -> Path:
        """What the next run finds again: other systems."""
        return self.folder.parent / f"{self.folder.name}-systems"


def compile_for(shop: Workshop, row: Row, target: Target, policy: str) -> Path:
    """Build and audit a compiled wheel, which gets the tag of the policy."""
    folder, log = shop.new(row.part), shop.log(row.part)
    wheel = build_compiled(shop.sdist, folder, log, target)
    return audit_compiled(row, wheel, folder, log, policy)


def audit_compiled(row: Row, wheel: Path, folder: Path, log: Path, policy: str) -> Path:
    row.file = wheel
    row.file = repaired(wheel, folder / policy, log, policy)
    audit(row.file, log)
    row.audited = "clean"
    return row.file


def try_here(shop: Workshop, row: Row, wheel: Path) -> None:
    """Run all tests that need no source, with the running Python."""
    log = shop.log(row.part)
    row.ran = f"CPython {platform.python_version()} here"
    stage = make_stage(shop.folder / f"{row.part}-stage", wheel, platform.python_version(), log)

    def python(arguments: list[str], variables: dict[str, str]) -> str:
        path = {"PATH": "/usr/bin:/bin", "HOME": str(stage)}
        return run([sys.executable, *arguments], log, cwd=stage, env=path | variables)

    row.result = try_stage(wheel, python, log)


def try_in_root(shop: Workshop, row: Row, root: Root, wheel: Path, *arguments: str) -> None:
    """Run tests with the Python of a root."""
    log = shop.log(row.part)
    stage = make_stage(root.path / "stage", wheel, root.version, log)

    def python(words: list[str], variables: dict[str, str]) -> str:
        return run(root.command(f"/{stage.name}", variables, [f"/usr/bin/{root.python}", *words]), log)

    row.result = try_stage(wheel, python, log, *arguments)


def sdist(shop: Workshop, row: Row) -> None:
    row.file = shop.sdist
    audit(shop.sdist, shop.log(row.part))
    row.audited, row.ran, row.result = "clean", "build", "every wheel here is built from it"


def pure(shop: Workshop, row: Row) -> None:
    row.file = shop.pure
    audit(shop.pure, shop.log(row.part))
    row.audited = "clean"
    try_here(shop, row, shop.pure)


def x86_64(shop: Workshop, row: Row) -> None:
    target = Target("x86_64-linux-gnu.2.17", "linux-x86_64")
    try_here(shop, row, compile_for(shop, row, target, "manylinux2014_x86_64"))


def musl(shop: Workshop, row: Row) -> None:
    folder, log = shop.new(row.part), shop.log(row.part)
    wheel = build_compiled(shop.sdist, folder, log, of_musl("x86_64-linux-musl", "linux-x86_64"))
    name_musl(wheel, folder / "unpacked", log)
    audit_compiled(row, wheel, folder, log, "musllinux_1_2_x86_64")
    raise NotRun("no package has a Python for musl; CI runs it")


def i686(shop: Workshop, row: Row) -> None:
    root = make_root(shop.kept, shop.log(row.part), "i386", NEEDS_PYTHON)
    target = of_root(root, "x86-linux-gnu.2.17", "linux-i686", python_for(root.version))
    wheel = compile_for(shop, row, target, "manylinux2014_i686")
    row.ran = f"CPython {root.version}, Debian i386"
    try_in_root(shop, row, root, wheel)


def emulated(shop: Workshop, row: Row, processor: str, architecture: str) -> None:
    log = shop.log(row.part)
    root = make_root(shop.kept, log, architecture, NEEDS_PYTHON)
    target = of_root(root, f"{processor}-linux-gnu.2.17", f"linux-{processor}", python_for(root.version))
    wheel = compile_for(shop, row, target, f"manylinux2014_{processor}")
    emulate(log, processor)
    row.ran = f"CPython {root.version}, Debian {architecture}, qemu"
    try_in_root(shop, row, root, wheel, *tests_of_processors())


def aarch64(shop: Workshop, row: Row) -> None:
    emulated(shop, row, "aarch64", "arm64")


def s390x(shop: Workshop, row: Row) -> None:
    emulated(shop, row, "s390x", "s390x")


def pypy(shop: Workshop, row: Row) -> None:
    row.file = shop.pure
    root = make_root(shop.kept, shop.log(row.part), "amd64", ["pypy3"], suite="trixie")
    row.ran = f"PyPy {root.version}, Debian amd64"
    try_in_root(shop, row, root, shop.pure, *tests(PURE))


def pyodide(shop: Workshop, row: Row) -> None:
    row.file = shop.pure
    log, folder = shop.log(row.part), shop.new(row.part)
    need(log, node="nodejs", npm="npm")
    (folder / "package.json").write_text("{}")
    run(["npm", "install", "--no-audit", "--no-fund", "pyodide"], log, cwd=folder)
    row.ran = "Pyodide in node"
    run(["node", HERE / "pyodide.mjs", folder, shop.pure, HERE / "smoke.py"], log)
    row.result = "1 program passed"


def windows(shop: Workshop, row: Row) -> None:
    log = shop.log(row.part)
    system = make_windows(shop.kept / "windows", log)
    folder = shop.new(row.part)
    wheel = row.file = build_compiled(shop.sdist, folder, log, of_windows(system, folder, log))
    audit(wheel, log, offered=False)
    row.audited = "not offered"
    row.ran = f"CPython {system.version}, wine"
    stage = make_stage(shop.folder / f"{row.part}-stage", wheel, system.version, log)

    def python(arguments: list[str], variables: dict[str, str]) -> str:
        return system.python(*arguments, folder=stage, log=log, **variables)

    row.result = try_stage(wheel, python, log, "-m", "not hypothesis", *tests(WINDOWS), parallel=False)


PARTS: dict[str, Callable[[Workshop, Row], None]] = {
    part.__name__: part for part in (sdist, pure, x86_64, musl, i686, aarch64, s390x, pypy, pyodide, windows)
}
