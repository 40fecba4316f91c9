"""The service: five records for each request, and uvicorn's access line.

    python -m bench.service.app LOGGING HANDLERS FOLDER

It listens on a port of its choice, which it writes to FOLDER/port.json, until SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from .. import configurations, process, ways
from ..contenders import loguru, structlog
from ..contenders.contender import Running
from ..usage import cpu

STEPS = 5
Log = Callable[[int, int], object]  # of which order, at which step
Setup = Callable[[str, ways.Way], tuple[Log | None, Callable[[], object]]]  # what logs, and what ends it


def standard(configuration: str) -> Setup:
    """Return a set-up with loggers of the standard library, for uvicorn's records too."""

    def set_up(path: str, way: ways.Way) -> tuple[Log, Callable[[], object]]:
        configurations.ALL[configuration].attach(path)
        logger = logging.getLogger("shop.orders")
        return lambda order, step: logger.info("order %d: step %d", order, step), way.install().close

    return set_up


def over_structlog(path: str, way: ways.Way) -> tuple[Log, Callable[[], object]]:
    configurations.ALL["structlog's formatter, stdout"].attach(path)
    logger = structlog.over_standard_logger()
    log = lambda order, step: logger.info("order %d: step %d", order, step)  # type: ignore[attr-defined] # noqa: E731
    return log, way.install().close


def without_handlers(running: Running, message: str) -> tuple[Log, Callable[[], object]]:
    """Return a set-up of a package that has no handlers, and writes the access line itself."""
    logger = running.log

    def log(order: int, step: int) -> None:
        logger.info(message, order, step)
        if step == STEPS - 1:
            logger.info(f'127.0.0.1:5000 - "GET /orders/{order} HTTP/1.1" 200')

    return log, running.close


SETUPS: dict[str, Setup] = {
    "no logging": lambda path, way: (None, lambda: None),
    "plain to a file": standard("file"),
    "plain to stdout": standard("stdout"),
    "JSON to stdout": standard("JSON stdout"),
    "JSON to stdout, request-id filter": standard("JSON stdout, request-id filter"),
    "uvicorn's formats to stdout": standard("uvicorn's access format"),
    "structlog over logging, to stdout": over_structlog,
    "structlog, bytes and orjson, to stdout": lambda path, way: without_handlers(
        structlog.fastest(os.dup(1)), "order %d: step %d"
    ),
    "loguru, serialize, to stdout": lambda path, way: without_handlers(
        loguru.start(sys.stdout, serialize=True), "order {}: step {}"
    ),
}


def make_app(log: Log | None) -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{number}")
    async def order(number: int) -> dict[str, int]:
        configurations.request_id.set(f"r-{number}")
        if log:
            for step in range(STEPS):
                log(number, step)
        return {"number": number}

    return app


def main(setup: str, way: str, folder: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it has ended
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    log, close = SETUPS[setup](str(Path(folder, "file")), ways.ALL[way])
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    process.write(Path(folder), {"port": listening.getsockname()[1]}, "port.json")
    own_access_line = logging.getLogger("uvicorn.access").handlers or logging.root.handlers
    config = uvicorn.Config(
        make_app(log), loop="uvloop", log_config=None, access_log=bool(log and own_access_line)
    )
    before = cpu()
    uvicorn.Server(config).run([listening])
    close()
    process.write(Path(folder), {"cpu": cpu() - before})
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
