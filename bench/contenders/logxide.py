"""logxide: the interface of the standard library in Rust.

Set up by basicConfig(), as its documentation recommends. Its times then have no milliseconds, which is its native path.
"""

from __future__ import annotations

from ..configurations import FORMAT
from .contender import Contender, Running


def start(path: str) -> Running:
    from logxide import logging

    logging.basicConfig(filename=path, level=logging.INFO, format=FORMAT)
    return Running(logging.getLogger("a.b.c"), logging.shutdown)


CONTENDERS = [Contender("logxide", start, "logxide")]
