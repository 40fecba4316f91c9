"""picologging: loggers and records of its own in C++, with the interface of the standard library.

Its default format of the time writes bytes that are no text (0.9.3), so it gets one, which has no milliseconds.
"""

from __future__ import annotations

import queue

from ..configurations import FORMAT
from .contender import Contender, Running


def logger_of(handler: object) -> object:
    import picologging

    root = picologging.getLogger()
    root.setLevel(picologging.INFO)
    root.handlers[:] = [handler]
    return picologging.getLogger("a.b.c")


def file(path: str) -> object:
    import picologging

    handler = picologging.FileHandler(path)
    handler.setFormatter(picologging.Formatter(FORMAT, "%Y-%m-%d %H:%M:%S"))
    return handler


def attached(path: str) -> Running:
    handler = file(path)
    return Running(logger_of(handler), handler.close)  # type: ignore[attr-defined]


def queued(path: str) -> Running:
    from picologging.handlers import QueueHandler, QueueListener

    records: queue.SimpleQueue = queue.SimpleQueue()
    listener = QueueListener(records, file(path))
    listener.start()
    return Running(logger_of(QueueHandler(records)), listener.stop)


CONTENDERS = [
    Contender("picologging", attached, "picologging"),
    Contender("picologging, queue", queued, "picologging"),
]
