"""Writes the tables and plots into README and the documentation, each between the markers of its name.

    <!-- bench: call -->
    ...
    <!-- end of bench: call -->

The marker `environment` is for what the run was made on, `losses` for the rows in which logflume is not the best,
`summary` and, in README, `readme` for the numbers to begin with.
"""

from __future__ import annotations

from pathlib import Path

from . import machine, markdown, summary, tables
from .results import Results, TableResult
from .table import Table

README = Path(__file__).parent.parent / "README.md"
DOCS = README.parent / "docs"
PAGE = DOCS / "performance.md"
IMAGES = DOCS / "images"
DATA = DOCS / "performance.json"


def write(results: Results) -> None:
    """Write README, the page and the images. A table that was not measured stays as it is."""
    from . import plots  # takes a second

    IMAGES.mkdir(exist_ok=True)
    for name, result in results.tables.items():
        if plot := tables.ALL[name].plot:
            plots.draw(tables.ALL[name], plot, result, IMAGES / f"{name}.svg")
    for page, parts in generated(results).items():
        fill(page, parts)


def generated(results: Results) -> dict[Path, dict[str, str]]:
    """Return what stands in each file between the markers of each name."""
    parts = {name: section(tables.ALL[name], result) for name, result in results.tables.items()}
    losses = [line for name, result in results.tables.items() for line in markdown.losses(tables.ALL[name], result)]
    parts["losses"] = "\n".join(losses) or "None in this run."
    parts["environment"] = machine.sentence(results.environment)
    if not results.tables.keys() >= {*summary.NEEDED}:
        return {PAGE: parts}
    return {PAGE: {"summary": summary.page(results), **parts}, README: {"readme": summary.readme(results)}}


def section(table: Table, result: TableResult) -> str:
    parts = [table.about, markdown.render(table, result), markdown.made(result)]
    if table.plot:
        parts.insert(1, markdown.image(table, IMAGES.name))
    return "\n\n".join(parts)


def fill(page: Path, parts: dict[str, str]) -> None:
    """Put the parts between the markers of their names."""
    text = old = page.read_text()
    for name, part in parts.items():
        before, begin, rest = text.partition(f"<!-- bench: {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of bench: {name} -->\n")
        if not end:
            raise SystemExit(f"{page} has no markers for {name}: add <!-- bench: {name} --> and its end")
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    if text != old:  # README is part of the package, which is built anew when it is newer
        page.write_text(text)
