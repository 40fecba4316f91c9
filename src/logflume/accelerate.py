"""The whole log call, compiled: standard loggers that cost a tenth."""

from __future__ import annotations

from . import _backend

__all__ = ["accelerate_loggers", "loggers_accelerated", "restore_loggers"]


def accelerate_loggers() -> bool:
    """Make the log calls of every logging.Logger, existing and future, take the compiled path.

    Returns whether they do: on the pure core nothing is changed, and the answer is False. Calling it again
    does no harm. The records that the handlers get are real logging.LogRecord objects, and whatever somebody
    overrides or patches in logging is honoured at the moment of each call.

    Methods of logging.Logger that somebody patched before stay as they are.
    """
    return bool(_backend.accelerate())


def restore_loggers() -> None:
    """Put the standard methods of logging.Logger back, wherever nobody patched over ours.

    A patched method that still calls ours gets what the standard one does.
    """
    _backend.restore()


def loggers_accelerated() -> bool:
    """Tell whether accelerate_loggers() is in effect."""
    return bool(_backend.is_accelerated())
