"""The examples in README.md and docs/ run as they stand, links lead somewhere, and files and functions exist."""

from __future__ import annotations

import logging.config
import logging.handlers
import queue
import re
from pathlib import Path
from types import ModuleType

import pytest

from helpers import run_python

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

if not PAGES[0].exists():
    pytest.skip("needs the source tree", allow_module_level=True)


def examples() -> list[object]:
    return [
        pytest.param(example, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, example in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M))
    ]


@pytest.mark.parametrize("example", examples())
def test_example_writes_its_record(lf: ModuleType, example: str, tmp_path: Path) -> None:
    done = run_python("-W", "error::DeprecationWarning", "-c", example, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for message in re.findall(r'(?:info|warning)\("(.*)"\)', example):
        assert message in (tmp_path / "app.log").read_text()


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
LISTED_FILE = re.compile(r"[\w.*/-]+(?:\.(?:py|pyx|pxi|pxd|h|md|toml|yml)|/)")
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
