"""Pure twin of the compiled flow: how a turn of the listener's thread begins."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._listener.pace import Pace


def deliver_flow(listener: Any, pace: Pace, once: bool) -> int:
    """Begin a turn of the listener's thread: take items from its queue into `listener._taken`.

    Returns how many are there then. The compiled core delivers them, too, and unless it is for `once` does the turns
    after that one, as long as there is nothing to do but to give records to one stock handler, and to pause.
    """
    listener._wakeups += 1
    pace.begin()
    listener._take(pace.limit)
    return sum(run.count for run in listener._taken)
