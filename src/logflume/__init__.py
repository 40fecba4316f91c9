"""Standard-library logging, cheap and non-blocking.

See https://docs.python.org/3/library/logging.handlers.html#queuehandler for the classes that these extend.
"""

from ._impl import IMPLEMENTATION
from .handler import LocalQueueHandler
from .listener import QueueListener
from .wiring import queue_handler, setup_logging_queue

__all__ = [
    "IMPLEMENTATION",
    "LocalQueueHandler",
    "QueueListener",
    "__version__",
    "queue_handler",
    "setup_logging_queue",
]

__version__ = "0.1.0"
