"""The standard library's loggers with a FileHandler: attached, behind the standard queue, and behind logflume."""

from __future__ import annotations

import logging
from functools import partial

from .. import configurations, ways
from .contender import Contender, Running


def start(path: str, way: ways.Way, configuration: str = "file") -> Running:
    configurations.ALL[configuration].attach(path)
    return Running(logging.getLogger("a.b.c"), way.install().close)


CONTENDERS = [
    Contender(way.label, partial(start, way=way), way.package, environment=way.environment) for way in ways.ALL.values()
] + [
    Contender(
        f"{way.label}, JSON",
        partial(start, way=way, configuration="JSON file"),
        way.package or configurations.JSON,
        style="json",
    )
    for way in (ways.ATTACHED, ways.LOGFLUME)
]
