"""Standard-library logging, cheap and non-blocking.

See https://docs.python.org/3/library/logging.handlers.html#queuehandler for the classes that these extend.

IMPLEMENTATION: "compiled" or "pure", the core that runs
OnError: the type of a function for `on_error`
"""

from ._backend import IMPLEMENTATION
from ._listener.errors import OnError
from .accelerate import accelerate_loggers, loggers_accelerated, restore_loggers
from .handler import LocalQueueHandler
from .json_formatter import JsonFormatter
from .listener import QueueListener, listeners
from .protocols import BatchHandler
from .setup_queue import setup_logging_queue
from .stats import ListenerStats

__all__ = [
    "IMPLEMENTATION",
    "BatchHandler",
    "JsonFormatter",
    "ListenerStats",
    "LocalQueueHandler",
    "OnError",
    "QueueListener",
    "__version__",
    "accelerate_loggers",
    "listeners",
    "loggers_accelerated",
    "restore_loggers",
    "setup_logging_queue",
]

__version__ = "0.2.0"
