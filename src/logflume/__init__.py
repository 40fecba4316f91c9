"""Standard-library logging, cheap and non-blocking.

See https://docs.python.org/3/library/logging.handlers.html#queuehandler for the classes that these extend.
"""

from ._backend import IMPLEMENTATION
from .accelerate import accelerate_loggers, loggers_accelerated, restore_loggers
from .handler import LocalQueueHandler
from .json_formatter import JsonFormatter
from .listener import QueueListener
from .setup_queue import setup_logging_queue
from .stats import ListenerStats

__all__ = [
    "IMPLEMENTATION",
    "JsonFormatter",
    "ListenerStats",
    "LocalQueueHandler",
    "QueueListener",
    "__version__",
    "accelerate_loggers",
    "loggers_accelerated",
    "restore_loggers",
    "setup_logging_queue",
]

__version__ = "0.1.0"
