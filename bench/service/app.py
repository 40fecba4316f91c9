"""The service: five records for each request, and uvicorn's access line.

    python -m bench.service.app WHAT BY FOLDER

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
from ..contenders import loguru, logust, picologging, structlog
from ..contenders.contender import Running
from ..usage import cpu

STEPS = 5
Log = Callable[[int, int], object]  # of which order, at which step
Logging = tuple[Log | None, Callable[[], object]]  # what logs, and what ends it

CONFIGURATIONS = {
    "plain to a file": "file",
    "plain to stdout": "stdout",
    "JSON to stdout": "JSON stdout",
    "JSON to stdout, request-id filter": "JSON stdout, request-id filter",
    "uvicorn's formats to stdout": "uvicorn's access format",
    "only uvicorn's access lines to stdout": "uvicorn's access format",
    "structlog over logging, to stdout": "structlog's formatter, stdout",
}
PACKAGES: dict[str, Callable[[str], Logging]] = {
    "none": lambda path: (None, lambda: None),
    "picologging, queue": lambda path: with_package(picologging.queued(path)),
    "logust": lambda path: with_package(logust.start(path)),
    "structlog, bytes and orjson": lambda path: with_package(structlog.fastest(os.dup(1))),
    "loguru, serialize": lambda path: with_package(loguru.start(sys.stdout, serialize=True)),
}


def with_package(running: Running) -> Logging:
    """Log with a package that does not take uvicorn's records: the application logs the access line.

    The message is made by the call, as logust needs it, which is not slower than any package's own way.
    """
    logger = running.log

    def log(order: int, step: int) -> None:
        logger.info(f"order {order}: step {step}")
        if step == STEPS - 1:
            logger.info(f'127.0.0.1:5000 - "GET /orders/{order} HTTP/1.1" 200')

    return log, running.close


def with_handlers(what: str, way: ways.Way, path: str) -> Logging:
    """Log with loggers of the standard library, uvicorn's records, too."""
    configurations.ALL[CONFIGURATIONS[what]].attach(path)
    logger = structlog.over_standard_logger() if "structlog" in what else logging.getLogger("shop.orders")

    def log(order: int, step: int) -> None:
        logger.info("order %d: step %d", order, step)

    return log, way.install().close


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


def main(what: str, by: str, folder: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it has ended
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    path = str(Path(folder, "file"))
    log, close = PACKAGES[by](path) if by in PACKAGES else with_handlers(what, ways.ALL[by], path)
    app = make_app(None if what.startswith("only") else log)
    config = uvicorn.Config(app, loop="uvloop", log_config=None, access_log=by not in PACKAGES)
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    process.write(Path(folder), {"port": listening.getsockname()[1]}, "port.json")
    before = cpu()
    uvicorn.Server(config).run([listening])
    close()
    process.write(Path(folder), {"cpu": cpu() - before})
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
