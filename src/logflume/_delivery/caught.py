"""Errors that a handler catches itself: its handleError() tells them to the listener that delivers on this thread."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from .._shared.moved import is_handler

_standard = logging.Handler.handleError
_of_sockets = logging.handlers.SocketHandler.handleError


class _Reporting(threading.local):
    """What has report_caught(record, handler) called for errors on this thread, or None for handleError()."""

    to: Any = None


reporting = _Reporting()


def handle_error(handler: Any, record: logging.LogRecord) -> None:
    """Do what the standard emit() does with the exception that is being handled."""
    if reporting.to is None:
        handler.handleError(record)
    else:
        reporting.to.report_caught(record, handler)


class _HandleError:
    """Stands for the handleError() of a handler, in its instance dictionary."""

    __slots__ = ("_handler",)

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = weakref.ref(handler)  # a handler without other references ends, and closes its file

    def __call__(self, record: logging.LogRecord) -> None:
        handler: Any = self._handler()
        if reporting.to is None or sys.exc_info()[1] is None:
            _method(handler)(record)
        else:
            handle_error(handler, record)


def intercept_errors(handler: Any) -> None:
    """Have handle_error() called for `handler.handleError()`, unless the instance has one of its own.

    It stays so: a change of the handler for each batch would have the log calls look at its levels anew each time.
    """
    # Not a mock, whose attributes do not come back once they are deleted.
    if is_handler(handler) and "handleError" not in vars(handler):
        try:
            handler.handleError = _HandleError(handler)
        except Exception:
            pass  # the class forbids it
        if isinstance(handler, logging.handlers.MemoryHandler):
            intercept_errors(handler.target)


def stop_intercepting(handler: Any) -> None:
    """Undo intercept_errors()."""
    if type(getattr(handler, "handleError", None)) is _HandleError:
        del handler.handleError
        if isinstance(handler, logging.handlers.MemoryHandler):
            stop_intercepting(handler.target)


def _method(handler: Any) -> Callable[[logging.LogRecord], object]:
    """Return the handleError() of the class, bound to `handler`."""
    cls = type(handler)
    found = next(vars(base)["handleError"] for base in cls.__mro__ if "handleError" in vars(base))
    bound: Callable[[logging.LogRecord], object] = found.__get__(handler, cls)
    return bound


def handle_error_of_instance(handler: Any) -> Callable[[logging.LogRecord], object] | None:
    """Return the handleError() that the instance has instead of its class's."""
    own: Any = getattr(handler, "__dict__", {}).get("handleError")
    return None if type(own) is _HandleError else own


def handle_error_of_class(handler: Any) -> Callable[[logging.LogRecord], object] | None:
    """Return the handleError() of the handler's class if it does anything but print the error."""
    method = getattr(type(handler), "handleError", None)
    if method is None:
        return None
    closes = method is _of_sockets and handler.closeOnError and handler.sock
    return None if method is _standard or (method is _of_sockets and not closes) else _method(handler)
