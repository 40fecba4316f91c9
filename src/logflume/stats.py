"""ListenerStats: what a listener tells about itself."""

from __future__ import annotations

import logging
from typing import NamedTuple


class HandlerStats(NamedTuple):
    """What a listener tells about one of its handlers.

    Attributes:
        handler: the handler
        records: records that it was given; its own filters come after that
        errors: exceptions that escaped from it
        seconds: how long it took, in all
    """

    handler: logging.Handler
    records: int
    errors: int
    seconds: float


class ListenerStats(NamedTuple):
    """What QueueListener.stats() returns.

    accepted == handled + dropped + failed + pending, always. It counts what was put into the queue: a record that a
    filter changed for some of the moved handlers is one for each of its copies. In a forked child all begin at 0.

    Attributes:
        handled: records that the handlers were given, and none of them raised for; what their levels and filters made
            of them does not count
        errors: exceptions of handlers, also those that they caught and of their flush(), or of the queue; reported or
            not
        dropped: records that were dropped, because the queue was full, or because handlers caused them by handling
            one, each caused by the one before
        pending: records that are queued or being handled
        batches: how often the listener found something: records, a flush() or stop()
        wakeups: how often it polled the queue
        delay: seconds from the oldest log call of the last batch until it was handled
        longest_delay: the longest of these so far
        accepted: records that came to be handled
        failed: records for which a handler raised, or that could not be put into the queue
        high_water: the most records that waited in the queue, as the listener saw it after each batch
        oldest_age: seconds since the oldest pending record was logged; 0.0 if none is pending, or between two batches
            (for milliseconds), or if the listener does not run
        drops: the number of dropped records, by reason ("queue full", "block timeout", "event loop", "nested too
            deep") and name of the level
        handlers: a HandlerStats for each handler
    """

    handled: int
    errors: int
    dropped: int
    pending: int
    batches: int
    wakeups: int
    delay: float
    longest_delay: float
    accepted: int
    failed: int
    high_water: int
    oldest_age: float
    drops: dict[str, dict[str, int]]
    handlers: tuple[HandlerStats, ...]
