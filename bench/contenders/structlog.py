"""structlog: over loggers of the standard library, and in the fastest set-up that its documentation names."""

from __future__ import annotations

import logging

from .. import configurations
from .contender import CALLS, Contender, Running

BOUND = {
    **CALLS,
    "extra": 'log.info("order %d of %s", i, "x", user="abc", basket=5)',
}


def over_standard(path: str) -> Running:

    handler = logging.FileHandler(path)
    handler.setFormatter(configurations.structlog_formatter())
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.INFO)
    return Running(over_standard_logger(), logging.shutdown)


def over_standard_logger() -> object:
    import structlog

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger("a.b.c").bind()


def fastest(path: object) -> Running:
    """Write lines of JSON to a file, by its path or its descriptor."""
    import orjson
    import structlog

    file = open(path, "ab")  # type: ignore[call-overload]  # noqa: SIM115
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(file),
        cache_logger_on_first_use=True,
    )
    return Running(structlog.get_logger().bind(logger="a.b.c"), file.close)


CONTENDERS = [
    Contender("structlog over logging", over_standard, "structlog", BOUND, "json"),
    Contender("structlog, bytes and orjson", fastest, "structlog", BOUND, "json"),
]
