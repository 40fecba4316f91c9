"""fapilog: a queue of its own before lines of JSON on stdout, told not to drop what does not fit."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from .contender import Contender, Running

CALLS = {
    "plain": 'log.info(f"order {i} of x")',
    "extra": 'log.info(f"order {i} of x", user="abc", basket=5)',
    "exception": 'log.exception(f"order {i} of x")',
    "disabled": 'log.debug(f"order {i} of x")',
}


def start(path: str) -> Running:
    from fapilog import LoggerBuilder

    sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    builder = LoggerBuilder().with_name("a.b.c").with_level("INFO").add_stdout()
    logger = builder.with_backpressure(drop_on_full=False).with_error_deduplication(0).build()

    def close() -> None:
        with ThreadPoolExecutor() as pool:  # there may be a running event loop in this thread
            pool.submit(lambda: asyncio.run(logger.stop_and_drain())).result()

    return Running(logger, close)


CONTENDERS = [Contender("fapilog", start, "fapilog", CALLS, "json")]
