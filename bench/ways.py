"""How the handlers of the standard library's loggers are run: attached, or behind one of the queues."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Installed:
    """What ends a way: `flush` waits until all records are handled, `close` ends it."""

    flush: Callable[[], object] = lambda: None
    close: Callable[[], object] = logging.shutdown


@dataclass(frozen=True)
class Way:
    """A way to run handlers. `install` is called when the handlers are on their loggers."""

    label: str
    install: Callable[[], Installed]
    package: str = ""
    environment: dict[str, str] = field(default_factory=dict)


class NoPrepare(logging.handlers.QueueHandler):
    """The standard handler with prepare() cut out: what people write today."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


def behind_standard_queues(handler_class: type[logging.handlers.QueueHandler]) -> Installed:
    """Give each logger that has handlers a queue and a listener."""
    known = [logging.root, *logging.root.manager.loggerDict.values()]
    listeners = []
    for logger in known:
        if not isinstance(logger, logging.Logger) or not logger.handlers:
            continue
        records: queue.SimpleQueue = queue.SimpleQueue()
        listener = logging.handlers.QueueListener(records, *logger.handlers, respect_handler_level=True)
        logger.handlers = [handler_class(records)]  # type: ignore[arg-type]
        listener.start()
        listeners.append(listener)

    def flush() -> None:
        while any(listener.queue.qsize() for listener in listeners):
            time.sleep(0.001)

    def close() -> None:
        for listener in listeners:
            listener.stop()
        logging.shutdown()

    return Installed(flush, close)


def behind_logflume(accelerate: bool, implementation: str = "compiled") -> Installed:
    import logflume

    if implementation != logflume.IMPLEMENTATION:
        raise ImportError(f"this logflume is {logflume.IMPLEMENTATION}")
    listener = logflume.setup_logging_queue(all_loggers=True, accelerate=accelerate)

    def close() -> None:
        listener.stop()
        logging.shutdown()

    return Installed(listener.flush, close)


ATTACHED = Way("handlers attached", Installed)
STANDARD = Way("standard queue", lambda: behind_standard_queues(logging.handlers.QueueHandler))
NO_PREPARE = Way("standard queue, no prepare", lambda: behind_standard_queues(NoPrepare))
LOGFLUME = Way("logflume", lambda: behind_logflume(True), "logflume")
NOT_ACCELERATED = Way("logflume, not accelerated", lambda: behind_logflume(False), "logflume")
PURE = Way(
    "logflume, pure",
    lambda: behind_logflume(True, "pure"),
    "logflume",
    {"LOGFLUME_NO_EXTENSIONS": "1"},
)

ALL = {way.label: way for way in (ATTACHED, STANDARD, NO_PREPARE, LOGFLUME, NOT_ACCELERATED, PURE)}
