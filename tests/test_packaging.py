"""The package itself: what is built, what is installed, and which implementation is chosen."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import logflume
from check_wheel import EXTENSIONS, problems
from helpers import run_code

ROOT = Path(__file__).parent.parent
SWITCHES = ("LOGFLUME_NO_EXTENSIONS", "LOGFLUME_REQUIRE_EXTENSIONS")
KIND = logflume.IMPLEMENTATION

in_source_tree = pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the source tree")


def run(command: list[str], **switches: str) -> subprocess.CompletedProcess[str]:
    """Run `command` with only the given switches on."""
    kept = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    return subprocess.run(command, env=kept | switches, capture_output=True, text=True, timeout=600)


def own_switch() -> dict[str, str]:
    return {SWITCHES[KIND == "compiled"]: "1"}


def compiled_modules() -> list[str]:
    """Return the dotted names of the modules that a compiled build has, as the source tree has them."""
    source = ROOT / "src"
    return [
        ".".join(path.relative_to(source).with_suffix("").parts)
        for path in sorted((source / "logflume" / "_c").rglob("*.pyx"))
    ]


@in_source_tree
def test_both_cores_give_the_package_the_same_names() -> None:
    from logflume import _backend

    imported: dict[str, set[str]] = {"_c": set(), "_py": set()}
    for node in ast.walk(ast.parse(Path(str(_backend.__file__)).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 1:
            core, *_ = node.module.split(".")
            if core in imported:
                imported[core] |= {alias.asname or alias.name for alias in node.names}
    modules = {name.rpartition(".")[2] for name in compiled_modules()}
    assert imported["_c"] - modules == imported["_py"]
    assert imported["_py"] | {"IMPLEMENTATION"} == set(_backend.__all__)


@in_source_tree
def test_each_compiled_module_is_imported_by_name() -> None:
    """Else a tool that freezes programs does not find it: it cannot read what other compiled modules import."""
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "src/logflume/_backend.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            module = f"logflume.{node.module}"
            imported |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    assert set(compiled_modules()) <= imported


@in_source_tree
def test_compiled_modules_are_installed_as_the_build_says() -> None:
    assert compiled_modules()
    for name in compiled_modules():
        spec = importlib.util.find_spec(name)
        if KIND == "compiled":
            assert spec is not None, name
            assert str(spec.origin).endswith(tuple(EXTENSION_SUFFIXES)), name
            importlib.import_module(spec.name)
        else:
            assert spec is None or spec.origin is None, f"{name} is compiled in a pure installation"


def test_version_is_the_metadata_version() -> None:
    assert logflume.__version__ == importlib.metadata.version("logflume")


@in_source_tree
def test_changelog_begins_with_this_version() -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## [")]
    assert headings[0].startswith(f"## [{logflume.__version__}]")


@in_source_tree
def test_citation_names_this_version_and_its_date() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {logflume.__version__}\n" in text
    [date] = re.findall(r"^date-released: (\S+)$", text, re.M)
    assert f"## [{logflume.__version__}] - {date}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_installed_files() -> None:
    files = {str(path).replace("\\", "/") for path in importlib.metadata.files("logflume") or ()}
    assert "logflume/py.typed" in files
    assert not [name for name in files if name.endswith((".pyx", ".pxi", ".pxd", ".c", ".h"))]


def imported_with(**switches: str) -> subprocess.CompletedProcess[str]:
    program = "import logflume; print(logflume.IMPLEMENTATION)"
    return run([sys.executable, "-c", program], **switches)


def test_no_extensions_runs_pure() -> None:
    assert imported_with(LOGFLUME_NO_EXTENSIONS="1").stdout.strip() == "pure"


def test_require_extensions_runs_compiled_or_says_why() -> None:
    done = imported_with(LOGFLUME_REQUIRE_EXTENSIONS="1")
    if KIND == "compiled":
        assert done.stdout.strip() == "compiled"
    else:
        assert done.returncode != 0
        assert "ImportError" in done.stderr
        assert "LOGFLUME_REQUIRE_EXTENSIONS" in done.stderr


def test_without_a_switch_runs_what_is_there() -> None:
    assert imported_with().stdout.strip() == KIND


def test_both_switches_are_an_error() -> None:
    done = imported_with(LOGFLUME_NO_EXTENSIONS="1", LOGFLUME_REQUIRE_EXTENSIONS="1")
    assert done.returncode != 0
    assert all(switch in done.stderr for switch in SWITCHES)


def test_a_switch_of_0_is_off() -> None:
    done = imported_with(LOGFLUME_NO_EXTENSIONS="0", LOGFLUME_REQUIRE_EXTENSIONS="0")
    assert done.stdout.strip() == KIND


def build(source: Path, *arguments: str, **switches: str) -> subprocess.CompletedProcess[str]:
    outdir = str(source.parent / "dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", outdir, *arguments, str(source)]
    return run(command, **switches)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("clone") / "logflume"
    copy.mkdir()
    built = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.c", *("*" + suffix for suffix in EXTENSIONS))
    for name in ("src", "tests", "bench", "docs", "examples", "packaging"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, copy / name, ignore=built)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    return copy


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest) -> Path:
    """The folder with the sdist and the wheel made from it; LOGFLUME_DIST names it where they are built already."""
    folder = os.environ.get("LOGFLUME_DIST")
    if folder:
        return ROOT / folder
    clone: Path = request.getfixturevalue("clone")
    done = build(clone, **own_switch())
    assert done.returncode == 0, done.stdout + done.stderr
    return clone.parent / "dist"


@in_source_tree
def test_sdist_holds_the_sources_and_nothing_built(built: Path) -> None:
    with tarfile.open(built / f"logflume-{logflume.__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.*")]
    suffixes = {".py", ".pyx", ".pxi", ".pxd", ".h", ".typed"}
    missing = {path.relative_to(ROOT).as_posix() for path in sources if path.suffix in suffixes} - names
    assert not missing
    assert {"LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert not [name for name in names if name.endswith((*EXTENSIONS, ".c", ".pyc"))]


@in_source_tree
def test_wheel_from_the_sdist(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    assert problems(KIND, wheel) == []


def test_a_wheel_is_published_only_with_the_address_of_its_repository(tmp_path: Path) -> None:
    address = "https://git.example/owner/logflume"
    lines = ["Name: logflume", f"Project-URL: Fork, {address}-2", f"Project-URL: Source, {address}", "", "the README"]
    found = []
    for name, kept in (("with", lines), ("without", [line for line in lines if not line.endswith(address)])):
        wheel = tmp_path / f"{name}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("logflume-1.dist-info/METADATA", "\n".join(kept))
        found.append([problem for problem in problems("pure", wheel, address) if "Project-URL" in problem])
    assert found == [[], [f"has no Project-URL {address}: add it to [project.urls] in pyproject.toml"]]


@in_source_tree
def test_the_same_sources_make_the_same_bytes(clone: Path, tmp_path: Path) -> None:
    """With SOURCE_DATE_EPOCH: not the time of the files nor of the build is in the sdist and the pure wheel."""
    packages = []
    for name in ("one", "another"):
        for path in clone.rglob("*"):
            os.utime(path)
        command = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            str(tmp_path / name),
            str(clone),
        ]
        done = run(command, SOURCE_DATE_EPOCH="1700000000", LOGFLUME_NO_EXTENSIONS="1")
        assert done.returncode == 0, done.stdout + done.stderr
        packages.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert packages[0].keys() == packages[1].keys()
    assert [name for name in packages[0] if packages[0][name] != packages[1][name]] == []


@in_source_tree
def test_build_refuses_both_switches(clone: Path) -> None:
    done = build(clone, "--sdist", LOGFLUME_NO_EXTENSIONS="1", LOGFLUME_REQUIRE_EXTENSIONS="1")
    assert done.returncode != 0
    assert "unset one of them" in done.stdout + done.stderr


@in_source_tree
@pytest.mark.skipif(platform.python_implementation() == "CPython", reason="CPython can build the extensions")
def test_build_refuses_required_extensions_elsewhere(clone: Path) -> None:
    done = build(clone, "--wheel", LOGFLUME_REQUIRE_EXTENSIONS="1")
    assert done.returncode != 0
    assert "CPython only" in done.stdout + done.stderr


@in_source_tree
@pytest.mark.skipif(os.name != "posix" or KIND == "pure", reason="compiles with what CC names")
def test_without_a_compiler_the_error_names_the_pure_way(clone: Path) -> None:
    done = build(clone, "--wheel", CC="/bin/false")
    assert done.returncode != 0
    assert "set LOGFLUME_NO_EXTENSIONS=1 to install without them" in done.stdout + done.stderr


def test_importing_calls_no_record_factory():
    """Nor does it take what the factory sets for a part of each record."""
    program = """
import logging
standard = logging.getLogRecordFactory()
def factory(name, *args, **kwargs):
    record = standard(name, *args, **kwargs)
    record.tenant = name.split(".")[0]
    return record
logging.setLogRecordFactory(factory)
import logflume
logging.setLogRecordFactory(standard)
logflume.accelerate_loggers()
logging.basicConfig(format="%(tenant)s")
logging.error("one", extra={"tenant": "mine"})
"""
    done = run_code(program)
    assert (done.returncode, done.stderr.split()) == (0, ["mine"])


def test_importing_costs_little():
    """What is imported beyond logging.handlers is this package and `typing`: no asyncio, no multiprocessing."""
    program = (
        "import sys, logging.handlers, queue, atexit; before = set(sys.modules); import logflume; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith(('logflume', '_cython_'))))"
    )
    done = run_code(program)
    assert done.stderr == ""
    assert set(done.stdout.split()) <= {
        "__future__",
        "_bisect",
        "_contextvars",
        "_immutables_map",  # PyPy's contextvars
        "bisect",
        "contextlib",
        "contextvars",
        "cython_runtime",
        "gc",
        "signal",
        "typing",
        "typing.io",
        "typing.re",
        "_typing",
        "annotationlib",  # for typing.NamedTuple, from 3.14
        "ast",
        "_ast",
        # Earlier Pythons import them for logging.handlers.
        "_math_integer",
        "math",
        "math.integer",
        "select",
    }
