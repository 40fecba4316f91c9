"""The examples in README.md and docs/ run as they stand, and the links between the pages lead somewhere."""

from __future__ import annotations

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
        for number, example in enumerate(
            re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)
        )
    ]


@pytest.mark.parametrize("example", examples())
def test_example_writes_its_record(lf: ModuleType, example: str, tmp_path: Path) -> None:
    done = run_python("-W", "error::DeprecationWarning", "-c", example, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    if "def lifespan" in example:  # a server's to run
        return
    [message] = re.findall(r'(?:info|warning)\("(.*)"\)', example)
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
