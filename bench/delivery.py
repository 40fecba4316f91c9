"""Delivery of a batch against handler.handle for each record: python bench/delivery.py [records]

Every number is how many times as fast as the standard handler on the same records in the same run, the best
of some rounds. Captured records are what an accelerated logger puts into the queue of a listener.
"""

from __future__ import annotations

import gc
import json
import logging
import logging.handlers
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import logflume
from common import FORMAT
from logflume._py import deliver as pure
from logflume._shared.state import IDLE, RUNNING

try:
    from logflume._c.backend import deliver as compiled
except ImportError:
    compiled = None  # type: ignore[assignment]

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
ROUNDS = 5
SIZES = (1, 8, 64, 512)

Records = list[logging.LogRecord]
Way = Callable[[logging.Handler, Records], None]


def plain() -> Records:
    return [
        logging.LogRecord("a.b.c", 20, "/srv/app.py", 12, "hello %s %d", ("x", i), None, "f")
        for i in range(COUNT)
    ]


def excepting() -> Records:
    try:
        raise ValueError("wrong")
    except ValueError:
        exc_info = sys.exc_info()
    records = plain()[: COUNT // 10]
    for record in records:
        record.exc_info = exc_info
    return records


def captured() -> Records:
    handler = logflume.LocalQueueHandler()
    handler.listener = logflume.QueueListener(handler.queue, logging.StreamHandler())
    handler.listener.state = RUNNING  # so that it takes captured records; it has no thread
    logger = logging.getLogger("a.b.c")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [handler]
    logflume.accelerate_loggers()
    for i in range(COUNT):
        logger.info("hello %s %d", "x", i)
    logflume.restore_loggers()
    handler.listener.state = IDLE
    return [handler.queue.get() for _ in range(COUNT)]


def one_at_a_time(handler: logging.Handler, records: Records) -> None:
    for record in records:
        handler.handle(record)


def in_batches(deliver_batch: Any, size: int) -> Way:
    def deliver(handler: logging.Handler, records: Records) -> None:
        for at in range(0, len(records), size):
            deliver_batch(handler, records[at : at + size], report)

    return deliver


def report(record: logging.LogRecord, handler: logging.Handler) -> None:
    raise SystemExit("a record was not delivered")


def measure(
    make_handler: Callable[[Path], logging.Handler], make_records: Callable[[], Records], way: Way
) -> float:
    """Seconds for a record, once all of them are in the files."""
    best = float("inf")
    for _ in range(ROUNDS):
        records = make_records()
        with tempfile.TemporaryDirectory() as folder:
            handler = make_handler(Path(folder) / "app.log")
            handler.setFormatter(handler.formatter or logging.Formatter(FORMAT))
            gc.collect()
            gc.disable()
            start = time.perf_counter()
            way(handler, records)
            best = min(best, (time.perf_counter() - start) / len(records))
            gc.enable()
            handler.close()
            written = sum(path.read_text().count("hello") for path in Path(folder).iterdir())
            if written != len(records):
                raise SystemExit(f"{written} of {len(records)} records were written")
    return best


def file(path: Path) -> logging.Handler:
    return logging.FileHandler(path)


class Json(logging.Formatter):
    """A formatter of the kind that many packages bring."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": self.formatTime(record), "level": record.levelname, "message": record.getMessage()}
        return json.dumps(entry)


def json_file(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path)
    handler.setFormatter(Json())
    return handler


def rotating(path: Path) -> logging.Handler:
    return logging.handlers.RotatingFileHandler(path, maxBytes=100_000, backupCount=100)


def main() -> None:
    print(f"Python {sys.version.split()[0]}, {COUNT} records; times as fast as handler.handle, by batch\n")
    print(
        f"{'handler':10}{'records':16}{'core':10}{'handle ns':>10}" + "".join(f"{size:>8}" for size in SIZES)
    )
    for make_handler in (file, json_file, rotating):
        for make_records in (plain, excepting, captured):
            if make_records is captured and compiled is None:
                continue
            # Without logflume there are no captured records: the standard handler gets the same as standard ones.
            standard = measure(
                make_handler, plain if make_records is captured else make_records, one_at_a_time
            )
            for name, core in (("compiled", compiled), ("pure", pure)):
                if core is None or (make_records is captured and core is pure):
                    continue
                ratios = [
                    standard / measure(make_handler, make_records, in_batches(core.deliver_batch, size))
                    for size in SIZES
                ]
                print(
                    f"{make_handler.__name__:10}{make_records.__name__:16}{name:10}{standard * 1e9:>10.0f}"
                    + "".join(f"{ratio:>7.1f}x" for ratio in ratios)
                )


if __name__ == "__main__":
    main()
