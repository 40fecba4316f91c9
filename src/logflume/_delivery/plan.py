"""The plan for a handler: which way a batch goes through filter, text and write.

| way | filter | text | write |
|---|---|---|---|
| COMPOSED | none, or asked in the call | made here, for many records | one write and one flush for many |
| FORMATTED | likewise | by the handler's own formatter, for each record | one write and one flush for many |
| HANDED_OVER | the handler's | by the handler's handle_batch(), which gets a list | likewise |
| ONE_BY_ONE | by handler.handle(), for each record | likewise | likewise |
"""

from __future__ import annotations

import logging

from .json_formatters import json_formatter_is_unpatched
from .sinks import rotates_by_size
from .unpatched import formatter_is_unpatched, formatter_of, handler_is_unpatched

__all__ = ["COMPOSED", "FORMATTED", "HANDED_OVER", "ONE_BY_ONE", "way_of"]

ONE_BY_ONE = 0
FORMATTED = 1
COMPOSED = 2
HANDED_OVER = 3


def way_of(handler: logging.Handler, asked: bool = False) -> int:
    """Return which way batches go to `handler` now. The compiled core has its own, which is quicker.

    `asked` tells that its filters were asked in the log call.
    """
    if handler_is_unpatched(handler, asked):
        formatter = formatter_of(handler)
        if formatter_is_unpatched(formatter) or json_formatter_is_unpatched(formatter):
            return COMPOSED
        if not rotates_by_size(handler):
            return FORMATTED
    return HANDED_OVER if hasattr(type(handler), "handle_batch") else ONE_BY_ONE
