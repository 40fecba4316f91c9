"""Sentry beside the queue: its integration wraps the log call, so that events keep their stack and scope.

    pip install logflume sentry-sdk
    python sentry_events.py

A transport that only counts takes the place of the network. Pitfall: set Sentry up first, as it replaces a method of
`logging.Logger`; accelerated calls notice that in any order and go through it.
"""

import logging
import os
from typing import Any

import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

import logflume

events: list[dict[str, Any]] = []


class Counting(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            events.append(event)


sentry_sdk.init(dsn="https://key@sentry.invalid/1", transport=Counting)
logging.basicConfig(level=logging.INFO, filename=os.environ.get("LOG", "app.log"))

with logflume.setup_logging_queue(accelerate=True):
    log = logging.getLogger("shop")
    for order in range(10):
        try:
            raise KeyError(order)
        except KeyError:
            log.exception("order %s is unknown", order)

frames = events[0]["exception"]["values"][0]["stacktrace"]["frames"]
print(f"{len(events)} events; the first one was raised in line {frames[-1]['lineno']}")
