"""ListenerStats: what a listener tells about itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class ListenerStats(NamedTuple):
        handled: int
        errors: int
        dropped: int
        pending: int
        batches: int
        wakeups: int
        delay: float
        longest_delay: float

else:  # importing typing would double the time that importing logflume takes
    from collections import namedtuple

    ListenerStats = namedtuple(
        "ListenerStats", "handled errors dropped pending batches wakeups delay longest_delay"
    )

ListenerStats.__doc__ = """What QueueListener.stats() returns.

    handled: records that were given to the handlers
    errors: exceptions of handlers, also those that they caught and of their flush(), or of the queue; reported or not
    dropped: records that handlers caused by handling one, each caused by the one before, after ten of them
    pending: records that are queued or being handled
    batches: how often the listener found something: records, a flush() or stop()
    wakeups: how often it polled the queue
    delay: seconds from the oldest log call of the last batch until it was handled
    longest_delay: the longest of these so far
    """
