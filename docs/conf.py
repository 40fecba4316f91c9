"""Builds the site: `make docs`. The pages are Markdown, so that they read well without it, too."""

from __future__ import annotations

from typing import Any

import logflume

project = "logflume"
copyright = "the logflume authors"
version = release = logflume.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"

html_theme = "furo"  # light and dark, readable on a telephone, no trackers, kept well
html_title = f"logflume {version}"


def link_to_pages(app: object, name: str, source: list[str]) -> None:
    """What stands beside docs/ is a page of the site, too."""
    for file in ("CONTRIBUTING", "CHANGELOG"):
        source[0] = source[0].replace(f"](../{file}.md", f"]({file.lower()}.md")


def setup(app: Any) -> None:
    app.connect("source-read", link_to_pages)
