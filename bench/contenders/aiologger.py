"""aiologger: each call makes a task, which ends when the line is written. It may be awaited, or not."""

from __future__ import annotations

import logging

from ..configurations import FORMAT
from .contender import Contender, Running

CALLS = {
    "plain": 'await log.info(f"order {i} of x")',
    "extra": 'await log.info(f"order {i} of x", extra={"user": "abc", "basket": 5})',
    "exception": 'await log.exception(f"order {i} of x")',
    "disabled": 'await log.debug(f"order {i} of x")',
}


def start(path: str) -> Running:
    from aiologger import Logger
    from aiologger.formatters.base import Formatter
    from aiologger.handlers.files import AsyncFileHandler

    logger = Logger(name="a.b.c", level=logging.INFO)
    handler = AsyncFileHandler(path)
    handler.formatter = Formatter(fmt=FORMAT)
    logger.add_handler(handler)
    return Running(logger, logger.shutdown)


NOT_AWAITED = {name: call.removeprefix("await ") for name, call in CALLS.items()}
CONTENDERS = [
    Contender("aiologger", start, "aiologger", CALLS, in_loop=True),
    Contender("aiologger, not awaited", start, "aiologger", NOT_AWAITED, in_loop=True),
]
