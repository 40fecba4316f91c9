"""Standard-library logging, cheap and non-blocking.

See https://docs.python.org/3/library/logging.handlers.html#queuehandler for the classes that these extend.
"""

from ._impl import IMPLEMENTATION
from .handler import LocalQueueHandler
from .listener import QueueListener
from .loggers import accelerate_loggers, loggers_accelerated, restore_loggers
from .stats import ListenerStats
from .wiring import setup_logging_queue

__all__ = [
    "IMPLEMENTATION",
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
