"""Writes the tables and plots into the documentation, each between the markers of its name.

    <!-- bench: call -->
    ...
    <!-- end of bench: call -->

The marker `environment` is for what the run was made on, `losses` for the rows in which logflume is not the best.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import machine, markdown, tables
from .results import Results

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
IMAGES = DOCS / "images"
DATA = DOCS / "performance.json"


def write(results: Results) -> None:
    """Write the page and the images. A table that was not measured stays as it is."""
    from . import plots  # takes a second

    page = fill(PAGE.read_text(), "environment", machine.sentence(results.environment))
    for name, result in results.tables.items():
        table = tables.ALL[name]
        parts = [table.about]
        if table.plot:
            IMAGES.mkdir(exist_ok=True)
            plots.draw(table, table.plot, result, IMAGES / f"{name}.svg")
            parts.append(f"![{table.plot.title}](images/{name}.svg)")
        parts += [markdown.render(table, result), markdown.made(result)]
        page = fill(page, name, "\n\n".join(parts))
    losses = [line for name, result in results.tables.items() for line in markdown.losses(tables.ALL[name], result)]
    page = fill(page, "losses", "\n".join(losses) or "None in this run.")
    PAGE.write_text(page)


def fill(page: str, name: str, text: str) -> str:
    """Return the page with `text` between the markers of that name."""
    pattern = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end of bench: {name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{PAGE} has no markers for {name}: add <!-- bench: {name} --> and its end")
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
