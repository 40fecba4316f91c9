"""structlog over the standard library: its loggers and processors stay, its formatter runs on the listener's thread.

    pip install logflume structlog
    python structlog_json.py

The processors before wrap_for_formatter run in the log call, those of ProcessorFormatter behind the queue. The
interpreter's exit delivers what is queued. Pitfall: PrintLogger and BytesLogger write in the call, past `logging`, so
that nothing here reaches them.
"""

import logging
import sys

import structlog

import logflume

shared = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(
    structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,  # for records of other packages
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
)
logging.basicConfig(level=logging.INFO, handlers=[handler])
logflume.setup_logging_queue(accelerate=True)

structlog.contextvars.bind_contextvars(request_id="c0ffee")
log = structlog.get_logger("shop")
for order in range(100):
    log.info("order read", order=order)
try:
    raise KeyError("c0ffee")
except KeyError:
    log.exception("no such order")
