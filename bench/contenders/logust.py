"""logust: loguru's interface in Rust. Its calls take no arguments for the message."""

from __future__ import annotations

from functools import partial

from .contender import Contender, Running

CALLS = {
    "plain": 'log.info(f"order {i} of x")',
    "extra": 'log.bind(user="abc", basket=5).info(f"order {i} of x")',
    "exception": 'log.exception(f"order {i} of x")',
    "disabled": 'log.debug(f"order {i} of x")',
}


def start(path: str, **options: bool) -> Running:
    from logust import logger

    logger.remove()
    logger.set_level("INFO")
    logger.add(path, level="INFO", format="{time} {level} a.b.c {message}", **options)
    return Running(logger, logger.remove)


CONTENDERS = [
    Contender("logust", start, "logust", CALLS),
    Contender("logust, enqueue", partial(start, enqueue=True), "logust", CALLS),
]
