"""What several benchmarks share."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Callable
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class NoPrepare(logging.handlers.QueueHandler):
    """The standard handler with prepare() cut out: what people write today."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


def check(path: str | Path, count: int, message: Callable[[int], str]) -> None:
    """Raise unless the file holds `count` records, each once and in order: that at line n has `message(n)`."""
    with open(path) as lines:
        n = -1
        for n, line in enumerate(lines):
            if not line.endswith(f" {message(n)}\n"):
                raise SystemExit(f"line {n} of {path} is {line!r}, not {message(n)!r}")
    if n + 1 != count:
        raise SystemExit(f"{count} records were logged and {n + 1} arrived")
