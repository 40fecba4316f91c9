"""A program that logs and ends, for where the tests do not run: smoke.py write|check FOLDER.

`check` is another run, or a later part of the same where no processes are. It raises AssertionError.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

COUNT = 1000
TEXT = "record %d: ä"


def write(folder: Path) -> None:
    import logflume

    folder.mkdir()
    rotating = logging.handlers.RotatingFileHandler(folder / "log", maxBytes=2_000, backupCount=COUNT, encoding="utf-8")
    handlers = [rotating, logging.StreamHandler(sys.stdout)]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers)
    logflume.setup_logging_queue()
    if logflume.IMPLEMENTATION == "compiled":
        assert logflume.accelerate_loggers()
    for number in range(COUNT):
        logging.info(TEXT, number)
    print(f"{logflume.IMPLEMENTATION} core, Python {sys.version.split()[0]} on {sys.platform}", file=sys.stderr)


def check(folder: Path) -> None:
    files = sorted(folder.glob("log*"), key=lambda path: -int(path.suffix[1:] or 0))
    assert len(files) > 3, files
    assert all(path.stat().st_size <= 2_000 for path in files)
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    assert lines == [TEXT % number for number in range(COUNT)], lines[:3]


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
