"""logxide: the interface of the standard library in Rust. Its native path has times without milliseconds."""

from __future__ import annotations

from ..configurations import FORMAT
from .contender import Contender, Running


def start(path: str) -> Running:
    from logxide import logging

    logging.basicConfig(filename=path, level=logging.INFO, format=FORMAT)
    return Running(logging.getLogger("a.b.c"), logging.shutdown)


CONTENDERS = [Contender("logxide", start, "logxide")]
