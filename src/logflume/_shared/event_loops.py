"""Whether the calling thread runs an event loop, or takes turns with others: to wait there would stop them all."""

from __future__ import annotations

import _thread
import sys
import threading
from typing import Any


def runs_event_loop() -> bool:
    """Return whether the calling thread runs an event loop of asyncio (uvloop's, too) or trio now."""
    return asyncio_loop() is not None or is_in_trio()


def asyncio_loop() -> Any:
    """Return the event loop of asyncio that the calling thread runs, or None."""
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()


def is_in_trio() -> bool:
    """Return whether a task of trio makes this call."""
    trio = sys.modules.get("trio")
    try:
        return trio is not None and trio.lowlevel.current_task() is not None
    except (AttributeError, RuntimeError):  # not yet imported completely; or no task
        return False


def threads_take_turns() -> bool:
    """Return whether greenlets stand for threads (gevent): one that waits must let the others run."""
    return threading.get_ident is not _thread.get_ident
