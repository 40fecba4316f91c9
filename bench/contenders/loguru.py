"""loguru, without its diagnosis of exceptions, which no other contender makes."""

from __future__ import annotations

from functools import partial

from .contender import Contender, Running

CALLS = {
    "plain": 'log.info("order {} of {}", i, "x")',
    "extra": 'log.bind(user="abc", basket=5).info("order {} of {}", i, "x")',
    "exception": 'log.exception("order {} of {}", i, "x")',
    "disabled": 'log.debug("order {} of {}", i, "x")',
}
FORMAT = "{time:YYYY-MM-DD HH:mm:ss,SSS} {level} a.b.c {message}"


def start(path: object, **options: bool) -> Running:
    from loguru import logger

    logger.remove()
    logger.add(path, level="INFO", format=FORMAT, backtrace=False, diagnose=False, **options)  # type: ignore[call-overload]
    return Running(logger, logger.remove)


CONTENDERS = [
    Contender("loguru", start, "loguru", CALLS),
    Contender("loguru, enqueue", partial(start, enqueue=True), "loguru", CALLS),
    Contender("loguru, serialize", partial(start, serialize=True), "loguru", CALLS, "json"),
]
