"""Public use as a user's type checker sees it; mypy --strict reads this file and nothing runs it."""

from __future__ import annotations

import logging
import logging.handlers
import queue
from typing import assert_type

import logflume

local: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
handler = logflume.LocalQueueHandler(local)
standard: logging.handlers.QueueHandler = logflume.LocalQueueHandler()
logging.getLogger().addHandler(handler)


def complain(*what: object) -> None: ...


def alert(record: logging.LogRecord | None, handler: logging.Handler | None, error: BaseException) -> None: ...


listener = logflume.QueueListener(
    local, logging.StreamHandler(), respect_handler_level=True, on_error=complain, exit_timeout=2.0
)
on_error: logflume.OnError = alert
logflume.QueueListener(local, on_error=on_error, flush_level="ERROR")
logflume.LocalQueueHandler(handlers=["file"], on_error="shop.alerts.alert", exit_timeout=2.0)
handler.listener = listener
assert_type(logflume.LocalQueueHandler().listener, logging.handlers.QueueListener | None)
assert_type(logflume.listeners(), list[logflume.QueueListener])
as_standard: logging.handlers.QueueListener = listener
listener.start()
listener.addHandler(logging.NullHandler())
listener.removeHandler(logging.NullHandler())
assert_type(listener.flush(timeout=1.0), bool)
assert_type(listener.stop(timeout=1.0), int)
logflume.QueueListener(local, capacity=10, overflow="drop_oldest", block_timeout=1, keep_level="ERROR", warn_at=None)
logflume.LocalQueueHandler(capacity=10, overflow="block", block_timeout=0.5, keep_level=logging.WARNING)
logflume.setup_logging_queue(capacity=10, overflow="direct", warn_at=100).stop()
logflume.QueueListener(local, overflow="drop")  # type: ignore[arg-type]
stats = listener.stats()
assert_type(stats.accepted, int)
assert_type(stats.oldest_age, float)
assert_type(stats.drops, dict[str, dict[str, int]])
assert_type(
    [(each.handler, each.records, each.errors, each.seconds) for each in stats.handlers],
    list[tuple[logging.Handler, int, int, float]],
)

with logflume.setup_logging_queue() as running:
    assert_type(running, logflume.QueueListener)

logflume.setup_logging_queue(on_error=alert, flush_level=logging.ERROR).stop()
logflume.setup_logging_queue("uvicorn.access", logging.getLogger("a"), respect_handler_level=False).stop()
logflume.setup_logging_queue(all_loggers=True).stop()

formatter: logging.Formatter = logflume.JsonFormatter(
    "%(levelname)s %(message)s", rename_fields={"levelname": "level"}, timestamp=True, json_default=str
)
logflume.JsonFormatter(["levelname", "message"], static_fields={"service": "shop"}, schema=None)
logflume.JsonFormatter(schema="ecs", json_ensure_ascii=False)


class Sink(logging.Handler):
    def handle_batch(self, records: list[logging.LogRecord]) -> None: ...


batches: logflume.BatchHandler = Sink()


async def serve() -> None:
    async with logflume.setup_logging_queue() as running:
        assert_type(running, logflume.QueueListener)
        assert_type(await running.aflush(timeout=1.0), bool)
        assert_type(await running.astop(timeout=1.0), int)


assert_type(logflume.accelerate_loggers(), bool)
assert_type(logflume.loggers_accelerated(), bool)
logflume.restore_loggers()
version: str = logflume.__version__
implementation: str = logflume.IMPLEMENTATION
