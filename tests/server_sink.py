"""The sink of tests/server_app.py, in a module that a configuration may import while that one is at work."""

from __future__ import annotations

import logging
import os
import time

FORMAT = "%(name)s %(message)s"


class Slow(logging.FileHandler):
    def __init__(self) -> None:
        super().__init__(os.environ["SINK"])

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        time.sleep(float(os.environ.get("SINK_SECONDS", "0.003")))
