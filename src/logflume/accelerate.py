"""accelerate_loggers(): log calls of the standard loggers take the compiled path, until restore_loggers()."""

from __future__ import annotations

from . import _backend

__all__ = ["accelerate_loggers", "loggers_accelerated", "restore_loggers"]


def accelerate_loggers() -> bool:
    """Make the log calls of every logging.Logger, existing and future, take the compiled path.

    Returns whether they do: the pure core changes nothing and returns False. A second call has no effect. The
    handlers get real logging.LogRecord objects, and each call honours what is overridden or monkeypatched in
    logging at that moment.

    Methods of logging.Logger that are monkeypatched already stay as they are.
    """
    return bool(_backend.accelerate())


def restore_loggers() -> None:
    """Put the standard methods of logging.Logger back, except where other code replaced ours meanwhile.

    Such a replacement that still calls our method gets what the standard one does.
    """
    _backend.restore()


def loggers_accelerated() -> bool:
    """Tell whether accelerate_loggers() is in effect."""
    return bool(_backend.is_accelerated())
