"""The plan for a handler: which way a batch goes through filter, text and write.

| way | filter | text | write |
|---|---|---|---|
| COMPOSED | none, or asked in the call | made here, for many records | one write and one flush for many |
| FORMATTED | likewise | by handler.format(), for each record | one write and one flush for many |
| HANDED_OVER | the handler's | by the handler's handle_batch(), which gets a list | likewise |
| ONE_BY_ONE | by handler.handle(), for each record | likewise | likewise |
"""

from __future__ import annotations

import logging
from typing import Any

from .added_fields import added_fields
from .json_formatters import json_formatter_is_unpatched
from .sinks import rotates_by_size
from .unpatched import formatter_is_unpatched, formatter_of, overridden_by

ONE_BY_ONE = 0
FORMATTED = 1
COMPOSED = 2
HANDED_OVER = 3

FORMAT = frozenset(("format",))  # what a handler may override and still has its texts written together


def way_of(handler: logging.Handler, asked: bool = False) -> int:
    """Return which way batches go to `handler` now. The compiled core has its own, which is quicker.

    `asked` tells that its filters were asked in the log call.
    """
    overridden = overridden_by(handler, asked)
    if overridden is not None and overridden <= FORMAT:
        formatter = formatter_of(handler)
        if not overridden and is_composed(formatter):
            return COMPOSED
        if not rotates_by_size(handler):
            return FORMATTED
    return HANDED_OVER if hasattr(type(handler), "handle_batch") else ONE_BY_ONE


def is_composed(formatter: Any) -> bool:
    """Whether the compiled core can make the texts of `formatter`."""
    return formatter_is_unpatched(formatter) or json_formatter_is_unpatched(formatter) or added_fields(formatter) != ()
