"""Whether the calling thread runs an event loop, or takes turns with others: to wait there would stop them all."""

from __future__ import annotations

import _thread
import sys
import threading


def runs_event_loop() -> bool:
    """Return whether the calling thread runs an event loop of asyncio (uvloop's, too) or trio now."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return True
    trio = sys.modules.get("trio")
    return trio is not None and _runs_trio(trio)


def _runs_trio(trio: object) -> bool:
    try:
        return trio.lowlevel.in_trio_run()  # type: ignore[attr-defined, no-any-return]
    except AttributeError:  # older than 0.23, or not yet imported completely
        return False


def threads_take_turns() -> bool:
    """Return whether greenlets stand for threads (gevent): one that waits must let the others run."""
    return threading.get_ident is not _thread.get_ident
