"""The examples in README.md and docs/ run as they stand, links lead somewhere, and files and functions exist.

tests/test_examples.py starts the servers of the pages, with the commands that stand there.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import logging.config
import logging.handlers
import os
import queue
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

import logflume
from helpers import run_python

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

if not PAGES[0].exists():
    pytest.skip("needs the source tree", allow_module_level=True)


def blocks(*languages: str) -> list[tuple[Path, str, str]]:
    """The blocks of code of these languages: page, language and text."""
    found = [(page, *block) for page in PAGES for block in re.findall(BLOCK, page.read_text("utf-8"), re.S | re.M)]
    return [block for block in found if block[1] in languages]


BLOCK = r"^```(\S*)\n(.*?)^```$"


def examples() -> list[object]:
    return [pytest.param(text, id=f"{page.stem}-{number}") for number, (page, _, text) in enumerate(blocks("python"))]


def others_in(example: str) -> set[str]:
    """The packages of others that an example needs."""
    found = {"IPython"} if "get_ipython" in example else set()
    for node in ast.walk(ast.parse(example)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            name = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            found.add(str(name).partition(".")[0])
    return found - sys.stdlib_module_names - {"logflume"}


@pytest.mark.parametrize("example", examples())
def test_example_writes_its_record(lf: ModuleType, example: str, tmp_path: Path) -> None:
    others = others_in(example)
    for name in others:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}")
    options = [] if others else ["-W", "error::DeprecationWarning"]  # theirs are not ours
    options += ["-m", "IPython"] if "IPython" in others else []
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    done = run_python(*options, "-c", main_of(example), cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    for message in re.findall(r'(?:info|warning)\("(.*)"\)', example):
        assert message in (tmp_path / "app.log").read_text()


def main_of(example: str) -> str:
    """The example without its last part, which starts a server: tests/test_examples.py does that."""
    return example.partition('if __name__ == "__main__":')[0]


def test_files_of_configurations(tmp_path: Path) -> None:
    for _, _, text in blocks("ini"):
        (tmp_path / "logging.ini").write_text(text)
        program = "import logging, logging.config; logging.config.fileConfig('logging.ini'); logging.info('queued')"
        done = run_python("-c", program, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "app.log").read_text() == "queued\n"


def test_json_is_what_the_example_above_writes(tmp_path: Path) -> None:
    pairs = list(zip(blocks("python", "json"), blocks("python", "json")[1:], strict=False))
    for (_, _, example), (_, language, text) in pairs:
        if language == "json":
            assert run_python("-c", example, cwd=tmp_path).returncode == 0
            line = (tmp_path / "app.log").read_text()
            assert re.sub(r"\d", "0", line) == re.sub(r"\d", "0", text)
            assert json.loads(line).keys() == json.loads(text).keys()


def console_commands() -> list[list[str]]:
    """The commands of the console blocks, each with the lines of its output."""
    return [part.splitlines() for _, _, text in blocks("console") for part in text.split("$ ")[1:]]


def test_commands(lf: ModuleType) -> None:
    """Packages are installed by names that exist here; programs of Python run; the tests of examples start servers."""
    known = (ROOT / "pyproject.toml").read_text()
    servers = (ROOT / "docs" / "frameworks.md").read_text("utf-8")
    for command, *output in console_commands():
        name, *arguments = shlex.split(command)
        if name == "pip":
            assert all(f'"{package}' in known for package in arguments[1:]), command
        elif name == "python" and arguments[0] == "-c":
            done = run_python(*arguments)
            assert done.stdout.splitlines() == [line.replace("compiled", lf.IMPLEMENTATION) for line in output]
        elif "-dbg" not in command:  # of a Python that is seldom there
            assert f"$ {command}" in servers or f"`{command}`" in servers


def test_api_page_has_every_public_name() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert [name for name in logflume.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_targets_of_make_that_pages_name() -> None:
    if (ROOT / "Makefile").exists():
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
        for page in PAGES:
            named = re.findall(r"`make ([a-z-]+)", page.read_text("utf-8"))
            assert set(named) <= targets, page


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_generated_numbers_are_those_of_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of bench/, `make bench ARGS='--docs --render'` writes them again."""
    pytest.importorskip("resource")  # bench/ needs it
    monkeypatch.syspath_prepend(str(ROOT))
    from bench import pages, results

    for page, parts in pages.generated(results.Results.load(pages.DATA)).items():
        for name, part in parts.items():
            assert f"<!-- bench: {name} -->\n\n{part}\n\n<!-- end" in page.read_text("utf-8"), (page.name, name)


# ---- the files and functions that the pages for contributors name ----

PACKAGE = ROOT / "src" / "logflume"
SOURCE_PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"]
LISTED_FILE = re.compile(r"[\w.*/-]+(?:\.(?:py|pyx|pxi|pxd|h|md|toml|yml|cff)|/)")
LISTED_FUNCTION = re.compile(r"(?:\w+\.)*(\w+)\(.*\)")
LISTED_NAME = re.compile(r"[A-Z]\w+(?:\.\w+)*")  # classes, constants, environment variables


def defined(text: str) -> set[str]:
    """The functions and methods that a Python, Cython or C file defines."""
    python = re.findall(r"^\s*(?:async )?(?:cp?)?def\b[^\n(]*?(\w+)\(", text, re.M)
    return {*python, *re.findall(r"^(logflume_\w+)\(", text, re.M)}


def standard_functions() -> set[str]:
    owners: list[object] = [logging, logging.config, logging.handlers, queue.SimpleQueue]
    owners += [logging.Logger, logging.Handler, logging.handlers.QueueListener, logging.handlers.QueueHandler]
    return {name for owner in owners for name in dir(owner)}


def files_named(name: str, folder: str) -> list[Path]:
    """The files or folders that a page calls `name`, under a heading that names `folder`."""
    bases = (PACKAGE / folder, PACKAGE, ROOT, ROOT / "tests")
    return [found for base in bases for found in base.glob(name.rstrip("/"))]


def code_spans(page: Path) -> list[tuple[str, str]]:
    """What stands between backticks, each with the line that it stands in."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    return [(span, line) for line in text.splitlines() for span in re.findall(r"`([^`]+)`", line)]


@pytest.mark.skipif(not PACKAGE.exists(), reason="needs the source tree")
@pytest.mark.parametrize("page", SOURCE_PAGES, ids=lambda page: page.name)
def test_files_and_functions_that_a_page_names_exist(page: Path) -> None:
    sources = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".pyx", ".pxi", ".pxd", ".h")]
    texts = {path: path.read_text("utf-8") for path in sources}
    functions = {path: defined(text) for path, text in texts.items()}
    all_text = "\n".join([*texts.values(), (ROOT / "Makefile").read_text(), (ROOT / "setup.py").read_text()])
    everywhere = set().union(standard_functions(), *functions.values())
    everywhere |= {"handle_batch"}  # of users' handlers

    def is_known(span: str, folder: str) -> bool:
        if LISTED_FILE.fullmatch(span):
            return bool(files_named(span, folder))
        if match := LISTED_FUNCTION.fullmatch(span):
            return match[1] in everywhere
        return not LISTED_NAME.fullmatch(span) or bool(re.search(rf"\b{span.rpartition('.')[2]}\b", all_text))

    folder = ""
    for span, line in code_spans(page):
        if line.startswith("#"):
            folder = span
        assert is_known(span, folder), f"{span} in {line}"
        row = re.match(r"\| `([^`]+)` \| (`\w+\(\)`(?:, `\w+\(\)`)*) \|", line)
        if row:  # it says what a file has
            file = files_named(row[1], folder)[0]
            assert functions[file].issuperset(re.findall(r"(\w+)\(", row[2])), line


def test_glossary_has_few_words() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.split("## Words")[1].split("## ")[0]
    assert 20 <= len(re.findall(r"^\| [a-z]", section, re.M)) - 1 <= 25


def test_pages_are_short_enough_to_be_read() -> None:
    """The walk has at most eight files on each side of the queue, and six in the pure core."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    walk = text.split("## The walk of one record")[1].split("\n## ")[0]
    parts = re.split(r"\n### (\w+), ", walk)[1:]
    assert parts[::2] == ["Compiled", "Compiled", "Pure", "Pure"]
    for core, part in zip(parts[::2], parts[1::2], strict=True):
        rows = re.findall(r"^\| `", part, re.M)
        assert 0 < len(rows) <= (8 if core == "Compiled" else 6)
