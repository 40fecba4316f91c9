"""Child processes; and forks of which Python does not know: uWSGI, for one, forks in C.

os.register_at_fork() is not asked there. The child finds out at its next log call, start(), flush() or stop(), by the
number of the process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

# Without an operating system below (Pyodide's node, say) there may be no such number.
getpid: Callable[[], int] = getattr(os, "getpid", int)

process = getpid()  # the one in which all is settled
_calls: list[Callable[[], None]] = []


def call_in_unknown_child(call: Callable[[], None]) -> None:
    """Have settle() call `call()`, once in each child."""
    _calls.append(call)


def note_child() -> None:
    """Note that all is settled in this process."""
    global process
    process = getpid()


def settle() -> None:
    """Do in a child by a fork in C what is done in others by Python's hooks; nothing in any other process."""
    if getpid() != process:
        note_child()
        for call in _calls:
            call()


def is_multiprocessing_child() -> bool:
    """Return whether multiprocessing started this process."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    return multiprocessing is not None and multiprocessing.parent_process() is not None
