"""Writes the tables and plots into README and the documentation, each between the markers of its name.

    <!-- bench: call -->
    ...
    <!-- end of bench: call -->

The marker `environment` is for what the run was made on, `losses` for the rows in which logflume is not the best,
`summary` and, in README, `readme` for the numbers to begin with.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import machine, markdown, summary, tables
from .results import Results

README = Path(__file__).parent.parent / "README.md"
DOCS = README.parent / "docs"
PAGE = DOCS / "performance.md"
IMAGES = DOCS / "images"
DATA = DOCS / "performance.json"


def write(results: Results) -> None:
    """Write README, the page and the images. A table that was not measured stays as it is."""
    from . import plots  # takes a second

    texts = {"environment": machine.sentence(results.environment)}
    for name, result in results.tables.items():
        table = tables.ALL[name]
        parts = [table.about]
        if table.plot:
            IMAGES.mkdir(exist_ok=True)
            plots.draw(table, table.plot, result, IMAGES / f"{name}.svg")
            parts.append(f"![{table.plot.title}](images/{name}.svg)")
        parts += [markdown.render(table, result), markdown.made(result)]
        texts[name] = "\n\n".join(parts)
    losses = [line for name, result in results.tables.items() for line in markdown.losses(tables.ALL[name], result)]
    texts["losses"] = "\n".join(losses) or "None in this run."
    if results.tables.keys() >= {*summary.NEEDED}:
        texts["summary"] = summary.page(results)
        fill(README, {"readme": summary.readme(results)})
    fill(PAGE, texts)


def fill(page: Path, texts: dict[str, str]) -> None:
    """Put the texts between the markers of their names."""
    content = page.read_text()
    for name, text in texts.items():
        pattern = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end of bench: {name} -->)", re.DOTALL)
        if not pattern.search(content):
            raise SystemExit(f"{page} has no markers for {name}: add <!-- bench: {name} --> and its end")
        content = pattern.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", content)
    page.write_text(content)
